"""How many events a project may send, and Sentry's way to tell its SDKs to wait.

https://develop.sentry.dev/sdk/foundations/transport/rate-limiting/
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

ERRORS = ("error", "default", "security")
"""Sentry's categories of events that become issues."""
OTHERS = (
    "transaction",
    "span",
    "session",
    "profile",
    "profile_chunk",
    "replay",
    "log_item",
    "metric_bucket",
    "monitor",
)
"""What is only counted here."""


class Bucket:
    """`per_minute` and no more, evenly; a minute's worth at once after a quiet time."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        self._per_second = per_minute / 60
        self._size = float(per_minute)
        self._clock = clock
        self._left = self._size
        self._at = clock()

    def take(self, count: int = 1) -> bool:
        """Whether there was room for as many."""
        now = self._clock()
        self._left = min(self._size, self._left + max(0.0, now - self._at) * self._per_second)
        self._at = now
        if self._left < count:
            return False
        self._left -= count
        return True

    @property
    def wait(self) -> int:
        """Seconds after which it is worth to come again: when a tenth of a minute's worth is there."""
        missing = max(1.0, self._size / 10) - self._left
        return max(1, min(60, math.ceil(missing / self._per_second)))


def limits(seconds: int, categories: Iterable[str]) -> dict[str, str]:
    """The headers by which an SDK holds these categories back for so long."""
    return {
        "Retry-After": str(seconds),
        "X-Sentry-Rate-Limits": f"{seconds}:{';'.join(categories)}:project",
    }
