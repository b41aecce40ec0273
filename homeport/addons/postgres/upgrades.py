"""Moving a database to a newer major version: `pg:upgrade`. Needs that version installed beside the old one.

The database is dumped with the newer tools, restored in the newer cluster, and then its add-on is told that it lives
there: apps follow in a release. Meanwhile nobody can log in to the old one, so nothing that is written is lost.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, replace

from homeport.addons.addons import Addons
from homeport.addons.postgres import databases, downloads, versions, work
from homeport.addons.postgres.provider import Postgres
from homeport.addons.postgres.transfers import Tell, Transfers
from homeport.addons.postgres.versions import Version
from homeport.addons.postgres.work import Place
from homeport.addons.provider import Resource
from homeport.errors import Conflict, HomeportError, Invalid
from homeport.state import Addon

_log = logging.getLogger("homeport.addons.postgres")


@dataclass
class Status:
    """How far an upgrade is; `failed` when it has ended badly and the old database is in force."""

    message: str
    waiting: bool = True
    failed: bool = False


class Upgrades:
    def __init__(self, addons: Addons, postgres: Postgres, transfers: Transfers, *, tell: Tell) -> None:
        self._addons = addons
        self._postgres = postgres
        self._folder = transfers.folder
        self._tell = tell
        self._status: dict[str, Status] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def status(self, addon: Addon) -> Status:
        return self._status.get(addon.id, Status("No upgrade is under way.", waiting=False))

    async def start(self, addon: Addon, wanted: str | None, *, only_try: bool = False) -> Version:
        """Begin, to that version or the newest; `only_try` ends before anything is changed.

        Raises `Invalid` when there is no newer one, `Conflict` when one is under way.
        """
        resource = await self._addons.resource(addon)
        version = versions.choose(wanted)
        now = int(resource.secret["version"])
        if version.major <= now:
            others = ", ".join(str(known.major) for known in versions.installed())
            raise Invalid(
                f"{addon.name} has PostgreSQL {now}, and {version.major} isn't newer.",
                why=f"This machine has: {others}.",
                fix="Another version is installed by the operator, say by `sudo apt-get install postgresql-17`.",
            )
        task = self._tasks.get(addon.id)
        if task is not None and not task.done():
            raise Conflict(f"An upgrade of {addon.name} is under way.", fix="Wait for it: `heroku pg:upgrade:wait`.")
        self._status[addon.id] = Status(f"Upgrading to PostgreSQL {version.major}")
        self._tasks[addon.id] = asyncio.create_task(self._carry_out(addon, resource, version, only_try))
        return version

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _carry_out(self, addon: Addon, resource: Resource, version: Version, only_try: bool) -> None:
        status = self._status[addon.id]
        try:
            warnings = await (self._try if only_try else self._move)(addon, resource, version)
            word = "could be upgraded" if only_try else "was upgraded"
            left_out = f", {warnings} statements left out" if warnings else ""
            status.message = f"The database {word} to PostgreSQL {version.major}{left_out}."
        except HomeportError as error:
            status.message, status.failed = f"The upgrade failed, and nothing has changed: {error.what}", True
        except Exception:
            _log.exception("upgrade of %s failed", addon.id)
            status.message, status.failed = "The upgrade failed, and nothing has changed.", True
        status.waiting = False
        if addon.app_id is not None:
            self._tell(addon.app_id, f"{addon.name}: {status.message}")

    async def _try(self, _addon: Addon, resource: Resource, version: Version) -> int:
        """The whole way with the app at work, into a scratch database."""
        old, new = await self._places(resource, version)
        trial = replace(resource, id=databases.trial_id(resource.id))
        try:
            await databases.make(new.cluster, trial)
            return await self._fill(old, Place(new.cluster, *databases.of(trial)))
        finally:
            await databases.drop(new.cluster, trial)

    async def _move(self, addon: Addon, resource: Resource, version: Version) -> int:
        old, new = await self._places(resource, version)
        await databases.make(new.cluster, resource)
        async with databases.locked_out(old.cluster, old.name, old.owner):
            warnings = await self._fill(old, new)
            await self._addons.renew(addon, {"version": str(version.major)})
        await databases.drop(old.cluster, resource)
        return warnings

    async def _places(self, resource: Resource, version: Version) -> tuple[Place, Place]:
        there = replace(resource, secret={**resource.secret, "version": str(version.major)})
        return await self._postgres.place(resource), await self._postgres.place(there)

    async def _fill(self, old: Place, new: Place) -> int:
        with downloads.file(self._folder) as archive:
            async with databases.guest(old.cluster, old.owner, old.name) as login:
                await work.dump_from(new, login, archive, say=_log.debug)
            with archive.open("rb") as file:
                return await work.restore(new, file, say=_log.debug)
