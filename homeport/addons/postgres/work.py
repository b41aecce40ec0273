"""The work that backups, restores, copies and resets are made of, on one database of one cluster."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from homeport.addons.postgres import databases, dumps, proof
from homeport.addons.postgres.cluster import Cluster
from homeport.addons.postgres.dumps import Dumps, Login, Say
from homeport.addons.postgres.proof import Counts, Proof
from homeport.errors import HomeportError, Invalid

LOCK_SECONDS = 15 * 60.0
"""A migration may have tables for itself for so long; then a backup is given up, and others get its place."""
LOCK_SECONDS_OF_RELEASES = 30.0
"""Somebody waits for a snapshot."""


@dataclass(frozen=True)
class Place:
    """A database of an add-on, where it is."""

    cluster: Cluster
    name: str
    owner: str

    @property
    def tools(self) -> Dumps:
        return Dumps(self.cluster.version, self.cluster.account)


async def capture(
    place: Place, into: Path, *, say: Say, counted: bool = False, lock_seconds: float = LOCK_SECONDS
) -> Counts | None:
    """Write an archive of the database, whole or not at all; its rows at that moment, if they are to be counted.

    Tables that somebody has locked are waited for, `lock_seconds` each.

    Raises `HomeportError` (`dump_failed`, `dump_incomplete`).
    """
    draft = into.with_suffix(".draft")
    try:
        async with AsyncExitStack() as stack:
            login = await stack.enter_async_context(databases.guest(place.cluster, place.owner, place.name))
            snapshot, counts = None, None
            if counted:
                snapshot, connection = await stack.enter_async_context(proof.moment(login, lock_seconds))
                counts = await proof.count(connection)
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                await place.tools.dump(login, file, snapshot=snapshot, lock_seconds=lock_seconds, say=say)
                os.fsync(file.fileno())
        await _require_whole(place, draft)
        draft.replace(into)
        return counts
    finally:
        draft.unlink(missing_ok=True)


async def _require_whole(place: Place, archive: Path) -> None:
    """Read it to its end: pg_dump 15 ends with 0 also when the last of it didn't fit on the disk."""
    try:
        with archive.open("rb") as file:
            await place.tools.check(file)
    except Invalid as error:
        raise HomeportError(
            "dump_incomplete",
            "The backup was written and can't be read back, so it is thrown away.",
            why=error.why,
            fix="See that the disk has room, then try again.",
        ) from None


async def restore(
    place: Place, archive: BinaryIO, *, say: Say, extensions: Sequence[str] = (), expected: Counts | None = None
) -> int:
    """Replace the database's contents by the archive's; returns how many statements failed and were left out.

    The archive is read to its end before anything is touched, and restored beside what is there; only then do they
    change places, and only if there is what was `expected`. Raises `Invalid` (`archive_damaged`), `HomeportError`
    (`restore_failed`, `restore_incomplete`).
    """
    entries = dumps.restorable(await place.tools.check(archive))
    warnings = 0

    async def fill(login: Login) -> None:
        nonlocal warnings
        said: list[str] = []
        warnings = await place.tools.restore(archive, login, entries=entries, say=_both(say, said.append))
        if expected is not None:
            await _require(expected, login, said)

    await refill(place, fill, extensions=extensions)
    return warnings


async def _require(expected: Counts, login: Login, said: Sequence[str]) -> None:
    """Raises `HomeportError` (`restore_incomplete`) if tables of the database have other numbers of rows."""
    async with await databases.connect_as(login) as connection:
        found = await proof.count(connection)
    for table, rows in expected.items():
        if found.get(table) != rows:
            raise HomeportError(
                "restore_incomplete",
                f"The database could not be restored: {table} has {found.get(table, 0)} of {rows} rows.",
                why="\n".join(line for line in said if "error" in line.lower())[:1000],
                fix="What it needs may be missing on this machine: an extension such as PostGIS, a newer PostgreSQL.",
            )


def _both(one: Say, other: Say) -> Say:
    def say(line: str) -> None:
        one(line)
        other(line)

    return say


async def refill(
    place: Place, fill: Callable[[Login], Awaitable[None]] | None = None, *, extensions: Sequence[str] = ()
) -> None:
    """Replace the database by a new one, empty or filled. What fails leaves the old one as it was."""
    async with databases.scratch(place.cluster, place.owner) as name:
        async with databases.guest(place.cluster, place.owner, name) as login:
            await databases.create_extensions(login, extensions)
            if fill is not None:
                await fill(login)
        await databases.put_in_place(place.cluster, name, place.name)


async def dump_from(place: Place, login: Login, into: Path, *, say: Say) -> None:
    """An archive of any database, made by the tools of this place."""
    with into.open("wb") as file:
        await place.tools.dump(login, file, snapshot=None, lock_seconds=LOCK_SECONDS, say=say)


async def restore_into(place: Place, archive: Path, login: Login, *, say: Say) -> int:
    """Restore over whatever a database that isn't ours holds; returns how many statements failed and were left out."""
    with archive.open("rb") as file:
        entries = dumps.restorable(await place.tools.check(file))
        return await place.tools.restore(file, login, entries=entries, say=say, clean=True)


async def prove(place: Place, archive: Path, then: Counts, *, say: Say) -> Proof:
    """Raises `HomeportError` when the archive can't be restored."""
    with archive.open("rb") as file:
        return await proof.prove(place.cluster, place.tools, file, place.owner, then, say)
