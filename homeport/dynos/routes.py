"""Telling the router that other dynos serve now."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

_log = logging.getLogger("homeport.dynos")

PATIENCE = 10.0
"""Seconds. A router that does not answer must not keep dynos from being stopped and started."""


class Routes:
    """Calls `apply`, which reads the database and makes the router follow it, once for all who ask meanwhile."""

    def __init__(self, apply: Callable[[], Awaitable[None]]) -> None:
        self._apply = apply
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def changed(self) -> None:
        """Returns once the router knows of everything that was committed before the call."""
        if self._next is None:
            # An update that runs already may have read the database before our change.
            self._next = asyncio.create_task(self._after(self._running))
        await asyncio.shield(self._next)

    async def _after(self, running: asyncio.Task[None] | None) -> None:
        if running is not None:
            await asyncio.wait((running,))
        self._running, self._next = self._next, None
        try:
            async with asyncio.timeout(PATIENCE):
                await self._apply()
        except Exception:
            _log.exception("the router could not be updated; the next change or its own check will do it")
