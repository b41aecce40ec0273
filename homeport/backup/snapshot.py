"""The database as of one moment, and what it names: all of that must be in a backup too."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import addons, config, slugs
from homeport.addons import Kind, Resource
from homeport.backup.manifest import damaged
from homeport.state import App, Database, Transfer

_TRANSFERS = select(Transfer.id).where(Transfer.kind == Kind.BACKUP.value, Transfer.succeeded.is_(True))


@dataclass(frozen=True)
class Named:
    """What a database names that lies elsewhere. `layers` are keys, `transfers` ids of database backups."""

    apps: tuple[str, ...]
    layers: frozenset[str]
    transfers: frozenset[str]
    addons: tuple[Resource, ...]


def copy(source: Path, target: Path) -> None:
    """Copy a SQLite database that is being used, as of this moment, into one file.

    https://www.sqlite.org/backup.html: a single step sees one state of it, and keeps no writer waiting.
    """
    with (
        closing(sqlite3.connect(f"file:{source}?mode=rw", uri=True, timeout=30)) as old,
        closing(sqlite3.connect(target)) as new,
    ):
        target.chmod(0o600)
        old.backup(new, pages=-1)
        new.execute("PRAGMA journal_mode = DELETE")  # or some of it could be in a second file


def named(database: Path, key: bytes) -> Named:
    """What the copy of a database names; `key` opens its secrets. Brings an older one up to this Homeport's schema.

    Raises `HomeportError` (`vault_key_wrong`).
    """
    with closing(_Opened(database, key)) as opened, opened.database.session() as session:
        _open_all(session)
        return Named(
            apps=tuple(session.scalars(select(App.name).order_by(App.name))),
            layers=frozenset(slugs.layers_in_use(session)),
            transfers=frozenset(session.scalars(_TRANSFERS)),
            addons=tuple(addons.provisioned(session)),
        )


def forget_transfers(database: Path, key: bytes, ids: Iterable[str]) -> None:
    """Take database backups out of the copy whose files were gone before they could be copied."""
    with closing(_Opened(database, key)) as opened, opened.database.session() as session:
        for transfer in ids:
            session.delete(session.get_one(Transfer, transfer))


def require_sound(database: Path) -> None:
    """Raises `Invalid` (`backup_damaged`)."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True)) as connection:
            said = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
    except sqlite3.DatabaseError as error:
        said = [str(error)]
    if said != ["ok"]:
        raise damaged(f"Its state.db is not sound: {said[0]}.")


class _Opened:
    """A copy, opened as the platform opens its own; one file again when it is closed."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self.database = Database.open(f"sqlite:///{path}", vault=key)

    def close(self) -> None:
        asyncio.run(self.database.close())
        with closing(sqlite3.connect(self._path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")


def _open_all(session: Session) -> None:
    """See that the key opens what is sealed: a backup without it would be worth little."""
    vault = config.vault(session)
    for app in session.scalars(select(App)):
        if app.current_release is not None:
            vault.open(app.current_release.config)
