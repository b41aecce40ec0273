from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from homeport.logs import Logs
from homeport.scheduler import Scheduler, loop, turn
from homeport.scheduler.turn import Turn
from homeport.state import Database

SECONDS = 20.0


class Turns:
    """Stands for `turn.take`: keeps what it was told has changed."""

    def __init__(self) -> None:
        self.changed: list[Collection[str] | None] = []
        self.failing = 0
        self._taken = threading.Semaphore(0)

    def __call__(self, _session: Session, _now: datetime, changed: Collection[str] | None) -> Turn:
        self.changed.append(changed)
        self._taken.release()
        if self.failing:
            self.failing -= 1
            raise OSError("the disk is full")
        return Turn((), (), None)

    async def another(self) -> None:
        assert await asyncio.to_thread(self._taken.acquire, timeout=SECONDS)


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> Turns:
    found = Turns()
    monkeypatch.setattr(turn, "take", found)
    return found


def test_what_has_changed_is_not_forgotten_when_a_turn_fails(database: Database, tmp_path: Path, turns: Turns) -> None:
    async def scenario() -> None:
        scheduler = Scheduler(database, Logs(tmp_path))
        task = asyncio.create_task(scheduler.run())
        await turns.another()
        turns.failing = 1
        scheduler.wake("one")
        await turns.another()
        scheduler.wake("two")
        await turns.another()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())
    assert turns.changed == [None, {"one"}, {"one", "two"}]


def test_every_app_is_looked_at_however_often_somebody_wakes_us(
    database: Database, tmp_path: Path, turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LONGEST_SLEEP", 0.1)

    async def scenario() -> None:
        scheduler = Scheduler(database, Logs(tmp_path))
        task = asyncio.create_task(scheduler.run())
        async with asyncio.timeout(SECONDS):
            while turns.changed.count(None) < 3:
                scheduler.wake("busy")
                await asyncio.sleep(0.005)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())
    assert {"busy"} in turns.changed
