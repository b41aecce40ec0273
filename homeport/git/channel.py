"""From a task that must run to its end to a person who may give up before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import ClassVar


class Channel:
    """What a task writes on its way to a person, who may give up.

    The task goes on then and what it writes is dropped: a build is not ended by ^C, as on Heroku, and git must not
    die of a full pipe in the middle of it.
    """

    _tasks: ClassVar[set[asyncio.Task[None]]] = set()  # the loop itself holds tasks only weakly

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue(64)  # a slow clone shall not fill the memory
        self._abandoned = False

    def keep(self, work: Coroutine[None, None, None]) -> None:
        """Run `work`, after which the channel ends."""
        task = asyncio.create_task(self._run(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        finally:
            await self.put(b"")

    def put_soon(self, chunk: bytes) -> None:
        self._chunks.put_nowait(chunk)

    async def put(self, chunk: bytes) -> None:
        if not self._abandoned:
            await self._chunks.put(chunk)

    async def chunks(self) -> AsyncIterator[bytes]:
        try:
            while chunk := await self._chunks.get():
                yield chunk
        finally:
            self._abandoned = True
            while not self._chunks.empty():  # let a writer that waits for room go on
                self._chunks.get_nowait()
