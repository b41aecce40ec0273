"""One app's stream in memory: the last lines, their numbers, its flood limits and who waits for more.

Not for several threads: everything here happens on the event loop's.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from homeport.logs.flood import Bucket, Drops
from homeport.logs.lines import Line, label, parse, record_seq, stamp
from homeport.logs.segments import Segments
from homeport.logs.text import SURELY_SHORT, decode, lines_of

OUTPUT_RATE = 5_000.0
"""Lines a second of one app's own output, all its dynos together; a burst of as many."""

ROUTER_RATE = 10_000.0
"""Router lines a second of one app."""

BATCH = 500
"""Records per system call: bounds a file's overrun and one call's stay in the kernel."""

RETRY_DISK = timedelta(seconds=1)

_log = logging.getLogger("homeport.logs")


class Channel:
    """The stream of one app. Raises `OSError` when its files exist and cannot be read."""

    def __init__(self, app_id: str, segments: Segments, keep: int, clock: Callable[[], datetime]) -> None:
        self._app_id = app_id
        self._segments = segments
        self._clock = clock
        self._records: deque[str] = deque(segments.load(), maxlen=keep)
        self.last = record_seq(self._records[-1]) if self._records else 0
        now = clock()
        self._output = Bucket(OUTPUT_RATE, now)
        self._router = Bucket(ROUTER_RATE, now)
        self._drops = Drops()
        self._output_at: datetime | None = None
        self._disk_failed_at: datetime | None = None
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def releasable(self) -> bool:
        """Whether nothing would be lost by forgetting this object and loading it again later."""
        return not self._waiting and self._disk_failed_at is None

    @property
    def notice_pending(self) -> bool:
        """Lines were dropped and the stream does not say so yet."""
        return self._drops.pending

    def write(self, source: str, dyno: str, texts: Iterable[str], at: datetime | None) -> None:
        now = self._clock()
        self.say_drops(now)
        if dyno == "router":
            lines = list(texts)
            admitted = self._router.admit(map(len, lines), now)
            self._append(label(source, dyno), lines[:admitted], at or now)
            self._drop(len(lines) - admitted, now)
        else:
            self._append(label(source, dyno), texts, at or now)
        self.wake()

    def write_output(self, dyno: str, raw: Sequence[bytes], dropped: int) -> None:
        now = self._clock()
        if dropped > 0:
            self._drops.add(dropped, since=self._output_at or now)
        self.say_drops(now)
        admitted = self._output.admit(map(len, raw), now)
        self._append(label("app", dyno), map(decode, raw[:admitted]), now)
        self._output_at = now
        self._drop(len(raw) - admitted, now)
        self.wake()

    def say_drops(self, now: datetime, *, at_once: bool = False) -> None:
        """Put the count of dropped lines into the stream: now and then, or `at_once`."""
        if self._drops.pending and (at_once or self._drops.due(now)):
            self._append(label("heroku", "logplex"), (self._drops.say(now),), now)
            self.wake()

    def newest_first(self) -> Iterator[Line]:
        return (line for record in reversed(self._records) if (line := parse(record)))

    def after(self, seq: int) -> Iterator[Line]:
        """Kept lines with a greater number, oldest first. Don't write while iterating."""
        records = self._records
        # Numbers rise by one; where damage on disk left holes there are fewer lines, never more.
        for index in range(max(0, len(records) - max(0, self.last - seq)), len(records)):
            line = parse(records[index])
            if line is not None and line.seq > seq:
                yield line

    @property
    def oldest(self) -> Line | None:
        return parse(self._records[0]) if self._records else None

    def waiter(self) -> asyncio.Future[None]:
        """Done when something happened here. Give it to `unwait` afterwards."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        return future

    def unwait(self, future: asyncio.Future[None]) -> None:
        self._waiting.discard(future)

    def wake(self) -> None:
        """Something happened: whoever waits looks again."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()

    def close(self) -> None:
        self._segments.close()
        self.wake()

    def remove(self) -> None:
        self._segments.remove()
        self.wake()

    def persist(self) -> None:
        """Try again to put on disk what could not be put there."""
        if self._disk_failed_at is not None:
            self._rescue(self._clock())

    def _drop(self, count: int, now: datetime) -> None:
        if count:
            self._drops.add(count, since=now)
            self.say_drops(now)

    def _append(self, source: str, texts: Iterable[str], at: datetime) -> None:
        prefix = f" {stamp(at)} {source}: "
        seq = self.last
        batch: list[str] = []
        for text in texts:
            if len(text) <= SURELY_SHORT and text.isprintable():  # nearly all: kept fast
                seq += 1
                batch.append(f"{seq}{prefix}{text}")
            else:
                for line in lines_of(text):
                    seq += 1
                    batch.append(f"{seq}{prefix}{line}")
            if len(batch) >= BATCH:
                self._publish(batch, seq)
                batch = []
        if batch:
            self._publish(batch, seq)

    def _publish(self, batch: list[str], seq: int) -> None:
        """First to disk, then visible: nobody can have seen a number that a crash makes us use again."""
        failed_at = self._disk_failed_at
        if failed_at is None:
            try:
                self._segments.append(batch)
            except OSError as error:
                self._disk_failed_at = self._clock()
                _log.error("Log lines of app %s stay in memory only: %s", self._app_id, error)
        self._records.extend(batch)
        self.last = seq
        if failed_at is not None:
            now = self._clock()
            if not timedelta(0) <= now - failed_at < RETRY_DISK:
                self._rescue(now)

    def _rescue(self, now: datetime) -> None:
        try:
            self._segments.rewrite(self._records)
            self._disk_failed_at = None
            _log.info("Log lines of app %s are kept on disk again", self._app_id)
        except OSError:
            self._disk_failed_at = now
