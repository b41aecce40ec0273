"""Where asynchronous requests meet the store: one thread that writes, several that read, and the spooling of bodies."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import AsyncIterable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from .blobs import PIECE, Blobs, Draft
from .bodies import Body
from .errors import S3Error
from .store import Store

READERS = 4
DISK_THREADS = 8
SWEEP_SECONDS = 10.0
T = TypeVar("T")

_log = logging.getLogger("buckets")


class Desk:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.blobs = Blobs(folder)
        self._writer = ThreadPoolExecutor(1, "writer")
        self._readers = ThreadPoolExecutor(READERS, "reader")
        self._disk = ThreadPoolExecutor(DISK_THREADS, "disk")
        self._stores = threading.local()
        self._freed = asyncio.Event()

    async def open(self) -> None:
        """Make what isn't there, and sort out what the last server left."""
        self.blobs.prepare()
        await self._on(self._writer, self._prepare)

    async def read(self, question: Callable[[Store], T]) -> T:
        return await self._on(self._readers, lambda: question(self._store()))

    async def write(self, verb: Callable[[Store], T]) -> T:
        """What it returns is on the disk."""
        result = await self._on(self._writer, lambda: verb(self._store()))
        self._freed.set()
        return result

    async def disk(self, work: Callable[[], T]) -> T:
        """Something slow with files."""
        return await self._on(self._disk, work)

    async def spool(self, body: Body, source: AsyncIterable[bytes] | None = None) -> tuple[str, dict[str, str]]:
        """Write a body to a file, verified and on the disk: its id and the checksums that came with it.

        With `source` the content comes from there. Raises `S3Error`.
        """
        draft: Draft | None = None
        kept = False
        buffer = bytearray()
        taken = 0
        try:
            async for piece in body if source is None else source:
                buffer += piece
                taken += len(piece)
                if body.length is not None and taken > body.length and source is None:
                    raise S3Error("IncompleteBody", "There is more of the body than was announced.")
                if len(buffer) >= PIECE:
                    draft = draft or self.blobs.draft()
                    data, buffer = bytes(buffer), bytearray()
                    await self.disk(lambda draft=draft, data=data: _take(draft, body, data))  # type: ignore[misc]
            last = draft = draft or self.blobs.draft()
            sums = await self.disk(lambda: _finish(last, body, bytes(buffer)))
            kept = True
            return last.id, sums
        finally:
            if draft is not None and not kept:
                draft.__exit__()

    async def sweep(self) -> None:
        """Remove files that nothing refers to any more, until cancelled."""
        while True:
            self._freed.clear()
            try:
                while await self._on(self._writer, lambda: self._store().sweep()):
                    pass
            except Exception:
                _log.exception("sweeping failed and is tried again")
                await asyncio.sleep(SWEEP_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(SWEEP_SECONDS):
                    await self._freed.wait()

    def close(self) -> None:
        for pool in (self._readers, self._disk, self._writer):
            pool.shutdown()

    def _prepare(self) -> None:
        store = self._store()
        store.index.prepare()
        # A restore that goes on has files there which the index is yet to know.
        self.blobs.recover(store.knows, spare=store.is_pinned())

    def _store(self) -> Store:
        """This thread's own."""
        if not hasattr(self._stores, "store"):
            self._stores.store = Store(self._folder, self.blobs)
        store: Store = self._stores.store
        return store

    async def _on(self, pool: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work)


def _take(draft: Draft, body: Body, data: bytes) -> None:
    body.feed(data)
    draft.write(data)


def _finish(draft: Draft, body: Body, data: bytes) -> dict[str, str]:
    _take(draft, body, data)
    sums = body.verify()
    draft.keep()
    return sums
