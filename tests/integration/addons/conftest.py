from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeport.state import Database
from tests.contract.addon_worlds import PostgresWorld
from tests.integration.addons import postgres_ground
from tests.integration.addons.postgres_ground import Ground


@pytest.fixture(scope="session")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresWorld]:
    """A machine whose PostgreSQL is started by the first test that wants it."""
    made = PostgresWorld(tmp_path_factory.mktemp("machine"))
    yield made
    asyncio.run(made.provider().stop())


@pytest.fixture
def ground(machine: PostgresWorld, database: Database, tmp_path: Path) -> Iterator[Ground]:
    """A daemon of this test's own on that machine, with an app and its database."""
    with postgres_ground.opened(machine, database, tmp_path) as made:
        yield made
