"""The loop that finishes whatever was begun: every few seconds the rows are read again, and what differs is mended.

Requests do the same work sooner; when they, or this process, die in the middle, the loop does it later. Each add-on
and each service is looked after by itself: one that hangs holds up nobody else, and is given up after a while.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from homeport.addons import lifecycle
from homeport.addons.provider import Resource
from homeport.addons.workshop import Workshop
from homeport.errors import HomeportError
from homeport.loops import UnderWay, Waker

EVERY_SECONDS = 5.0
FIRST_RETRY_SECONDS = 5.0
LAST_RETRY_SECONDS = 600.0
ATTEMPT_SECONDS = 600.0
"""The first start of a server on a slow machine takes a minute or two. What takes longer goes on where it was."""

_log = logging.getLogger("homeport.addons")


class Upkeep:
    def __init__(self, workshop: Workshop, clock: Callable[[], float]) -> None:
        """`clock` counts seconds, from anywhere."""
        self._workshop = workshop
        self._clock = clock
        self._waker = Waker()
        self._keepers = 0
        self._failures: dict[str, tuple[int, float]] = {}  # add-on or service -> in a row, not to be tried before
        self._under_way = UnderWay()  # by add-on or service

    def wake(self) -> None:
        """There is something to do."""
        self._waker.wake()

    @contextlib.contextmanager
    def keeping_all(self) -> Iterator[None]:
        """Nobody's data are cleared away while the block lasts."""
        self._keepers += 1
        try:
            yield
        finally:
            self._keepers -= 1
            self.wake()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                await self._attempt("upkeep", self._begin)
                await self._waker.wait(EVERY_SECONDS)
        finally:
            await self._under_way.give_up()

    async def sync(self) -> None:
        """Once through all that is to be done."""
        try:
            await self._begin()
            await self._under_way.finish()
        finally:
            await self._under_way.give_up()

    async def _begin(self) -> None:
        """Find what is to be done, and begin all of it that isn't under way."""
        shop = self._workshop
        duties = await shop.database.run(lifecycle.duties, shop.variables)
        for resource in duties.provision:
            self._start(resource.id, shop.provision, resource.id)
        for resource in duties.deprovision if self._keepers == 0 else []:
            self._start(resource.id, shop.deprovision, resource)
        for service in shop.providers:
            self._start(service, self._tend, service, duties.tend)
        alive = {resource.id for resource in (*duties.provision, *duties.deprovision, *duties.tend)}
        shop.forget_turns(alive)
        for gone in set(self._failures) - alive - set(shop.providers) - {"upkeep"}:
            del self._failures[gone]

    async def _tend(self, service: str, resources: list[Resource]) -> None:
        own = [resource for resource in resources if resource.plan.service == service]
        if own:
            for changed in await self._workshop.providers[service].tend(own):
                self._start(changed.id, self._workshop.provision, changed.id)

    def _start(self, key: str, work: Callable[..., Awaitable[object]], *arguments: object) -> None:
        self._under_way.begin(key, partial(self._attempt, key, work, *arguments))

    async def _attempt(self, key: str, work: Callable[..., Awaitable[object]], *arguments: object) -> None:
        """Do it, unless it failed a moment ago: each failure in a row doubles the wait."""
        failed, not_before = self._failures.get(key, (0, 0.0))
        if failed and self._clock() < not_before:
            return
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS) as limit:
                await work(*arguments)
        except Exception as error:
            wait = min(FIRST_RETRY_SECONDS * 2**failed, LAST_RETRY_SECONDS)
            self._failures[key] = (failed + 1, self._clock() + wait)
            if limit.expired():
                _log.error("%s: not done after %.0f s and given up; tried again in %.0f s", key, ATTEMPT_SECONDS, wait)
            elif isinstance(error, HomeportError):
                _log.error("%s: %s (%s); tried again in %.0f s", key, error.what, error.id, wait)
            else:
                _log.exception("%s failed; tried again in %.0f s", key, wait)
        else:
            self._failures.pop(key, None)
