"""What keeps a flood from costing more than a known share of the machine: a token bucket, and honest counting."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from homeport.logs.lines import stamp
from homeport.logs.text import MAX_LINE_BYTES, MAX_PIECES

BYTES_PER_TOKEN = 1_000
"""Long lines cost more: one token, and one for every full thousand bytes."""

MOST_BYTES = MAX_PIECES * MAX_LINE_BYTES
"""What a single line is charged for at most: more of it is not looked at."""

SAY_EVERY = timedelta(seconds=1)
"""How often one app's dropped lines are spoken of, at most: the report of a flood must not be another."""


class Bucket:
    """So many lines a second, and a burst of as many as one second brings."""

    def __init__(self, rate: float, now: datetime) -> None:
        self._rate = rate
        self._tokens = rate
        self._filled_at = now

    def admit(self, sizes: Iterable[int], now: datetime) -> int:
        """How many of the lines of these sizes (bytes), from the first on, may come in now."""
        elapsed = (now - self._filled_at).total_seconds()
        self._filled_at = now  # also when the clock was set back: that must not close the door for long
        tokens = min(self._rate, self._tokens + max(0.0, elapsed) * self._rate)
        admitted = 0
        for size in sizes:
            if tokens < 1:
                break
            # A line may take more than there is, so that no line is too long ever to come in: debt is paid first.
            tokens -= 1 + min(size, MOST_BYTES) // BYTES_PER_TOKEN
            admitted += 1
        self._tokens = tokens
        return admitted


class Drops:
    """Lines of one app that were dropped and not yet spoken of."""

    def __init__(self) -> None:
        self._count = 0
        self._since: datetime | None = None
        self._said_at: datetime | None = None

    @property
    def pending(self) -> bool:
        return self._count > 0

    def add(self, count: int, since: datetime) -> None:
        self._count += count
        self._since = self._since or since

    def due(self, now: datetime) -> bool:
        if not self._count:
            return False
        return self._said_at is None or not timedelta(0) <= now - self._said_at < SAY_EVERY

    def say(self, now: datetime) -> str:
        """The line that says it: https://devcenter.heroku.com/articles/error-codes#l10-drain-buffer-overflow"""
        text = overflow_notice(self._count, self._since or now)
        self._count, self._since, self._said_at = 0, None, now
        return text


def overflow_notice(count: int, since: datetime) -> str:
    return f"Error L10 (output buffer overflow): {count} messages dropped since {stamp(since)}."


def tail_notice(count: int, since: datetime, *, exact: bool) -> str:
    """https://devcenter.heroku.com/articles/error-codes#l11-tail-buffer-overflow

    Not `exact`: the reader filters, and nobody can tell any more which of the lines it would have wanted.
    """
    many = f"{count}" if exact else f"up to {count}"
    return f"Error L11 (Tail buffer overflow) -> This tail session dropped {many} messages since {stamp(since)}."
