"""The loop that keeps the router in step with the database: at once when something was touched, and on a timer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

EVERY = 15.0
PAUSE = 1.0

_log = logging.getLogger("homeport")


class Routing:
    """Calls `apply` after each `wake`; wakes that come meanwhile are answered together."""

    def __init__(self, apply: Callable[[], Awaitable[None]]) -> None:
        self._apply = apply
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Callable from any thread."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop was closed just now
                self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self) -> None:
        """Until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            self._woken.clear()
            try:
                await self._apply()
            except Exception:
                _log.exception("the router could not be updated and is tried again")
                await asyncio.sleep(PAUSE)
            # Not wait_for: in Python 3.11 that loses a cancellation which comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(EVERY):
                    await self._woken.wait()
