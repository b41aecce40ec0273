"""When jobs are due: cron expressions, Heroku's intervals, changes of clocks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import Invalid
from homeport.scheduler import Schedule, every, schedule

BERLIN = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def times(of: Schedule, after: str, count: int = 3) -> list[str]:
    return [at.strftime("%m-%d %H:%M") for at in islice(of.after(utc(after)), count)]


def test_heroku_schedulers_intervals() -> None:
    assert every("10m") == Schedule("*/10 * * * *")
    assert every("hour", ":30") == every("1h", "30") == Schedule("30 * * * *")
    assert every("hour") == Schedule("0 * * * *")
    assert every("day", "04:30") == every("daily", "4:30") == Schedule("30 4 * * *")
    assert every("day", "4:30", BERLIN) == Schedule("30 4 * * *", BERLIN)
    assert [str(every("10 minutes")), str(every("hour", ":05")), str(every("day", "04:30"))] == [
        "Every 10 minutes",
        "Hourly at :05",
        "Daily at 04:30 UTC",
    ]


def test_cron_expressions_and_their_short_names() -> None:
    assert schedule("  30 4\t* * mon-fri ") == Schedule("30 4 * * MON-FRI")
    assert schedule("@daily") == Schedule("0 0 * * *")
    assert schedule("@Hourly", BERLIN) == Schedule("0 * * * *", BERLIN)
    assert str(schedule("*/5 8-18 * * 1-5", BERLIN)) == "*/5 8-18 * * 1-5 Europe/Berlin"
    assert times(schedule("0 12 29 2 *"), "2026-01-01", 1) == ["02-29 12:00"]


@pytest.mark.parametrize(
    "cron",
    ["", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "@reboot", "every day", "* * * * *\0", "0 " * 200],
)
def test_what_is_no_expression_is_refused(cron: str) -> None:
    with pytest.raises(Invalid) as refused:
        schedule(cron)
    assert refused.value.id == "schedule_invalid"


@pytest.mark.parametrize(
    ("interval", "at"), [("5m", None), ("10m", ":05"), ("hour", "04:30"), ("day", "25:00"), ("day", "x")]
)
def test_what_is_no_interval_is_refused(interval: str, at: str | None) -> None:
    with pytest.raises(Invalid) as refused:
        every(interval, at)
    assert refused.value.id == "schedule_invalid"


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "../../etc/passwd", "Europe", "/etc/passwd", "\0"])
def test_what_is_no_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(Invalid) as refused:
        schedule("@daily", zone)
    assert refused.value.id == "timezone_unknown"


def test_a_wall_clocks_time_moves_with_daylight_saving() -> None:
    # 4:30 in Berlin is 3:30 UTC in winter, 2:30 in summer. The clocks change on 29 March 2026 and 25 October 2026.
    assert times(every("day", "04:30", BERLIN), "2026-03-27T12:00", 3) == ["03-28 03:30", "03-29 02:30", "03-30 02:30"]


def test_a_time_that_the_clocks_skip_comes_right_after_the_gap() -> None:
    # There is no 2:30 on 29 March: 3:00 summer time is 1:00 UTC.
    assert times(schedule("30 2 * * *", BERLIN), "2026-03-28T12:00", 2) == ["03-29 01:00", "03-30 00:30"]


def test_two_times_in_the_gap_are_one() -> None:
    assert times(schedule("15,45 2 * * *", BERLIN), "2026-03-28T12:00", 3) == [
        "03-29 01:00",
        "03-30 00:15",
        "03-30 00:45",
    ]


def test_a_time_that_comes_twice_counts_once_the_first_time() -> None:
    # 2:30 comes at 0:30 UTC and again at 1:30 UTC.
    assert times(schedule("30 2 * * *", BERLIN), "2026-10-24T12:00", 2) == ["10-25 00:30", "10-26 01:30"]
    assert times(schedule("30 2 * * *", BERLIN), "2026-10-25T00:30", 1) == ["10-26 01:30"]
    assert times(schedule("50 2 * * *", BERLIN), "2026-10-25T01:10", 1) == ["10-26 01:50"]  # within the second one


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_what_repeats_within_the_day_goes_by_real_time(day: str) -> None:
    halves = list(islice(schedule("*/30 * * * *", BERLIN).after(utc(f"{day}T00:00")), 6))
    assert {later - earlier for earlier, later in pairwise(halves)} == {timedelta(minutes=30)}


@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]),
    start=st.datetimes(datetime(2010, 1, 1), datetime(2035, 1, 1)),
)
def test_a_daily_job_runs_once_on_every_day_that_its_clock_has(
    minute: int, hour: int, zone: str, start: datetime
) -> None:
    found = list(islice(schedule(f"{minute} {hour} * * *", zone).after(start.replace(tzinfo=UTC)), 5))
    assert found == sorted(set(found))
    assert found[0] > start.replace(tzinfo=UTC)
    days = [at.astimezone(ZoneInfo(zone)).date() for at in found]
    # Apia left 30 December 2011 out.
    assert all((later - earlier).days in (1, 2) for earlier, later in pairwise(days))
