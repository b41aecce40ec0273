"""What every height of tests shares."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from homeport.config import Vault
from homeport.state import Database

# A time limit per example would fail on a loaded machine and nowhere else.
settings.register_profile("homeport", deadline=None)
settings.load_profile("homeport")

# What is fetched in tests is served on loopback, which no URL leads to otherwise.
os.environ["HOMEPORT_FETCH_NETWORKS"] = "127.0.0.0/8,::1"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a database of the current schema: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("database") / "state.db"
    asyncio.run(Database.open(f"sqlite:///{path}", vault=Vault.new_key()).close())
    return path


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> Iterator[Database]:
    """An empty database of the current schema, in a file of its own."""
    path = shutil.copyfile(empty_database, tmp_path / "state.db")
    opened = Database.open(f"sqlite:///{path}", vault=Vault.new_key())
    yield opened
    asyncio.run(opened.close())
