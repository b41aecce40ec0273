"""What unit tests share: their database is emptied between them, not opened anew."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeport.config import Vault
from homeport.state import Database


@pytest.fixture(scope="session")
def open_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Database]]:
    path = tmp_path_factory.mktemp("unit") / "state.db"
    opened = Database.open(f"sqlite:///{path}", vault=Vault.new_key())
    yield path, opened
    asyncio.run(opened.close())


@pytest.fixture
def database(open_database: tuple[Path, Database], empty_database: Path) -> Database:
    """Empty, of the current schema. One engine for all: it keeps the statements that it has compiled, which takes
    longer than most tests do."""
    path, opened = open_database
    with (
        contextlib.closing(sqlite3.connect(empty_database)) as empty,
        contextlib.closing(sqlite3.connect(path)) as used,
    ):
        used.execute("PRAGMA synchronous = OFF")  # no disk needs to be waited for
        empty.backup(used)
    opened.on_touch = None
    return opened
