"""The database of one add-on: a SQLite file that the tracker writes and the daemon reads."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from homeport.errors import HomeportError

VERSION = 1
APPLICATION = 0x486F6D65
"""`application_id` of our files, so that a backup can be told from any other SQLite file."""

FILE = "errors.db"
PATIENCE_SECONDS = 10.0

_TABLES = """
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE issues (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    digest BLOB NOT NULL UNIQUE,
    type TEXT NOT NULL,
    text TEXT NOT NULL,
    file TEXT NOT NULL,
    line INTEGER NOT NULL,
    function TEXT NOT NULL,
    level TEXT NOT NULL,
    logger TEXT NOT NULL,
    source TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'unresolved',
    regressed_at REAL,
    resolved_at REAL,
    resolved_known TEXT,
    count INTEGER NOT NULL DEFAULT 0,
    users INTEGER NOT NULL DEFAULT 0,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,
    first_release TEXT NOT NULL,
    last_release TEXT NOT NULL,
    kept_at REAL NOT NULL DEFAULT 0
);
CREATE INDEX issues_last_seen ON issues (last_seen);

CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL UNIQUE,
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    at REAL NOT NULL,
    source TEXT NOT NULL,
    release TEXT NOT NULL,
    version TEXT NOT NULL,
    environment TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX events_issue ON events (issue, id);
CREATE INDEX events_at ON events (at);

CREATE TABLE hours (
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    hour INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (issue, hour)
) WITHOUT ROWID;
CREATE TABLE days (
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (issue, day)
) WITHOUT ROWID;

CREATE TABLE facets (
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_seen REAL NOT NULL,
    last_seen REAL NOT NULL,
    PRIMARY KEY (issue, kind, value)
) WITHOUT ROWID;
CREATE INDEX facets_value ON facets (kind, value);

CREATE TABLE users (
    issue INTEGER NOT NULL REFERENCES issues (id) ON DELETE CASCADE,
    user BLOB NOT NULL,
    PRIMARY KEY (issue, user)
) WITHOUT ROWID;

CREATE TABLE crashes (signature TEXT PRIMARY KEY, at REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE tallies (
    day INTEGER NOT NULL,
    category TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (day, category)
) WITHOUT ROWID;
"""


def connect(folder: Path) -> sqlite3.Connection:
    """The add-on's database, made if it isn't there. Transactions are the caller's own (`BEGIN IMMEDIATE`).

    Raises `OSError`, `sqlite3.Error`; `HomeportError` (`database_newer`).
    """
    (folder / FILE).touch(mode=0o600)  # what SQLite puts beside it has the same mode
    connection = sqlite3.connect(folder / FILE, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        # What is committed is in the kernel's hands: killing processes loses nothing, a power cut the last moment.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA journal_size_limit = 16777216")
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One that sees what it is about to change: nobody else writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def complaint(file: Path) -> str:
    """What is wrong with a file that should be such a database; "" when nothing is."""
    try:
        with contextlib.closing(
            sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        ) as connection:
            if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
                return "It is no backup of an error tracker."
            if (version := connection.execute("PRAGMA user_version").fetchone()[0]) > VERSION:
                return f"It was written by a newer Homeport (version {version} of its form)."
            said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            return "" if said == "ok" else f"SQLite says of it: {said}"
    except sqlite3.Error as error:
        return f"SQLite says of it: {error}"


def _prepare(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version == VERSION:
        return
    if version > VERSION:
        raise HomeportError("database_newer", "The error tracker's database was written by a newer Homeport.")
    with transaction(connection):
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
            for statement in filter(str.strip, _TABLES.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute("INSERT INTO facts VALUES ('salt', lower(hex(randomblob(16))))")
            connection.execute(f"PRAGMA user_version = {VERSION}")
