"""Issues as people see them: found, looked at, resolved, ignored, opened again."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from homeport.errors import NotFound, Unavailable
from homeport.tracker import schema, search
from homeport.tracker.retention import HOURS_KEPT

MOST_LISTED = 1_000
DAYS_SHOWN = 90


class Status(Enum):
    """What somebody has said of an issue."""

    UNRESOLVED = "unresolved"
    RESOLVED = "resolved"
    """Mended: its next event makes it unresolved again, a regression."""
    IGNORED = "ignored"
    """Known and accepted; counted, and not shown unless asked for."""


@dataclass(frozen=True)
class Issue:
    """Times in seconds since 1970. `hours` are counts of the last 24 hours, the oldest first."""

    number: int
    type: str
    text: str
    file: str
    line: int
    function: str
    level: str
    logger: str
    source: str
    status: Status
    regressed_at: float | None
    resolved_at: float | None
    in_next_release: bool
    count: int
    users: int
    first_seen: float
    last_seen: float
    first_release: str
    last_release: str
    hours: tuple[int, ...]


@dataclass(frozen=True)
class Facet:
    """A release or an environment in which an issue was seen."""

    value: str
    count: int
    first_seen: float
    last_seen: float


@dataclass(frozen=True)
class Kept:
    """An event that is kept whole: the JSON that the app sent, scrubbed."""

    number: int
    id: str
    at: float
    source: str
    release: str
    version: str
    environment: str
    raw: dict[str, Any]


@dataclass(frozen=True)
class Detail:
    """`days` and `hours` are (seconds since 1970, count) of those in which there were any."""

    issue: Issue
    kept: int
    hours: tuple[tuple[int, int], ...]
    days: tuple[tuple[int, int], ...]
    facets: dict[str, list[Facet]]
    latest: Kept | None


class Issues:
    """Those of one add-on. Each method opens the database for itself, and may be called from any thread.

    All raise `Unavailable` if it can't be read.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def search(self, query: str, now: float, *, limit: int = MOST_LISTED) -> list[Issue]:
        """Those that all words of the query hold for, the last seen first. Raises `Invalid`."""
        wanted = search.condition(query)
        with self._open() as connection:
            rows = connection.execute(
                f"SELECT * FROM issues WHERE {wanted.sql} ORDER BY last_seen DESC, id DESC LIMIT ?",  # noqa: S608
                (*wanted.values, limit),
            ).fetchall()
            return _issues(connection, rows, now)

    def detail(self, number: int, now: float) -> Detail:
        """Raises `NotFound`."""
        with self._open() as connection:
            row = _row(connection, number)
            (issue,) = _issues(connection, [row], now)
            since = int(now // 3600) - HOURS_KEPT
            ask = connection.execute
            hours = ask("SELECT hour, count FROM hours WHERE issue = ? AND hour > ? ORDER BY hour", (number, since))
            days = ask(
                "SELECT day, count FROM days WHERE issue = ? AND day > ? ORDER BY day",
                (number, int(now // 86400) - DAYS_SHOWN),
            )
            kept = ask("SELECT count(*) FROM events WHERE issue = ?", (number,)).fetchone()[0]
            latest = ask("SELECT * FROM events WHERE issue = ? ORDER BY at DESC, id DESC LIMIT 1", (number,)).fetchone()
            return Detail(
                issue,
                kept,
                tuple((hour * 3600, count) for hour, count in hours),
                tuple((day * 86400, count) for day, count in days),
                _facets(connection, number),
                _kept(latest) if latest is not None else None,
            )

    def events(self, number: int, *, limit: int = MOST_LISTED) -> list[Kept]:
        """The newest that are kept, the newest first. Raises `NotFound`."""
        with self._open() as connection:
            _row(connection, number)
            rows = connection.execute(
                "SELECT * FROM events WHERE issue = ? ORDER BY at DESC, id DESC LIMIT ?", (number, limit)
            )
            return [_kept(row) for row in rows]

    def event(self, number: int, id: str) -> Kept:
        """Raises `NotFound`."""
        with self._open() as connection:
            row = connection.execute(
                "SELECT * FROM events WHERE issue = ? AND event_id = ?", (number, id.replace("-", "").lower())
            ).fetchone()
            if row is None:
                raise NotFound("event", "Couldn't find that event.", fix="Old events are deleted; the counts stay.")
            return _kept(row)

    def judge(self, numbers: Sequence[int], status: Status, now: float, *, in_next_release: bool = False) -> None:
        """Say what is to become of issues. Raises `NotFound`, and then nothing has changed.

        Resolved `in_next_release`, an issue stays so while events come from releases that were seen up to now.
        """
        with self._open() as connection, schema.transaction(connection):
            for number in numbers:
                _row(connection, number)
                resolved = status is Status.RESOLVED
                connection.execute(
                    "UPDATE issues SET status = ?, resolved_at = ?, resolved_known = ?, regressed_at = NULL "
                    "WHERE id = ?",
                    (
                        status.value,
                        now if resolved else None,
                        json.dumps(_releases(connection)) if resolved and in_next_release else None,
                        number,
                    ),
                )

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(schema.connect(self._folder)) as connection:
                yield connection
        except (sqlite3.Error, FileNotFoundError) as error:
            raise Unavailable(
                "The issues can't be read or written now.",
                id="tracker_unavailable",
                why="The database does not open." if isinstance(error, OSError) else f"SQLite says: {error}.",
                fix="If the disk is full, make room. Else try again in a moment.",
            ) from None


def _row(connection: sqlite3.Connection, number: int) -> sqlite3.Row:
    row: sqlite3.Row | None = connection.execute("SELECT * FROM issues WHERE id = ?", (number,)).fetchone()
    if row is None:
        raise NotFound("issue", "Couldn't find that issue.", fix="See all of them: `homeport errors --all`.")
    return row


def _issues(connection: sqlite3.Connection, rows: Sequence[sqlite3.Row], now: float) -> list[Issue]:
    this_hour = int(now // 3600)
    counts: dict[int, dict[int, int]] = {row["id"]: {} for row in rows}
    question = "SELECT issue, hour, count FROM hours WHERE issue = ? AND hour > ?"
    for number in counts:
        for issue, hour, count in connection.execute(question, (number, this_hour - 24)):
            counts[issue][hour] = count
    return [
        Issue(
            number=row["id"],
            status=Status(row["status"]),
            in_next_release=row["resolved_known"] is not None,
            hours=tuple(counts[row["id"]].get(hour, 0) for hour in range(this_hour - 23, this_hour + 1)),
            **{name: row[name] for name in _COPIED},
        )
        for row in rows
    ]


_COPIED = """
    type text file line function level logger source regressed_at resolved_at count users first_seen last_seen
    first_release last_release
""".split()


def _facets(connection: sqlite3.Connection, number: int) -> dict[str, list[Facet]]:
    found: dict[str, list[Facet]] = {"release": [], "version": [], "environment": []}
    question = "SELECT kind, value, count, first_seen, last_seen FROM facets WHERE issue = ? ORDER BY last_seen DESC"
    for kind, *values in connection.execute(question, (number,)):
        found.setdefault(kind, []).append(Facet(*values))
    return found


def _releases(connection: sqlite3.Connection) -> list[str]:
    """All that any issue was seen in."""
    question = "SELECT DISTINCT value FROM facets WHERE kind IN ('release', 'version') ORDER BY value"
    return [row[0] for row in connection.execute(question)]


def _kept(row: sqlite3.Row) -> Kept:
    raw = json.loads(zlib.decompress(row["body"]))
    copied = {name: row[name] for name in ("at", "source", "release", "version", "environment")}
    return Kept(number=row["id"], id=row["event_id"], raw=raw, **copied)
