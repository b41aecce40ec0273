"""Writing events down: many in one transaction, each into its issue."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from homeport.tracker import frames, grouping, reading
from homeport.tracker.events import Event, Source
from homeport.tracker.hidden import NOTHING, Hidden
from homeport.tracker.schema import transaction
from homeport.tracker.scrubbing import scrub, scrub_text

WHOLE_PER_HOUR = 100
"""Of one issue; of those that follow in the hour, one every PAUSE_SECONDS is kept whole. All are counted."""
PAUSE_SECONDS = 5.0

MOST_USERS = 10_000
"""Of one issue that are told apart."""
MOST_VALUES = 200
"""Releases, and environments, of one issue."""

SAME_CRASH_SECONDS = 60.0
"""A traceback in the log is the one that the SDK has sent if that came so shortly before or after."""


@dataclass(frozen=True)
class Arrival:
    """An event and the JSON it was read from."""

    event: Event
    raw: Mapping[str, Any]


@dataclass(frozen=True)
class Position:
    """How far an app's log was read; remembered together with what was found up to there."""

    app: str
    seq: int


def record(
    connection: sqlite3.Connection,
    arrivals: Sequence[Arrival],
    *,
    hidden: Hidden = NOTHING,
    tallies: Mapping[str, int] | None = None,
    position: Position | None = None,
    now: float,
) -> int:
    """Write all of it in one transaction; returns how many events are new. Raises `sqlite3.Error`: then nothing is
    written."""
    with transaction(connection):
        salt = connection.execute("SELECT value FROM facts WHERE name = 'salt'").fetchone()[0]
        writer = _Writer(connection, hidden, str(salt))
        new = sum(writer.write(arrival) for arrival in arrivals)
        for category, count in (tallies or {}).items():
            _count(connection, category, count, now)
        if position is not None:
            _remember(connection, f"log:{position.app}", str(position.seq))
    return new


def position(connection: sqlite3.Connection, app: str) -> int | None:
    """How far an app's log was read; None if never."""
    row = connection.execute("SELECT value FROM facts WHERE name = ?", (f"log:{app}",)).fetchone()
    return int(row[0]) if row else None


def forget_positions(connection: sqlite3.Connection, keep: Iterable[str]) -> None:
    """Of apps that are not attached any more: should they come back, their old lines are none of its business."""
    kept = {f"log:{app}" for app in keep}
    names = [row[0] for row in connection.execute("SELECT name FROM facts WHERE name LIKE 'log:%'")]
    for name in names:
        if name not in kept:
            connection.execute("DELETE FROM facts WHERE name = ?", (name,))


class _Writer:
    def __init__(self, connection: sqlite3.Connection, hidden: Hidden, salt: str) -> None:
        self._execute: Callable[..., sqlite3.Cursor] = connection.execute
        self._hidden = hidden
        self._salt = salt

    def write(self, arrival: Arrival) -> bool:
        """False for one that is there already: sent again, or printed by an app that has also sent it."""
        event = arrival.event
        if self._is_known(event):
            return False
        release, environment = (self._safe(value) for value in (event.release, event.environment))
        issue = self._issue(event, release)
        hour, kept_at = self._count(issue, event)
        if hour <= WHOLE_PER_HOUR or not 0 <= event.at - kept_at < PAUSE_SECONDS:
            self._keep(issue, arrival, release, environment)
        for kind, value in (("release", release), ("version", event.version), ("environment", environment)):
            if value:
                self._note(issue, kind, value, event.at)
        if event.user:
            self._affect(issue, event.user)
        return True

    def _is_known(self, event: Event) -> bool:
        if self._execute("SELECT 1 FROM events WHERE event_id = ?", (event.id,)).fetchone():
            return True
        if not event.signature:
            return False
        if event.source is Source.SDK:
            self._execute(
                "INSERT INTO crashes VALUES (?, ?) ON CONFLICT DO UPDATE SET at = max(at, excluded.at)",
                (event.signature, event.at),
            )
            return False
        since = event.at - SAME_CRASH_SECONDS
        known = "SELECT 1 FROM crashes WHERE signature = ? AND at >= ?"
        return self._execute(known, (event.signature, since)).fetchone() is not None

    def _issue(self, event: Event, release: str) -> int:
        digest = grouping.digest(event)
        row = self._execute("SELECT id, status FROM issues WHERE digest = ?", (digest,)).fetchone()
        if row is None:
            return self._open(digest, event, release)
        issue, status = int(row[0]), str(row[1])
        self._execute(
            "UPDATE issues SET count = count + 1, last_seen = max(last_seen, ?), first_seen = min(first_seen, ?), "
            "level = ?, last_release = coalesce(nullif(?, ''), last_release) WHERE id = ?",
            (event.at, event.at, event.level, event.version or release, issue),
        )
        if status == "resolved":
            self._reopen(issue, event, release)
        return issue

    def _open(self, digest: bytes, event: Event, release: str) -> int:
        culprit = event.culprit
        cursor = self._execute(
            "INSERT INTO issues (digest, type, text, file, line, function, level, logger, source, count, first_seen, "
            "last_seen, first_release, last_release) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?)",
            (
                digest,
                self._safe(event.type),
                reading.line(self._safe(event.text.strip()), 500),
                reading.line(frames.shown(culprit.file), 300) if culprit else "",
                culprit.line if culprit else 0,
                reading.line(culprit.function, 200) if culprit else event.transaction,
                event.level,
                event.logger,
                event.source.value,
                event.at,
                event.at,
                event.version or release,
                event.version or release,
            ),
        )
        assert cursor.lastrowid is not None  # noqa: S101 - a row was inserted
        return cursor.lastrowid

    def _reopen(self, issue: int, event: Event, release: str) -> None:
        """It is back after it was resolved, unless this is the old code that still runs."""
        row = self._execute("SELECT resolved_at, resolved_known FROM issues WHERE id = ?", (issue,)).fetchone()
        if row[1] is None:
            is_back = event.at > row[0]
        else:
            known = json.loads(row[1])
            said = {value for value in (release, event.version) if value}
            is_back = event.at > row[0] and not said & set(known)
        if is_back:
            self._execute(
                "UPDATE issues SET status = 'unresolved', regressed_at = ?, resolved_at = NULL, resolved_known = NULL "
                "WHERE id = ?",
                (event.at, issue),
            )

    def _count(self, issue: int, event: Event) -> tuple[int, float]:
        """How many there were in this hour, and when one was last kept whole."""
        hour, day = int(event.at // 3600), int(event.at // 86400)
        row = self._execute(
            "INSERT INTO hours VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1 RETURNING count",
            (issue, hour),
        ).fetchone()
        self._execute("INSERT INTO days VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1", (issue, day))
        kept = self._execute("SELECT kept_at FROM issues WHERE id = ?", (issue,)).fetchone()
        return int(row[0]), float(kept[0])

    def _keep(self, issue: int, arrival: Arrival, release: str, environment: str) -> None:
        event = arrival.event
        body = json.dumps(scrub(_complete(arrival), self._hidden), ensure_ascii=False, separators=(",", ":"))
        self._execute(
            "INSERT INTO events (event_id, issue, at, source, release, version, environment, body) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                event.id,
                issue,
                event.at,
                event.source.value,
                release,
                event.version,
                environment,
                zlib.compress(body.encode("utf-8", "replace"), 1),
            ),
        )
        self._execute("UPDATE issues SET kept_at = ? WHERE id = ?", (event.at, issue))

    def _note(self, issue: int, kind: str, value: str, at: float) -> None:
        changed = self._execute(
            "UPDATE facets SET count = count + 1, last_seen = max(last_seen, ?) "
            "WHERE issue = ? AND kind = ? AND value = ?",
            (at, issue, kind, value),
        ).rowcount
        if not changed:
            self._execute(
                "INSERT INTO facets SELECT ?, ?, ?, 1, ?, ? "
                "WHERE (SELECT count(*) FROM facets WHERE issue = ? AND kind = ?) < ?",
                (issue, kind, value, at, at, issue, kind, MOST_VALUES),
            )

    def _affect(self, issue: int, user: str) -> None:
        """Count whom it met; who that was is not kept."""
        known = hashlib.sha256(f"{self._salt}{user}".encode("utf-8", "replace")).digest()[:8]
        added = self._execute(
            "INSERT OR IGNORE INTO users SELECT ?, ? WHERE (SELECT users FROM issues WHERE id = ?) < ?",
            (issue, known, issue, MOST_USERS),
        ).rowcount
        if added:
            self._execute("UPDATE issues SET users = users + 1 WHERE id = ?", (issue,))

    def _safe(self, text: str) -> str:
        return scrub_text(text, self._hidden) if text else ""


def _complete(arrival: Arrival) -> Mapping[str, Any]:
    """The JSON with its message filled in, which old SDKs leave to the server."""
    entry = arrival.raw.get("logentry")
    if not isinstance(entry, dict) or entry.get("formatted"):
        return arrival.raw
    return {**arrival.raw, "logentry": {**entry, "formatted": arrival.event.message}}


def _count(connection: sqlite3.Connection, category: str, count: int, now: float) -> None:
    connection.execute(
        "INSERT INTO tallies VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
        (int(now // 86400), category, count),
    )


def _remember(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute(
        "INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", (name, value)
    )
