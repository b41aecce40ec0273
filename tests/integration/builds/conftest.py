from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeport.buildpacks.python.interpreters import find
from tests.integration.builds.workshop import Workshop


@pytest.fixture(scope="session")
def pythons() -> set[str]:
    """The Pythons of this machine, as `3.11` and as `3.11.7`."""
    found = find(os.environ, Path("/nonexistent"))
    return {".".join(map(str, entry.version[:length])) for entry in found for length in (2, 3)}


@pytest.fixture(scope="session")
def python(pythons: set[str]) -> str:
    """The Python that the fixture projects' pins have wheels for."""
    for version in ("3.11", "3.12", "3.10", "3.9", "3.13"):
        if version in pythons:
            return version
    pytest.skip("no Python between 3.9 and 3.13 is on this machine")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages are fetched once for all workers: the folder above a worker's own is shared."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "build-cache"
    shared.mkdir(exist_ok=True)
    return shared


@pytest.fixture
def workshop(tmp_path: Path, cache: Path, python: str) -> Iterator[Workshop]:
    opened = Workshop(tmp_path, cache, python=python)
    yield opened
    opened.close()
