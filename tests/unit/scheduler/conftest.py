from __future__ import annotations

import pytest

from homeport.state import Database
from tests.unit.scheduler.scene import Scene


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)
