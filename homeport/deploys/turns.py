"""One deploy at a time per app; the others wait in line and are told so."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable


class Turns:
    """A queue per app. First come, first served."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: dict[str, int] = {}

    @contextlib.asynccontextmanager
    async def take(self, app_id: str, say: Callable[[str], None]) -> AsyncIterator[None]:
        lock = self._locks.setdefault(app_id, asyncio.Lock())
        self._users[app_id] = self._users.get(app_id, 0) + 1
        try:
            if lock.locked():
                say("-----> Another deploy of this app is under way, waiting for it to finish...")
            async with lock:
                yield
        finally:
            self._users[app_id] -= 1
            if not self._users[app_id]:
                del self._users[app_id], self._locks[app_id]

    def busy(self, app_id: str) -> bool:
        return app_id in self._locks
