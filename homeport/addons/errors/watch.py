"""What the platform does for the tracker: it tells it of apps' config vars and releases, and reads apps' logs.

Tracebacks that an app prints become issues of the trackers that are attached to it. They are held back for a moment:
if the app has an SDK too, its event comes by then, and the traceback is known to be the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from homeport import tracker
from homeport.addons.errors import apps
from homeport.addons.errors.apps import Mark, Tenant
from homeport.addons.errors.provider import Errors
from homeport.addons.servers import give
from homeport.errors import HomeportError
from homeport.loops import Waker
from homeport.state import Database

EVERY_SECONDS = 5.0
HOLD_SECONDS = 10.0
QUIET_SECONDS = 2.0
"""A dyno that has said nothing more for so long has ended its traceback."""
REMEMBER_SECONDS = 60.0
RETRY_SECONDS = 5.0

_log = logging.getLogger("homeport.addons.errors")


class Line(Protocol):
    """A line of an app's log (`logs.Line`)."""

    @property
    def seq(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def source(self) -> str: ...
    @property
    def dyno(self) -> str: ...
    @property
    def text(self) -> str: ...


class Follower(Protocol):
    """A place in an app's log (`logs.Reader`)."""

    async def next(self, within: float | None) -> Sequence[Line] | None: ...


class Journal(Protocol):
    """The part of `logs.Logs` that is needed here."""

    def reader(self, app_id: str, after: int) -> Follower: ...

    def last_seq(self, app_id: str) -> int: ...


class Watch:
    """Time is `clock`, seconds since 1970; tracebacks are held for `hold` seconds."""

    def __init__(
        self,
        database: Database,
        errors: Errors,
        journal: Journal,
        *,
        clock: Callable[[], float] = time.time,
        hold: float = HOLD_SECONDS,
    ) -> None:
        self._database = database
        self._errors = errors
        self._journal = journal
        self._clock = clock
        self._hold = hold
        self._marks: dict[str, Mark] = {}
        self._knowledge: dict[str, tracker.Knowledge] = {}
        self._per_minute: dict[str, int] = {}  # events that the plan of each add-on takes
        self._following: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._waker = Waker()

    def wake(self) -> None:
        """Config vars or attachments may have changed. Callable from any thread."""
        self._waker.wake()

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                try:
                    await self.sync()
                except Exception:
                    _log.exception("the error tracker could not be told of apps, and that is tried again")
                await self._waker.wait(EVERY_SECONDS)
        finally:
            await self._end(list(self._following))

    async def sync(self) -> None:
        """Once through all trackers."""
        found = await self._database.run(apps.tenants, self._errors.service, self._marks)
        ours = [tenant for tenant in found if self._errors.is_kept_here(tenant.resource)]
        for tenant in ours:
            if tenant.knowledge is not None:
                await asyncio.to_thread(self._tell, tenant)
        self._per_minute = {tenant.resource.id: tenant.resource.plan.limits["per_minute"] for tenant in ours}
        alive = {tenant.resource.id for tenant in ours}
        for gone in set(self._marks) - alive:
            del self._marks[gone], self._knowledge[gone]
        await self._follow({(tenant.resource.id, app) for tenant in ours for app in tenant.apps})

    def _tell(self, tenant: Tenant) -> None:
        """Write what is known of its apps into its folder, sealed."""
        assert tenant.knowledge is not None  # noqa: S101 - the caller's business
        folder = self._errors.folder(tenant.resource.id)
        sealed = tracker.seal(self._errors.knowledge_key(), tenant.knowledge.plain())
        give(folder / tracker.KNOWLEDGE, sealed, None)
        self._knowledge[tenant.resource.id] = tenant.knowledge
        self._marks[tenant.resource.id] = tenant.mark

    async def _follow(self, wanted: set[tuple[str, str]]) -> None:
        await self._end([key for key, task in self._following.items() if key not in wanted or task.done()])
        for key in wanted - set(self._following):
            self._following[key] = asyncio.create_task(self._read_for_ever(key))

    async def _end(self, keys: list[tuple[str, str]]) -> None:
        tasks = [self._following.pop(key) for key in keys]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read_for_ever(self, key: tuple[str, str]) -> None:
        complaint = ""
        while True:
            try:
                await self._read(key)
                return
            except HomeportError as error:
                if error.message != complaint:  # else it was said already
                    complaint = error.message
                    _log.error("the log of app %s could not be read for tracebacks: %s", key[1], complaint)
            except Exception:
                _log.exception("the log of app %s could not be read for tracebacks", key[1])
            await asyncio.sleep(RETRY_SECONDS)

    async def _read(self, key: tuple[str, str]) -> None:
        """Follow an app's log until the app is gone."""
        addon, app = key
        folder = self._errors.folder(addon)
        remembered = await asyncio.to_thread(_position, folder, app)
        last = self._journal.last_seq(app) if remembered is None else remembered
        if remembered is None:
            await asyncio.to_thread(self._record, addon, app, [], 0, last)
        follower = self._journal.reader(app, last)
        search = tracker.Reader(app)
        per_minute = self._per_minute[addon]
        bucket = tracker.Bucket(per_minute, time.monotonic)
        held: list[tracker.Traceback] = []
        written_at = self._clock()
        while True:
            lines = await follower.next(1.0)
            if lines is None:
                return
            if per_minute != self._per_minute.get(addon, per_minute):  # it has another plan now
                per_minute = self._per_minute[addon]
                bucket = tracker.Bucket(per_minute, time.monotonic)
            for line in lines:
                last = line.seq
                if line.source == "app":
                    held += search.feed(line.dyno, line.text, line.seq, line.at.timestamp())
            now = self._clock()
            held += search.settle(now - QUIET_SECONDS)
            due = [found for found in held if found.at <= now - self._hold]
            is_time = now - written_at >= REMEMBER_SECONDS and last != remembered
            if due or is_time:
                held = [found for found in held if found.at > now - self._hold]
                done = min([found.seq for found in held] + [search.begun or last + 1]) - 1
                taken = [found for found in due if bucket.take()]
                await asyncio.to_thread(self._record, addon, app, taken, len(due) - len(taken), done)
                remembered, written_at = done, now

    def _record(self, addon: str, app: str, found: list[tracker.Traceback], dropped: int, done: int) -> None:
        now = self._clock()
        known = self._knowledge.get(addon, tracker.Knowledge())
        read = partial(tracker.read_event, now=now, source=tracker.Source.LOGS)
        arrivals = [
            tracker.Arrival(replace(event, version=known.version("")), traceback.raw)
            for traceback in found
            for event in [read(traceback.raw)]
        ]
        with contextlib.closing(tracker.connect(self._errors.folder(addon))) as connection:
            tracker.record(
                connection,
                arrivals,
                hidden=known.hidden,
                tallies={"rate_limited": dropped} if dropped else {},
                position=tracker.Position(app, done),
                now=now,
            )


def _position(folder: Path, app: str) -> int | None:
    with contextlib.closing(tracker.connect(folder)) as connection:
        return tracker.position(connection, app)
