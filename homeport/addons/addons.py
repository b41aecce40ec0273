"""Add-ons as the rest of the house uses them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from homeport import releases
from homeport.addons import attaching, catalog, lifecycle, records, servers
from homeport.addons.catalog import Plan, Service
from homeport.addons.lifecycle import Wish
from homeport.addons.provider import Provider, Resource
from homeport.addons.records import State
from homeport.addons.upkeep import Upkeep
from homeport.addons.workshop import Workshop
from homeport.errors import Conflict, Invalid, NotFound
from homeport.state import Addon, App, Attachment, Database, User

PATIENCE_SECONDS = 25.0
"""How long a request waits for a provider; clients give up after 30 to 60. What takes longer goes on by itself."""


class Addons:
    """All add-ons of this platform: verbs that need providers. Those that only read are in `records`."""

    def __init__(
        self,
        database: Database,
        providers: Sequence[Provider],
        *,
        clock: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._database = database
        self._workshop = Workshop(database, providers)
        self._upkeep = Upkeep(self._workshop, clock)
        self._patience = patience
        self._under_way: set[asyncio.Task[Any]] = set()

    @property
    def services(self) -> list[Service]:
        """Those that can be had here."""
        return [service for service in catalog.SERVICES if service.name in self._workshop.providers]

    def service(self, name: str) -> Service:
        """Raises `NotFound`."""
        found = catalog.service(name)
        if name not in self._workshop.providers:
            raise NotFound("addon_service", f"{found.title} can't be had here.", fix="`heroku addons:services`")
        return found

    def plan(self, name: str) -> Plan:
        """By "service:plan", or by a service alone for its default. Raises `NotFound`, `Invalid`."""
        plan = catalog.plan(name)
        self.service(plan.service)
        return plan

    def provider(self, service: str) -> Provider:
        """Raises `NotFound`."""
        self.service(service)
        return self._workshop.providers[service]

    def variable_names(self, session: Session, attachment: Attachment) -> list[str]:
        """The config vars that an attachment sets; none before its add-on is there."""
        addon = attachment.addon
        if addon.state != State.PROVISIONED.value:
            return []
        return sorted(self._workshop.variables(records.resource(session, addon), attachment.name))

    def attached(self, session: Session, app: App) -> releases.Attached:
        """What the app's next release should have of add-ons."""
        return attaching.attached(session, app, self._workshop.variables)

    async def create(self, app_id: str, wish: Wish, *, by: User) -> Addon:
        """A new add-on of the app: `provisioned` if its provider was quick, else it goes on by itself.

        Raises `Invalid` and `ConfirmationRequired`; and whatever keeps the provider from making it: then nothing is
        left of it.
        """
        self.provider(wish.plan.service).check(wish.plan, wish.options or {})
        ordered = await self._database.run(lifecycle.order, app_id, wish)
        making = self._go_on(self._workshop.provision(ordered.id, by=by))
        done, _ = await asyncio.wait({making}, timeout=self._patience)
        if not done:
            return ordered
        if making.exception() is not None:
            await self._give_up(ordered, by)
        made = making.result()
        if made is None:
            raise Conflict(f"{ordered.name} was destroyed while it was being made.")
        return made

    async def change_plan(self, addon: Addon, plan: Plan, *, by: User) -> Addon:
        """Raises `Conflict` while it is being made; `Invalid` for a plan of another service, or too small for it."""
        if plan.service != addon.service:
            raise Invalid(
                f"{plan.full_name} isn't a plan of {addon.service}.", fix=f"`heroku addons:plans {addon.service}`"
            )
        _require_ready(addon)
        provider = self.provider(addon.service)
        async with self._workshop.turn(addon.id):
            wanted = replace(await self._workshop.resource(addon.id), plan=plan)
            provider.check(plan, wanted.options)
            secret = await provider.provision(wanted)
            return await self._database.run(
                lifecycle.planned, addon.id, plan, secret, by=by, variables=self._workshop.variables
            )

    async def attach(
        self, addon: Addon, app: App, *, by: User, name: str | None = None, confirm: str | None = None
    ) -> Attachment:
        """In a release of the app. Raises `Invalid` and `ConfirmationRequired`."""
        return await self._database.run(
            lifecycle.attach, addon, app, name=name, confirm=confirm, by=by, variables=self._workshop.variables
        )

    async def detach(self, attachment: Attachment, *, by: User) -> None:
        """In a release of the app."""
        await self._database.run(lifecycle.detach, attachment, by=by, variables=self._workshop.variables)

    async def rename(self, addon: Addon, name: str) -> Addon:
        """Raises `Invalid` for a name that is taken or impossible."""
        return await self._database.run(lifecycle.rename, addon, name)

    async def destroy(self, addon: Addon, *, by: User, force: bool = False) -> None:
        """Its config vars are gone when this returns, its data a moment later.

        Raises `Conflict` (`addon_in_use`) when other apps use it, unless `force`.
        """
        await self._database.run(lifecycle.destroy, addon, by=by, force=force, variables=self._workshop.variables)
        self._upkeep.wake()

    async def resource(self, addon: Addon) -> Resource:
        """The add-on with its secrets, for its provider. Raises `Conflict` while it is being made."""
        _require_ready(addon)
        return await self._workshop.resource(addon.id)

    async def renew(self, addon: Addon, changes: Mapping[str, str]) -> None:
        """Have something of it changed, its password say, in a release for every app that uses it.

        Raises `Conflict` while it is being made.
        """
        _require_ready(addon)
        await self._workshop.renew(addon.id, changes)

    async def capture(self, addon_id: str, into: Path) -> None:
        """Have its provider write all of its data below this empty folder, though it was destroyed just now.

        Raises `NotFound`, and whatever keeps the provider from it.
        """
        resource = await self._workshop.resource(addon_id)
        await self.provider(resource.plan.service).backup(resource, into)

    def keeping_all(self) -> AbstractContextManager[None]:
        """No add-on's data are removed while the block lasts; those of destroyed ones go afterwards."""
        return self._upkeep.keeping_all()

    def wake(self) -> None:
        """There may be something to do for the loop."""
        self._upkeep.wake()

    async def run(self) -> None:
        """The loop that finishes what was begun and starts what died, until cancelled."""
        await self._upkeep.run()

    async def sync(self) -> None:
        """Once through what the loop does."""
        await self._upkeep.sync()

    async def stop(self) -> None:
        """Stop all servers of add-ons; data stays."""
        await servers.each(*(provider.stop() for provider in self._workshop.providers.values()))

    async def close(self) -> None:
        """Let go of what runs without stopping it."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await asyncio.gather(*(provider.close() for provider in self._workshop.providers.values()))

    async def _give_up(self, addon: Addon, by: User) -> None:
        await self._database.run(lifecycle.destroy, addon, by=by, force=True, variables=self._workshop.variables)
        self._upkeep.wake()

    def _go_on(self, work: Coroutine[Any, Any, Addon | None]) -> asyncio.Task[Addon | None]:
        """Work that goes on when the request that asked for it is gone."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._settled)
        return task

    def _settled(self, task: asyncio.Task[Addon | None]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits raises it; if nobody does any more, the loop tries again and says why


def _require_ready(addon: Addon) -> None:
    if addon.state != State.PROVISIONED.value:
        raise Conflict(f"{addon.name} isn't ready yet.", fix=f"Wait for it: `heroku addons:wait {addon.name}`.")
