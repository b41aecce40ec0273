from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.addons.buckets.ground import Ground, Tenant


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One server for all tests that do it no harm."""
    made = Ground(tmp_path_factory.mktemp("buckets"))
    yield made
    made.close()


@pytest.fixture
def tenant(ground: Ground) -> Tenant:
    return ground.tenant()


@pytest.fixture
def own_ground(tmp_path: Path) -> Iterator[Ground]:
    """A server of the test's own, to be harmed."""
    made = Ground(tmp_path)
    yield made
    made.close()
