"""A backup is proved by restoring it: every table's rows are counted in the moment of the dump, and again in a scratch
database that the archive was restored into."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from psycopg import sql
from psycopg.errors import LockNotAvailable

from homeport.addons.postgres import databases, dumps
from homeport.addons.postgres.cluster import Cluster, Connection
from homeport.addons.postgres.dumps import Dumps, Login, Say
from homeport.errors import HomeportError

Counts = Mapping[str, int]
"""Rows by table, `schema.name`."""

# Tables with rows of their own. Those that belong to an extension are its business: a dump holds only part of them.
_TABLES = """
    SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind = 'r' AND relpersistence <> 't'
        AND nspname NOT IN ('pg_catalog', 'information_schema') AND nspname !~ '^pg_(toast|temp)'
        AND NOT EXISTS (
            SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
        )
    ORDER BY 1, 2
"""


@dataclass(frozen=True)
class Proof:
    """What a test restore found. `missing` are tables whose rows differ: name, rows then, rows now."""

    tables: int
    rows: int
    seconds: float
    warnings: int
    missing: tuple[tuple[str, int, int], ...] = ()

    @property
    def holds(self) -> bool:
        return not self.missing

    def words(self) -> str:
        """As it is shown."""
        if self.holds:
            return f"test restore: {self.tables} tables, {self.rows} rows"
        name, then, now = self.missing[0]
        more = f" and {len(self.missing) - 1} more" if len(self.missing) > 1 else ""
        return f"test restore FAILED: {name} had {then} rows, the backup {now}{more}"

    def record(self) -> dict[str, Any]:
        return {
            "proved": self.holds,
            "tables": self.tables,
            "rows": self.rows,
            "seconds": round(self.seconds, 3),
            "warnings": self.warnings,
            "message": self.words(),
        }


@asynccontextmanager
async def moment(login: Login, lock_seconds: float) -> AsyncIterator[tuple[str, Connection]]:
    """A snapshot that others can look at too (its id), and a connection that sees it, while the block lasts."""
    async with await databases.connect_as(login) as connection:
        await connection.execute(f"SET lock_timeout = {int(lock_seconds * 1000)}")
        await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor = await connection.execute("SELECT pg_export_snapshot()")
        row = await cursor.fetchone()
        assert row is not None  # noqa: S101 - a function always returns
        yield str(row[0]), connection


async def count(connection: Connection) -> dict[str, int]:
    """The rows of every table that the connection sees. Raises `HomeportError` (`table_locked`)."""
    cursor = await connection.execute(_TABLES)
    found = {}
    for schema, table in await cursor.fetchall():
        query = sql.SQL("SELECT count(*) FROM ONLY {}.{}").format(
            sql.Identifier(str(schema)), sql.Identifier(str(table))
        )
        try:
            row = await (await connection.execute(query)).fetchone()
        except LockNotAvailable:
            raise HomeportError(
                "table_locked",
                f"The table {schema}.{table} stays locked, so its rows can't be counted.",
                fix="See who has locked it: `heroku pg:locks`. Then try again.",
            ) from None
        found[f"{schema}.{table}"] = int(str(row[0])) if row else 0
    return found


async def prove(cluster: Cluster, tools: Dumps, archive: BinaryIO, owner: str, then: Counts, say: Say) -> Proof:
    """Restore the archive into a scratch database and compare. Raises `HomeportError` when it can't be restored."""
    started = time.monotonic()
    entries = dumps.restorable(await tools.check(archive))
    async with databases.scratch(cluster, owner) as name, databases.guest(cluster, owner, name) as login:
        warnings = await tools.restore(archive, login, entries=entries, say=say)
        async with await databases.connect_as(login) as connection:
            now = await count(connection)
    missing = tuple(
        (table, then.get(table, 0), now.get(table, 0))
        for table in sorted({*then, *now})
        if then.get(table) != now.get(table)
    )
    return Proof(len(then), sum(then.values()), time.monotonic() - started, warnings, missing)
