"""The index: buckets, keys, objects and which files they are made of. SQLite, in WAL mode, every commit on the disk.

A server and a provider may have it open at once. Triggers keep each bucket's used bytes, and put every file that
nothing refers to any more into `garbage`, in the transaction that let go of it: no crash can forget one.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import disk_full

BUSY_SECONDS = 30.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS buckets (
    name TEXT PRIMARY KEY, key_id TEXT NOT NULL UNIQUE, secret TEXT NOT NULL,
    quota INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, cors TEXT NOT NULL DEFAULT '[]'
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    bucket TEXT NOT NULL REFERENCES buckets ON DELETE CASCADE, key TEXT NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, modified INTEGER NOT NULL, headers TEXT NOT NULL, blobs TEXT NOT NULL,
    PRIMARY KEY (bucket, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS uploads (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES buckets ON DELETE CASCADE, key TEXT NOT NULL,
    headers TEXT NOT NULL, algorithm TEXT NOT NULL, created INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (
    upload TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE, number INTEGER NOT NULL, size INTEGER NOT NULL,
    etag TEXT NOT NULL, modified INTEGER NOT NULL, checksums TEXT NOT NULL, blob TEXT NOT NULL,
    PRIMARY KEY (upload, number)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS blobs (
    id TEXT PRIMARY KEY, bucket TEXT NOT NULL REFERENCES buckets ON DELETE CASCADE, size INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS garbage (blob TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pins (id TEXT PRIMARY KEY, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS uploads_by_key ON uploads (bucket, key, id);
CREATE INDEX IF NOT EXISTS blobs_by_bucket ON blobs (bucket);
CREATE TRIGGER IF NOT EXISTS blob_comes AFTER INSERT ON blobs BEGIN
    UPDATE buckets SET used = used + NEW.size WHERE name = NEW.bucket;
END;
CREATE TRIGGER IF NOT EXISTS blob_goes AFTER DELETE ON blobs BEGIN
    UPDATE buckets SET used = used - OLD.size WHERE name = OLD.bucket;
    INSERT OR IGNORE INTO garbage VALUES (OLD.id);
END;
CREATE TRIGGER IF NOT EXISTS object_goes AFTER DELETE ON objects BEGIN
    DELETE FROM blobs WHERE id IN (SELECT value FROM json_each(OLD.blobs));
END;
"""


class Index:
    """One connection: for one thread at a time."""

    def __init__(self, path: Path | str) -> None:
        if isinstance(path, Path):
            path.touch(mode=0o600)  # keys stand in it; the files beside it get the same rights
        self._connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "cache_size = -4000"):
            self._connection.execute(f"PRAGMA {pragma}")

    def prepare(self) -> None:
        """Make the tables."""
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        self._connection.close()

    def all(self, query: str, *values: object) -> list[sqlite3.Row]:
        return self._connection.execute(query, values).fetchall()

    def one(self, query: str, *values: object) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._connection.execute(query, values).fetchone()
        return found

    def run(self, query: str, *values: object) -> int:
        """Returns how many rows it changed."""
        return self._connection.execute(query, values).rowcount

    def rows(self, query: str, *values: object) -> Iterator[sqlite3.Row]:
        yield from self._connection.execute(query, values)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it, on the disk, or nothing. Raises `S3Error` (`InsufficientStorage`) when the disk is full."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise disk_full() from error
            raise
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that is read inside is as of one moment."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")


def moment() -> int:
    """Now, in milliseconds."""
    return time.time_ns() // 1_000_000
