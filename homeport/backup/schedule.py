"""Backups that are made by themselves, once a day."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from homeport.backup.inventory import SCHEDULE
from homeport.errors import HomeportError, Invalid
from homeport.home import Home, sync_folder, write_whole

KEPT = 7
_LAST = "last.json"
_AT = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Schedule:
    """Every day `at` HH:MM, in the machine's own time zone, into the folder `to` (the usual one if None).

    `keep` backups stay in that folder. `since` is when this was said (ISO 8601).
    """

    at: str
    since: str
    keep: int = KEPT
    to: str | None = None
    passphrase_file: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How the last scheduled backup went: its file, or the id and the words of what kept it from being made."""

    started_at: str
    finished_at: str
    file: str | None = None
    error: str | None = None
    message: str | None = None


def parse_time(text: str) -> str:
    """`3:30` -> `03:30`. Raises `Invalid`."""
    found = _AT.fullmatch(text.strip())
    if found is None:
        raise Invalid(f"{text[:20]!r} is no time of the day.", fix="Say it as 03:30.")
    return f"{int(found[1]):02}:{found[2]}"


def due(schedule: Schedule, last: Outcome | None, now: datetime) -> bool:
    """Whether a backup is to be made now: none was begun since the last time that it should have been.

    `now` is aware, in the zone that the schedule is meant in. One that was missed, the machine being off, is made late.
    """
    hour, minute = map(int, schedule.at.split(":"))
    today = datetime.combine(now.date(), time(hour, minute), tzinfo=now.tzinfo)
    wanted = today if today <= now else today - timedelta(days=1)
    begun = max(filter(None, (schedule.since, last.started_at if last else None)), key=datetime.fromisoformat)
    return datetime.fromisoformat(begun) < wanted


def read(home: Home) -> Schedule | None:
    """None where there is none.

    Raises `HomeportError` (`backup_schedule_unreadable`): backups must not stop silently.
    """
    path = home.backups / SCHEDULE
    try:
        return _checked(Schedule(**json.loads(path.read_text())))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, Invalid) as error:
        raise HomeportError(
            "backup_schedule_unreadable",
            "The schedule of the daily backups cannot be read, so none are made.",
            why=f"{path}: {error}",
            fix="Say it again: homeport backups:schedule --at 03:30\nOr have none: homeport backups:unschedule",
        ) from error


def write(home: Home, schedule: Schedule) -> None:
    _write(home.backups / SCHEDULE, asdict(schedule))


def remove(home: Home) -> bool:
    """False if there was none."""
    path = home.backups / SCHEDULE
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


def last(home: Home) -> Outcome | None:
    """None where there is none, or none that can be read: that costs one backup too many, and not one too few."""
    try:
        outcome = Outcome(**json.loads((home.backups / _LAST).read_text()))
        _moment(outcome.started_at)
    except (OSError, ValueError, TypeError):
        return None
    return outcome


def warnings(home: Home) -> list[str]:
    """What is wrong with the backups that should be made by themselves, each as a text for people."""
    try:
        planned = read(home)
    except HomeportError as error:
        return [error.message]
    outcome = last(home)
    if planned is None or outcome is None or outcome.error is None:
        return []
    return [f"The last scheduled backup, of {outcome.started_at}, failed: {outcome.message}"]


def remember(home: Home, outcome: Outcome) -> None:
    _write(home.backups / _LAST, asdict(outcome))


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _checked(schedule: Schedule) -> Schedule:
    """What a file says may be of any type. Raises ValueError, TypeError, `Invalid`."""
    parse_time(str(schedule.at))
    _moment(schedule.since)
    if type(schedule.keep) is not int or schedule.keep < 1:
        raise ValueError(f"{schedule.keep!r} backups cannot be kept")
    if not all(path is None or isinstance(path, str) for path in (schedule.to, schedule.passphrase_file)):
        raise TypeError("a path must be a text")
    return schedule


def _moment(text: str) -> None:
    if datetime.fromisoformat(text).tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")


def _write(path: Path, fields: object) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, json.dumps(fields, indent=1) + "\n")
    sync_folder(path.parent)
