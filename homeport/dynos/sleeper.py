"""The loop that lets apps fall asleep when nobody asks for them, and wakes those that somebody asks for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from homeport.dynos import idling
from homeport.dynos.idling import Idler
from homeport.loops import Waker
from homeport.state import App, Database, now

EVERY = timedelta(seconds=15)
_SOONEST = timedelta(seconds=1)
_ONCE_IN = timedelta(seconds=1)
"""Requests that wait for an app knock again and again, in case a knock was lost."""

_log = logging.getLogger("homeport.dynos")

LastRequests = Callable[[], Awaitable[Mapping[str, datetime]]]
"""When each app was last asked for something, by app id, as far as the router remembers: now, while it answers."""


def due(idlers: Iterable[Idler], asked: Mapping[str, datetime], begun: datetime) -> dict[str, datetime]:
    """When each app may fall asleep. Nobody knows what was asked before `begun`."""
    return {idler.app_id: max(idler.since, begun, asked.get(idler.app_id, begun)) + idler.patience for idler in idlers}


class Sleeper:
    """`clock` and `last_requests` must agree on the time."""

    def __init__(self, database: Database, last_requests: LastRequests, *, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._last_requests = last_requests
        self._clock = clock
        self._begun = clock()
        self._asked: dict[str, datetime] = {}
        self._knocked: set[str] = set()
        self._roused: dict[str, datetime] = {}
        self._waker = Waker()

    def knock(self, app_id: str) -> None:
        """Somebody asks for an app that sleeps, or that the router takes to be asleep. To be called on the loop."""
        self._knocked.add(app_id)
        self._waker.wake()

    async def run(self) -> None:
        """Until cancelled."""
        next_look = self._clock()
        while True:
            try:
                await self._rouse()
                if self._clock() >= next_look:
                    next_look = await self.look()
            except Exception:
                _log.exception("letting apps sleep and wake failed and is tried again")
                next_look = self._clock() + EVERY
                await asyncio.sleep(_SOONEST.total_seconds())
            await self._waker.wait(max((next_look - self._clock()).total_seconds(), 0.0))

    async def look(self) -> datetime:
        """Let those sleep whose time has come; when to look again."""
        idlers = await self._database.run(idling.idlers)
        asked = await self._last_requests() if idlers else {}
        # A router that was started anew has forgotten what we have not.
        known = (self._asked, asked)
        self._asked = {idler.app_id: max(times.get(idler.app_id, self._begun) for times in known) for idler in idlers}
        at = self._clock()
        times = due(idlers, self._asked, self._begun)
        for app_id in [app_id for app_id, when in times.items() if when <= at]:
            await self._database.run(idling.fall_asleep, app_id)
            del times[app_id]
        return max(min([*times.values(), at + EVERY]), at + _SOONEST)

    async def _rouse(self) -> None:
        knocked, self._knocked = self._knocked, set()
        at = self._clock()
        self._roused = {app_id: when for app_id, when in self._roused.items() if at - when < _ONCE_IN}
        for app_id in sorted(knocked - self._roused.keys()):
            self._roused[app_id] = at
            await self._database.run(_rouse, app_id)


def _rouse(session: Session, app_id: str) -> None:
    app = session.get(App, app_id)
    if app is not None:
        idling.rouse(session, app)
