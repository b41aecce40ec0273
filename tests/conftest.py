"""What every height of tests shares."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from homeport.config import Vault
from homeport.state import Database

# A time limit per example would fail on a loaded machine and nowhere else.
settings.register_profile("homeport", deadline=None)
settings.load_profile("homeport")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """An empty database of the current schema, in a file of its own."""
    opened = Database.open(f"sqlite:///{tmp_path / 'state.db'}", vault=Vault.new_key())
    yield opened
    asyncio.run(opened.close())
