"""What is decided about a job at some moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from homeport.scheduler import Overlap, schedule
from homeport.scheduler.due import LATEST, MOST_COUNTED, PROMPT, Busy, Decision, Missed, Start, decide

NIGHTLY = schedule("30 4 * * *")
MINUTELY = schedule("* * * * *")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at_night(day: int) -> datetime:
    return utc(f"2026-01-{day:02}T04:30")


def test_nothing_before_its_time() -> None:
    assert decide(NIGHTLY, at_night(2), at_night(2) - timedelta(microseconds=1)) is None


def test_at_its_time_it_starts() -> None:
    assert decide(NIGHTLY, at_night(2), at_night(2)) == Decision(at_night(2), Start.NOW, None, at_night(3))


def test_after_a_short_absence_it_runs_late() -> None:
    assert decide(NIGHTLY, at_night(2), utc("2026-01-02T20:00")) == Decision(at_night(2), Start.NOW, None, at_night(3))


def test_after_a_long_absence_only_the_last_time_is_run() -> None:
    decided = decide(NIGHTLY, at_night(2), utc("2026-01-05T08:00"))
    assert decided == Decision(at_night(5), Start.NOW, Missed(3, at_night(2), at_night(4)), at_night(6))


def test_one_missed_time() -> None:
    decided = decide(NIGHTLY, at_night(2), at_night(3))
    assert decided == Decision(at_night(3), Start.NOW, Missed(1, at_night(2), at_night(2)), at_night(4))


def test_what_is_later_than_its_grace_is_missed_too() -> None:
    decided = decide(NIGHTLY, at_night(2), utc("2026-01-03T08:00"), grace=timedelta(hours=2))
    assert decided == Decision(at_night(3), Start.MISS, Missed(2, at_night(2), at_night(3)), at_night(4))
    within = decide(NIGHTLY, at_night(2), utc("2026-01-03T06:29"), grace=timedelta(hours=2))
    assert within is not None
    assert within.start is Start.NOW


def test_no_grace_still_forgives_a_busy_moment() -> None:
    for late, start in ((PROMPT, Start.NOW), (PROMPT + timedelta(seconds=1), Start.MISS)):
        decided = decide(NIGHTLY, at_night(2), at_night(2) + late, grace=timedelta(0))
        assert decided is not None
        assert decided.start is start


def test_a_rare_job_does_not_begin_days_late() -> None:
    monthly = schedule("0 0 1 * *")
    for late, start in ((LATEST, Start.NOW), (LATEST + timedelta(seconds=1), Start.MISS)):
        decided = decide(monthly, utc("2026-01-01"), utc("2026-01-01") + late)
        assert decided is not None
        assert (decided.start, decided.next_at) == (start, utc("2026-02-01"))


def test_a_year_of_minutes_is_looked_through_at_once() -> None:
    decided = decide(MINUTELY, utc("2026-01-01"), utc("2027-01-01T00:00:30"))
    assert decided is not None
    assert decided.due == utc("2027-01-01")
    assert decided.missed == Missed(MOST_COUNTED, utc("2026-01-01"), utc("2026-12-31T23:59"))


def test_a_clock_that_was_set_back_repeats_nothing() -> None:
    decided = decide(MINUTELY, utc("2026-01-01T12:00"), utc("2026-01-01T12:00:05"))
    assert decided is not None
    assert decide(MINUTELY, decided.next_at, utc("2026-01-01T11:00")) is None


@pytest.mark.parametrize(
    ("overlap", "busy", "start"),
    [
        (Overlap.SKIP, Busy(), Start.NOW),
        (Overlap.SKIP, Busy(running=1), Start.SKIP),
        (Overlap.WAIT, Busy(running=1), Start.WAIT),
        (Overlap.WAIT, Busy(running=1, waiting=1), Start.SKIP),
        (Overlap.WAIT, Busy(), Start.NOW),
        (Overlap.ALLOW, Busy(running=3), Start.NOW),
    ],
)
def test_overlaps(overlap: Overlap, busy: Busy, start: Start) -> None:
    decided = decide(MINUTELY, utc("2026-01-01"), utc("2026-01-01"), overlap=overlap, busy=busy)
    assert decided is not None
    assert decided.start is start
