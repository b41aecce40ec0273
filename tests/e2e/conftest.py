from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.e2e.platform import Platform, Result


class Cli(Protocol):
    """One of the two command lines: the official one or ours."""

    def __call__(self, *arguments: str, **options: Any) -> Result: ...


@contextlib.contextmanager
def _running() -> Iterator[Platform]:
    folder = Path(tempfile.mkdtemp(prefix="homeport-e2e-"))
    running = Platform(folder)
    try:
        running.up()
        yield running
    finally:
        running.down()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def platform() -> Iterator[Platform]:
    """A running platform of this test process, with nothing on it yet."""
    with _running() as running:
        yield running


@pytest.fixture
def own() -> Iterator[Platform]:
    """A platform that this test may kill."""
    with _running() as running:
        yield running


@pytest.fixture(params=["heroku", "homeport"])
def cli(request: pytest.FixtureRequest, platform: Platform) -> Cli:
    chosen: Cli = getattr(platform, request.param)
    return chosen


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """An app name of this test's own."""
    import hashlib

    digest = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:10]
    return f"e2e-{digest}"
