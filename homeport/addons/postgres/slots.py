"""Whose turn it is: transfers take processors and much of the disk, and some wait for strangers' servers.

What only needs this platform (backups, their proofs and restores) has slots that nothing else takes: two downloads that
never end keep nobody's backup from being made. Of each app one restore, and one transfer from elsewhere, is at work.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from homeport.errors import Unavailable

AT_ONCE = 2
"""Of each kind; the others wait."""
MOST_SECONDS = 12 * 3600.0
"""Half a terabyte is dumped in less."""
SPARE_BYTES = 1024**3
"""What is fetched leaves so much of the disk to everybody else."""
LOOK_SECONDS = 0.5


class Slots:
    """`folder` is where archives are written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._here = asyncio.Semaphore(AT_ONCE)
        self._elsewhere = asyncio.Semaphore(AT_ONCE)
        self._turns: dict[tuple[str, bool], asyncio.Lock] = {}

    @contextlib.asynccontextmanager
    async def here(self, app_id: str | None = None) -> AsyncIterator[None]:
        """Work on our own data; with an app, one at a time of it. Raises `Unavailable` (`transfer_too_slow`)."""
        async with self._turn(app_id, False), self._here, limited(self._folder, spare=0):
            yield

    @contextlib.asynccontextmanager
    async def elsewhere(self, app_id: str) -> AsyncIterator[None]:
        """Work that other servers have a part in, which may send slowly, for ever.

        Raises `Unavailable` (`transfer_too_slow`, `disk_nearly_full`).
        """
        async with self._turn(app_id, True), self._elsewhere, limited(self._folder, spare=SPARE_BYTES):
            yield

    def _turn(self, app_id: str | None, is_elsewhere: bool) -> AbstractAsyncContextManager[None]:
        if app_id is None:
            return contextlib.nullcontext()
        return self._turns.setdefault((app_id, is_elsewhere), asyncio.Lock())


@contextlib.asynccontextmanager
async def limited(folder: Path, *, spare: int) -> AsyncIterator[None]:
    """The block is given up when it takes too long, or when the disk has less than `spare` bytes left."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    watching: asyncio.Task[None] | None = None
    try:
        async with asyncio.timeout(MOST_SECONDS) as limit:
            watching = asyncio.create_task(_until_full(folder, spare, limit))
            try:
                yield
            finally:
                watching.cancel()
    except TimeoutError:
        if not limit.expired():
            raise
        if watching is not None and not watching.cancelled() and watching.done():
            raise Unavailable(
                "The disk is nearly full, so this is given up.",
                id="disk_nearly_full",
                why=f"All apps and databases share it; {spare / 1024**3:.1f} GB of it are left free for them.",
                fix="Make room, or fill the database with less.",
            ) from None
        raise Unavailable(
            f"It was not done after {MOST_SECONDS / 3600:.0f} hours, so it is given up.",
            id="transfer_too_slow",
            why="Others wait for their turn.",
            fix="Does the other side still answer? Then try again with less.",
        ) from None


async def _until_full(folder: Path, spare: int, limit: asyncio.Timeout) -> None:
    """Ends the block's time, and itself, when the disk is full."""
    while True:
        if shutil.disk_usage(folder).free < spare:
            limit.reschedule(0.0)
            return
        await asyncio.sleep(LOOK_SECONDS)
