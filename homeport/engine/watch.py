"""Telling everyone who watches an engine about changes."""

from __future__ import annotations

import asyncio
from weakref import WeakSet

from homeport.engine.interface import Instance


class Watch:
    """The changes from the moment it was made; ends when the engine is closed."""

    def __init__(self) -> None:
        self._changes: asyncio.Queue[Instance | None] = asyncio.Queue()

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> Instance:
        change = await self._changes.get()
        if change is None:
            self._changes.put_nowait(None)  # and it stays ended
            raise StopAsyncIteration
        return change

    def tell(self, change: Instance | None) -> None:
        self._changes.put_nowait(change)


class Watchers:
    """Everyone who watches; one who lets go of their `Watch` is forgotten."""

    def __init__(self) -> None:
        self._watches: WeakSet[Watch] = WeakSet()
        self._closed = False

    def watch(self) -> Watch:
        watch = Watch()
        if self._closed:
            watch.tell(None)
        self._watches.add(watch)
        return watch

    def tell(self, change: Instance) -> None:
        for watch in list(self._watches):
            watch.tell(change)

    def close(self) -> None:
        self._closed = True
        for watch in list(self._watches):
            watch.tell(None)
