"""When a job is due: cron expressions in a time zone, and Heroku Scheduler's three intervals, which are some of them.

Pure. A time is a wall clock's, so it moves with daylight saving; what that means is Debian's cron's answer
(docs/decisions/0140-cronsim-reads-cron-expressions.md):

- a time that the clocks skip in spring comes right after the gap,
- a time that comes twice in autumn counts once, the first time,
- what repeats within a day (a star in the minutes or hours) goes by real time, unmoved.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from homeport.errors import Invalid

_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = {
    "10m": "10m", "10 minutes": "10m", "10min": "10m",
    "hour": "hour", "1h": "hour", "60m": "hour", "hourly": "hour",
    "day": "day", "1d": "day", "24h": "day", "daily": "day",
}  # fmt: skip
_AT = re.compile(r"(?:([01]?[0-9]|2[0-3]))?:?([0-5][0-9])")
_DAILY = re.compile(r"([0-9]+) ([0-9]+) \* \* \*")
_HOURLY = re.compile(r"([0-9]+) \* \* \* \*")

_LONGEST = 200  # characters of an expression


@dataclass(frozen=True)
class Schedule:
    """A cron expression of five fields, known to be one, and the IANA time zone whose clock it goes by."""

    cron: str
    timezone: str = "UTC"

    def after(self, moment: datetime) -> Iterator[datetime]:
        """All times that are due after this one, in UTC, rising."""
        last = moment
        # cronsim may give a time twice around a change of clocks, or one of an hour that is over.
        for due in CronSim(self.cron, moment.astimezone(_zone(self.timezone))):
            at = due.astimezone(UTC)
            if at > last:
                last = at
                yield at

    def next(self, moment: datetime) -> datetime:
        """The first time after this one."""
        return next(self.after(moment))

    def __str__(self) -> str:
        """As Heroku Scheduler puts it where it can: `Daily at 4:30`, `Hourly at :30`, else the expression."""
        if self.cron == "*/10 * * * *":
            return "Every 10 minutes"
        if hourly := _HOURLY.fullmatch(self.cron):
            return f"Hourly at :{int(hourly[1]):02}"
        if daily := _DAILY.fullmatch(self.cron):
            return f"Daily at {int(daily[2]):02}:{int(daily[1]):02} {self.timezone}"
        return f"{self.cron} {self.timezone}"


def schedule(cron: str, timezone: str | None = None) -> Schedule:
    """From what somebody wrote. Raises `Invalid` (`schedule_invalid`, `timezone_unknown`)."""
    text = " ".join(cron.split())
    expression = _MACROS.get(text.lower(), text.upper())
    zone = _known(timezone or "UTC")
    if len(expression) > _LONGEST or len(expression.split()) != 5:
        raise _invalid(cron, "It has five fields: minute, hour, day of the month, month, day of the week.")
    try:
        never = next(iter(CronSim(expression, datetime(2000, 1, 1, tzinfo=UTC))), None) is None
    except CronSimError as error:
        raise _invalid(cron, f"{error}.") from error
    if never:
        raise _invalid(cron, "There is no such day.")
    return Schedule(expression, zone)


def every(interval: str, at: str | None = None, timezone: str | None = None) -> Schedule:
    """Heroku Scheduler's intervals: every 10 minutes, every hour at ":30", every day at "04:30".

    Raises `Invalid` (`schedule_invalid`, `timezone_unknown`).
    """
    kind = _EVERY.get(interval.strip().lower())
    if kind is None:
        raise Invalid(
            f"{interval[:40]!r} is no interval.",
            id="schedule_invalid",
            fix="Use 10m, hour or day. For anything else there are cron expressions: --cron '*/5 * * * *'.",
        )
    if kind == "10m":
        if at is not None:
            raise Invalid(
                "What runs every 10 minutes has no time of its own.",
                id="schedule_invalid",
                fix="Leave --at out, or say which minutes: --cron '5-59/10 * * * *'.",
            )
        return schedule("*/10 * * * *", timezone)
    hour, minute = _time(at or "00:00")
    if kind == "hour":
        if hour:
            raise Invalid(
                f"{at!r} is no minute of an hour.", id="schedule_invalid", fix="Name the minute alone: --at :30."
            )
        return schedule(f"{minute} * * * *", timezone)
    return schedule(f"{minute} {hour or 0} * * *", timezone)


def _time(at: str) -> tuple[int | None, int]:
    """Hour (None if only a minute is named) and minute."""
    found = _AT.fullmatch(at.strip())
    if found is None:
        raise Invalid(f"{at[:20]!r} is no time.", id="schedule_invalid", fix="Write it like 04:30, or :30 for an hour.")
    return int(found[1]) if found[1] else None, int(found[2])


def _invalid(cron: str, why: str) -> Invalid:
    return Invalid(
        f"{cron[:_LONGEST]!r} is no cron expression.",
        id="schedule_invalid",
        why=why,
        fix="Write one like '30 4 * * 1-5' (4:30 on weekdays) or '*/5 * * * *' (every five minutes).",
    )


def _known(name: str) -> str:
    try:
        return _zone(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            f"There is no time zone {name[:60]!r}.",
            id="timezone_unknown",
            fix="Use a name of the IANA database, such as Europe/Berlin, America/New_York or UTC.",
        ) from None


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
