"""What this process knows about dynos beside the database and the engine: who works on what, who waits for what.

All of it may be lost at any moment: what is needed to go on is in the rows.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from homeport.dynos.actions import Why
from homeport.dynos.probe import Verdict
from homeport.dynos.states import State


@dataclass(frozen=True)
class Change:
    """A dyno of a release that somebody watches is up or has crashed."""

    dyno_id: str
    name: str
    state: State
    why: Why | None = None
    exit_code: int | None = None
    detail: str = ""


@dataclass(frozen=True)
class Ending:
    """How a one-off ended. `exit_code` is None if nobody knows."""

    why: Why
    exit_code: int | None
    detail: str = ""


@dataclass(frozen=True)
class Candidate:
    """A pending release whose web dynos come up, or wait for it to be current. `config` digests the config vars that
    they were started with."""

    release_id: str
    config: str


class Board:
    """Ids are those of dynos, except in `candidates` (by app) and of watchers (by release)."""

    def __init__(self) -> None:
        self.busy: set[str] = set()
        self.held: set[str] = set()
        self.gates: dict[str, Verdict] = {}
        self.gating: dict[str, asyncio.Task[None]] = {}
        self.exits: dict[str, int | None] = {}
        self.candidates: dict[str, Candidate] = {}
        self._watchers: dict[str, list[asyncio.Queue[Change]]] = defaultdict(list)
        self._endings: dict[str, asyncio.Future[Ending]] = {}
        self.awaited: set[str] = set()
        """One-offs whose end somebody waits for and whose row is there, or was: without it there is no end to come."""

    def forget(self, dyno_id: str) -> None:
        """Its row is gone."""
        self.gates.pop(dyno_id, None)
        self.exits.pop(dyno_id, None)
        self.stop_gating(dyno_id)

    def stop_gating(self, dyno_id: str) -> None:
        task = self.gating.pop(dyno_id, None)
        if task is not None:
            task.cancel()

    @contextlib.contextmanager
    def watch(self, release_id: str) -> Iterator[asyncio.Queue[Change]]:
        """Changes of the dynos of this release, for as long as the block lasts."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        self._watchers[release_id].append(queue)
        try:
            yield queue
        finally:
            self._watchers[release_id].remove(queue)
            if not self._watchers[release_id]:
                del self._watchers[release_id]

    def tell(self, release_id: str, change: Change) -> None:
        for queue in self._watchers.get(release_id, ()):
            queue.put_nowait(change)

    @contextlib.contextmanager
    def hold(self, dyno_id: str) -> Iterator[asyncio.Future[Ending]]:
        """Live with a one-off for as long as the block lasts; the future is its ending, once it has one."""
        future: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.held.add(dyno_id)
        self._endings[dyno_id] = future
        try:
            yield future
        finally:
            self.held.discard(dyno_id)
            self.awaited.discard(dyno_id)
            del self._endings[dyno_id]

    def ended(self, dyno_id: str, ending: Ending) -> None:
        future = self._endings.get(dyno_id)
        if future is not None and not future.done():
            future.set_result(ending)
