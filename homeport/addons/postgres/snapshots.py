"""A snapshot of an app's database before each release command: migrations run there, and some can't be undone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from homeport import apps
from homeport.addons import records
from homeport.addons.addons import Addons
from homeport.addons.postgres import transfer_records
from homeport.addons.postgres.provider import Postgres
from homeport.addons.postgres.transfers import Transfers
from homeport.addons.records import State
from homeport.errors import HomeportError
from homeport.state import Addon, App, Database

FEATURE = "release-snapshots"
DATABASE = "DATABASE"
"""What an app's main database is attached as: the one that migrations are run on."""
MAX_BYTES = 2 * 1024**3
"""A larger database would keep a deploy waiting for minutes; its owner is told, and may take a backup beforehand."""

_log = logging.getLogger("homeport.addons.postgres")


@dataclass(frozen=True)
class Snapshot:
    """A backup that is there, and the one command that brings it back."""

    name: str
    app: str

    @property
    def restore(self) -> str:
        return f"heroku pg:backups:restore {self.name} {DATABASE}_URL --app {self.app} --confirm {self.app}"


class Snapshots:
    def __init__(self, database: Database, addons: Addons, postgres: Postgres, transfers: Transfers) -> None:
        self._database = database
        self._addons = addons
        self._postgres = postgres
        self._transfers = transfers

    async def take(self, app_id: str, version: int, say: Callable[[str], None]) -> Snapshot | None:
        """Before the release command of that version runs. None where there is no database, or none is wanted.

        Never raises `HomeportError`: a snapshot that fails is said loudly, and the release goes on.
        """
        addon = await self._database.run(_main_database, app_id)
        if addon is None or addon.app is None:
            return None
        try:
            size = (await self._postgres.facts(await self._addons.resource(addon))).bytes
            if size > MAX_BYTES:
                say(f"       No snapshot of {DATABASE}: its {_megabytes(size)} would take too long.")
                say("       If this release changes the schema, take a backup first: heroku pg:backups:capture")
                return None
            say(f"       Taking a snapshot of {DATABASE} ({_megabytes(size)})...")
            transfer = await self._transfers.snapshot(addon, DATABASE, version)
        except HomeportError as error:
            _log.error("no snapshot for v%s of %s: %s", version, addon.app.name, error.what)
            say(f" !     There is NO snapshot of {DATABASE}: {error.what}")
            return None
        snapshot = Snapshot(transfer_records.name(transfer), addon.app.name)
        say(f"       Snapshot {snapshot.name} is there.")
        return snapshot


def _main_database(session: Session, app_id: str) -> Addon | None:
    """The database that is attached as DATABASE, unless the app wants no snapshots."""
    app = session.get(App, app_id)
    if app is None or not apps.find_feature(session, app, FEATURE).enabled:
        return None
    for attachment in records.attachments(session, app):
        addon = attachment.addon
        is_postgres = addon.service == Postgres.service and addon.state == State.PROVISIONED.value
        if attachment.name == DATABASE and is_postgres:
            return addon
    return None


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.1f} MB"
