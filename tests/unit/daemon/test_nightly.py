"""What the loop of daily backups does when it cannot know whether one is wished."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from homeport.backup import schedule
from homeport.backup.schedule import Schedule
from homeport.daemon import nightly
from homeport.home import Home


def test_an_unreadable_schedule_is_told_once_and_the_loop_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home(tmp_path)
    home.backups.mkdir()
    (home.backups / "schedule.json").write_text("{")
    looks: list[Home] = []
    enough = asyncio.Event()
    read = schedule.read

    def counting(asked: Home) -> Schedule | None:
        looks.append(asked)
        if len(looks) == 3:
            enough.set()
        return read(asked)

    async def run() -> None:
        loop = asyncio.create_task(nightly.back_up_nightly(home))
        async with asyncio.timeout(30):
            await enough.wait()
        assert not loop.done()
        loop.cancel()
        await asyncio.wait([loop])

    monkeypatch.setattr(nightly, "EVERY_SECONDS", 0)
    monkeypatch.setattr(schedule, "read", counting)
    with caplog.at_level(logging.ERROR, logger="homeport"):
        asyncio.run(run())
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert "homeport backups:schedule" in told[0]
