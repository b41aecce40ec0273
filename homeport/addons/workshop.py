"""Where rows and providers meet: one add-on at a time is made, made anew, or cleared away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from sqlalchemy.orm import Session

from homeport.addons import lifecycle, records
from homeport.addons.provider import UNSETTLED, Provider, Resource
from homeport.addons.records import State
from homeport.state import Addon, Database, User


class Workshop:
    def __init__(self, database: Database, providers: Sequence[Provider]) -> None:
        self.database = database
        self.providers: Mapping[str, Provider] = {provider.service: provider for provider in providers}
        self._turns: dict[str, asyncio.Lock] = {}

    def variables(self, resource: Resource, name: str) -> dict[str, str]:
        """The config vars of an attachment of that name."""
        return self.providers[resource.plan.service].config_vars(resource, name)

    @asynccontextmanager
    async def turn(self, addon_id: str) -> AsyncIterator[None]:
        """Work on one add-on is done by one at a time."""
        lock = self._turns.setdefault(addon_id, asyncio.Lock())
        async with lock:
            yield

    async def provision(self, addon_id: str, *, by: User | None = None) -> Addon | None:
        """Have the provider make it, as its row says it should be; None if nobody wants it any more."""
        async with self.turn(addon_id):
            resource = await self.database.run(_wanted, addon_id)
            if resource is None:
                return None
            secret = await self.providers[resource.plan.service].provision(resource)
            return await self.remember(addon_id, secret, by=by)

    async def remember(self, addon_id: str, secret: Mapping[str, str], *, by: User | None = None) -> Addon | None:
        """What its provider must know of it; a release for every app that uses it, where that changes anything."""
        return await self.database.run(lifecycle.provisioned, addon_id, secret, by=by, variables=self.variables)

    async def renew(self, addon_id: str, changes: Mapping[str, str]) -> None:
        """Have something that must be remembered changed, a password say: written down first, then made so.

        If this process ends in between, the provider's `tend` finds the add-on unsettled.
        """
        async with self.turn(addon_id):
            resource = await self.resource(addon_id)
            secret = {**resource.secret, **changes}
            await self.remember(addon_id, {**secret, UNSETTLED: "true"})
            provider = self.providers[resource.plan.service]
            await self.remember(addon_id, await provider.provision(replace(resource, secret=secret)))

    async def deprovision(self, resource: Resource) -> None:
        async with self.turn(resource.id):
            await self.providers[resource.plan.service].deprovision(resource)
            await self.database.run(lifecycle.forget, resource.id)

    async def resource(self, addon_id: str) -> Resource:
        """The add-on with its secrets."""
        return await self.database.run(_resource, addon_id)

    def forget_turns(self, alive: set[str]) -> None:
        for addon_id in set(self._turns) - alive:
            if not self._turns[addon_id].locked():
                del self._turns[addon_id]


def _resource(session: Session, addon_id: str) -> Resource:
    return records.resource(session, session.get_one(Addon, addon_id))


def _wanted(session: Session, addon_id: str) -> Resource | None:
    addon = session.get(Addon, addon_id)
    if addon is None or addon.app_id is None or addon.state == State.DEPROVISIONED.value:
        return None
    return records.resource(session, addon)
