"""What is kept for how long. Events go, the oldest first; the counts of their issues stay."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from homeport.tracker.schema import transaction

HOURS_KEPT = 30 * 24
"""Hours that are told apart in an issue's counts; days are for as long as the issue is there."""
CRASHES_KEPT = 3600.0
ISSUE_DAYS = 365
MOST_ISSUES = 10_000
AT_ONCE = 5_000
"""Rows in one transaction: whoever else writes waits for it."""


@dataclass(frozen=True)
class Retention:
    """`events` of the add-on in all, `per_issue` of one issue, none older than `days`; `bytes` is the file's size."""

    events: int
    per_issue: int = 200
    days: int = 90
    bytes: int = 2 * 1024**3


def prune(connection: sqlite3.Connection, keep: Retention, now: float) -> int:
    """Delete what is too much; returns how many events went."""
    gone = 0
    while True:
        with transaction(connection):
            found = _too_many(connection, keep, now)
            connection.executemany("DELETE FROM events WHERE id = ?", ((number,) for number in found))
        gone += len(found)
        if not found:
            break
    with transaction(connection):
        connection.execute("DELETE FROM hours WHERE hour < ?", (int(now // 3600) - HOURS_KEPT,))
        connection.execute("DELETE FROM crashes WHERE at < ?", (now - CRASHES_KEPT,))
        connection.execute("DELETE FROM tallies WHERE day < ?", (int(now // 86400) - ISSUE_DAYS,))
        connection.execute("DELETE FROM issues WHERE last_seen < ?", (now - ISSUE_DAYS * 86400,))
        connection.execute(
            "DELETE FROM issues WHERE id IN (SELECT id FROM issues ORDER BY last_seen DESC LIMIT -1 OFFSET ?)",
            (MOST_ISSUES,),
        )
    return gone


def make_room(connection: sqlite3.Connection) -> int:
    """Delete the older half of all events, for the disk is full or the file too large."""
    with transaction(connection):
        half = connection.execute("SELECT count(*) FROM events").fetchone()[0] // 2
        return connection.execute(
            "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT ?)", (half,)
        ).rowcount


def size(connection: sqlite3.Connection) -> int:
    """Bytes that are in use in the file."""
    pages, free, page = (
        connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * page)


def _too_many(connection: sqlite3.Connection, keep: Retention, now: float) -> list[int]:
    """Events to delete, at most AT_ONCE."""
    questions: tuple[tuple[str, tuple[float | int, ...]], ...] = (
        ("SELECT id FROM events WHERE at < ? LIMIT ?", (now - keep.days * 86400, AT_ONCE)),
        (
            "SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY issue ORDER BY id DESC) AS place FROM events) "
            "WHERE place > ? LIMIT ?",
            (keep.per_issue, AT_ONCE),
        ),
        ("SELECT id FROM events ORDER BY id DESC LIMIT ? OFFSET ?", (AT_ONCE, keep.events)),
    )
    found: set[int] = set()
    for question, values in questions:
        found |= {row[0] for row in connection.execute(question, values)}
        if len(found) >= AT_ONCE:
            break
    if not found and size(connection) > keep.bytes:
        count = connection.execute("SELECT count(*) FROM events").fetchone()[0]
        oldest = connection.execute("SELECT id FROM events ORDER BY id LIMIT ?", (min(AT_ONCE - 1, count // 5 + 1),))
        found = {row[0] for row in oldest}
    return sorted(found)[:AT_ONCE]
