"""What the platform's loops are made of: a waker to wait by, and work that goes on beside the loop.

A loop looks at what there is to do, and waits until somebody wakes it or some seconds have passed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine


class Waker:
    """Wakes one loop. A wake while the loop looks makes it look again."""

    def __init__(self) -> None:
        self._called = False
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """Callable from any thread, also before anybody waits."""
        self._called = True  # before the loop is looked up, as `wait` does it the other way round: so none is lost
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed just now
                self._loop.call_soon_threadsafe(self._woken.set)

    async def wait(self, seconds: float) -> None:
        """Until somebody has called `wake` since the last time, or so many seconds have passed."""
        self._loop = asyncio.get_running_loop()
        if not self._called:
            # Not wait_for: in Python 3.11 that loses a cancellation which comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._woken.wait()
        self._called = False
        self._woken.clear()


class UnderWay:
    """What was begun and has not come to its end: one piece of work at a time for each key."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def __bool__(self) -> bool:
        return bool(self._tasks)

    def begin(self, key: str, work: Callable[[], Coroutine[object, object, None]]) -> None:
        """Unless work of this key is under way: what hangs is not begun again beside itself. It must not raise."""
        before = self._tasks.get(key)
        if before is not None and not before.done():
            return
        task = self._tasks[key] = asyncio.create_task(work())
        task.add_done_callback(lambda _: self._forget(key, task))

    def _forget(self, key: str, task: asyncio.Task[None]) -> None:
        if self._tasks.get(key) is task:
            del self._tasks[key]

    async def finish(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())

    async def give_up(self) -> None:
        """Cancel all of it, and wait until that is done."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
