"""The loop that keeps the router in step with the database: at once when something was touched, and on a timer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from homeport.loops import Waker

EVERY = 15.0
PAUSE = 1.0

_log = logging.getLogger("homeport")


class Routing:
    """Calls `apply` after each `wake`; wakes that come meanwhile are answered together."""

    def __init__(self, apply: Callable[[], Awaitable[None]]) -> None:
        self._apply = apply
        self._waker = Waker()

    def wake(self) -> None:
        """Callable from any thread."""
        self._waker.wake()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._apply()
            except Exception:
                _log.exception("the router could not be updated and is tried again")
                await asyncio.sleep(PAUSE)
            await self._waker.wait(EVERY)
