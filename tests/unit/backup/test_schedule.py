"""When a daily backup is due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from homeport.backup import Outcome, Schedule, schedule
from homeport.errors import HomeportError, Invalid
from homeport.home import Home

PLANNED = Schedule(at="03:30", since="2026-01-01T12:00:00+00:00")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def begun(text: str) -> Outcome:
    return Outcome(at(text).isoformat(), at(text).isoformat())


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        ("2026-01-01T13:00", None, False),  # said at noon: tomorrow is the first
        ("2026-01-02T03:29", None, False),
        ("2026-01-02T03:30", None, True),
        ("2026-01-02T23:59", None, True),  # the machine was off: late, and not never
        ("2026-01-02T04:00", "2026-01-02T03:30", False),
        ("2026-01-03T03:29", "2026-01-02T03:30", False),
        ("2026-01-03T03:30", "2026-01-02T03:30", True),
        ("2026-01-09T01:00", "2026-01-02T03:30", True),
        ("2026-01-03T03:30", "2026-01-02T22:00", True),  # yesterday's was late
    ],
)
def test_once_a_day(now: str, last: str | None, expected: bool) -> None:
    assert schedule.due(PLANNED, begun(last) if last else None, at(now)) is expected


def test_the_hour_is_that_of_the_machine() -> None:
    berlin = timezone(timedelta(hours=2))
    assert not schedule.due(PLANNED, None, datetime(2026, 1, 2, 3, 29, tzinfo=berlin))
    assert schedule.due(PLANNED, None, datetime(2026, 1, 2, 3, 30, tzinfo=berlin))


@pytest.mark.parametrize(("typed", "meant"), [("3:30", "03:30"), ("03:30", "03:30"), ("23:59", "23:59")])
def test_times_of_the_day(typed: str, meant: str) -> None:
    assert schedule.parse_time(typed) == meant


@pytest.mark.parametrize("typed", ["", "24:00", "3", "3:60", "half past", "03:30:00"])
def test_what_is_no_time_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        schedule.parse_time(typed)


def test_it_is_remembered(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert schedule.read(home) is None
    assert schedule.last(home) is None
    assert not schedule.remove(home)
    schedule.write(home, PLANNED)
    schedule.remember(home, begun("2026-01-02T03:30"))
    assert schedule.read(home) == PLANNED
    assert schedule.last(home) == begun("2026-01-02T03:30")
    assert schedule.remove(home)
    assert schedule.read(home) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        "{",
        "\0",
        '{"at": "03:30"}',
        '{"at": "03:30", "since": "2026-01-01T12:00:00+00:00", "what": 1}',
        '{"at": "25:00", "since": "2026-01-01T12:00:00+00:00"}',
        '{"at": 3, "since": "2026-01-01T12:00:00+00:00"}',
        '{"at": "03:30", "since": "yesterday"}',
        '{"at": "03:30", "since": "2026-01-01T12:00:00"}',
        '{"at": "03:30", "since": "2026-01-01T12:00:00+00:00", "keep": 0}',
        '{"at": "03:30", "since": "2026-01-01T12:00:00+00:00", "to": 7}',
    ],
)
def test_a_schedule_that_cannot_be_read_is_not_taken_for_none(text: str, tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.backups.mkdir()
    (home.backups / "schedule.json").write_text(text)
    with pytest.raises(HomeportError) as refused:
        schedule.read(home)
    assert refused.value.id == "backup_schedule_unreadable"
    assert schedule.warnings(home) == [refused.value.message]
    schedule.write(home, PLANNED)
    assert schedule.read(home) == PLANNED
    assert schedule.warnings(home) == []


@pytest.mark.parametrize("text", ["", "[]", "{", '{"started_at": 1, "finished_at": 1}'])
def test_an_outcome_that_cannot_be_read_counts_as_none(text: str, tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.backups.mkdir()
    (home.backups / "last.json").write_text(text)
    assert schedule.last(home) is None


def test_a_backup_that_failed_is_warned_of_while_there_is_a_schedule(tmp_path: Path) -> None:
    home = Home(tmp_path)
    moment = at("2026-01-02T03:30").isoformat()
    schedule.remember(home, Outcome(moment, moment, error="backup_failed", message="The disk is full."))
    assert schedule.warnings(home) == []
    schedule.write(home, PLANNED)
    assert schedule.warnings(home) == [f"The last scheduled backup, of {moment}, failed: The disk is full."]
