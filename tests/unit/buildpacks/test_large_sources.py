"""A large source takes its build a while, and nobody else."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from homeport.buildpacks import Finished, Project, Python, Voice
from homeport.slugs import Store

SIZE = 256 * 1024**2


class Reached(Exception):
    """The dependencies have been read."""


class NoShell:
    async def run(self, *_: Any, **__: Any) -> Finished:
        raise Reached


@pytest.mark.slow
def test_the_platform_goes_on_while_a_package_in_the_source_is_hashed(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "package").mkdir(parents=True)
    (source / "package" / "setup.py").write_text("from setuptools import setup\nsetup(name='package')\n")
    with (source / "package" / "data").open("wb") as data:
        os.truncate(data.fileno(), SIZE)
    (source / "requirements.txt").write_text("./package\n")
    for name in ("cache", "app_cache", "scratch"):
        (tmp_path / name).mkdir()
    project = Project(
        source=source, config={}, cache=tmp_path / "cache", app_cache=tmp_path / "app_cache",
        scratch=tmp_path / "scratch", source_id="1", environ={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )  # fmt: skip
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    async def scenario() -> None:
        beating = asyncio.create_task(beat())
        try:
            with pytest.raises(Reached):
                await Python().compile(project, NoShell(), Store(tmp_path / "slugs"), Voice(lambda _line: None))
        finally:
            beating.cancel()

    asyncio.run(scenario())
    assert beats >= 3
