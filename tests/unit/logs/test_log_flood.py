"""How much may come in, and how what did not is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from homeport.logs.flood import Bucket, Drops, tail_notice

START = datetime(2026, 1, 1, tzinfo=UTC)


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def test_a_burst_and_then_the_rate() -> None:
    bucket = Bucket(100, START)
    assert bucket.admit([10] * 500, START) == 100
    assert bucket.admit([10] * 500, START) == 0
    assert bucket.admit([10] * 500, later(0.25)) == 25
    assert bucket.admit([10] * 500, later(60)) == 100  # quiet minutes save up one second's worth, not more


def test_long_lines_cost_more() -> None:
    bucket = Bucket(100, START)
    assert bucket.admit([10_000] * 500, START) == 10  # eleven tokens each; the last one on credit
    assert bucket.admit([10], later(0.05)) == 0
    assert bucket.admit([10], later(0.2)) == 1


def test_a_huge_line_comes_in_and_is_paid_for_afterwards() -> None:
    bucket = Bucket(100, START)
    assert bucket.admit([10**9], START) == 1
    assert bucket.admit([1], later(9)) == 0  # charged like the megabyte that is looked at, not like a gigabyte
    assert bucket.admit([1], later(9.5)) == 1


def test_a_clock_that_is_set_back_does_not_close_the_door() -> None:
    bucket = Bucket(100, START)
    bucket.admit([1] * 100, START)
    assert bucket.admit([1], later(-3600)) == 0
    assert bucket.admit([1] * 50, later(-3599.5)) == 50


def test_drops_are_said_at_most_once_a_second() -> None:
    drops = Drops()
    assert not drops.due(START)
    drops.add(3, since=START)
    assert drops.due(START)
    said = "Error L10 (output buffer overflow): 3 messages dropped since 2026-01-01T00:00:00.000000+00:00."
    assert drops.say(later(0.1)) == said
    drops.add(2, since=later(0.2))
    drops.add(2, since=later(0.3))
    assert not drops.due(later(1.0))
    assert drops.due(later(1.1))
    assert "4 messages dropped since 2026-01-01T00:00:00.200000" in drops.say(later(1.1))
    assert not drops.pending


def test_drops_are_said_when_the_clock_was_set_back() -> None:
    drops = Drops()
    drops.add(1, since=START)
    drops.say(START)
    drops.add(1, since=START)
    assert drops.due(later(-100))


def test_a_filtering_tail_is_not_told_more_than_is_known() -> None:
    assert "dropped 5 messages since" in tail_notice(5, START, exact=True)
    assert "dropped up to 5 messages since" in tail_notice(5, START, exact=False)
