"""The log of every app: take lines in, give the last ones, follow."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from homeport.logs.channel import Channel
from homeport.logs.flood import SAY_EVERY, tail_notice
from homeport.logs.lines import EVERYTHING, Filter, Line
from homeport.logs.segments import Segments

KEPT_LINES = 1_500
"""Per app: https://devcenter.heroku.com/articles/logging#log-history-limits"""

OPEN_APPS = 256
"""How many apps' lines are in memory, each with an open file; the others' are loaded when they are used again."""

READ_AT_ONCE = 200
"""Lines that a follower is given in one piece at most."""

GRACE = 600.0

_APP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")

_log = logging.getLogger("homeport.logs")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Logs:
    """Where all lines go and come from. One per `root` and process; to be used from the event loop's thread.

    Writing never raises and never waits for a reader. What was written is in the kernel's hands when the call
    returns: it survives the end of this process. Time is `clock`, an aware datetime; `keep` lines are kept per app,
    and the lines of at most `open_apps` apps are in memory.
    """

    def __init__(
        self,
        root: Path,
        *,
        clock: Callable[[], datetime] = _utc_now,
        keep: int = KEPT_LINES,
        open_apps: int = OPEN_APPS,
    ) -> None:
        self._root = root
        self._clock = clock
        self._keep = keep
        self._open_apps = open_apps
        self._channels: OrderedDict[str, Channel] = OrderedDict()
        self._forgotten: set[str] = set()
        self._unreadable: set[str] = set()
        self._stopping = False
        self._closed = False

    def now(self) -> datetime:
        return self._clock()

    def write(self, app_id: str, source: str, dyno: str, texts: Iterable[str], *, at: datetime | None = None) -> None:
        """Add what the platform says of an app: router, api, dyno and release lines.

        Never dropped, except router lines beyond 10,000 a second. `at` is now unless given.
        """
        channel = self._channel(app_id)
        if channel is not None:
            channel.write(source, dyno, (texts,) if isinstance(texts, str) else texts, at)

    def write_output(self, app_id: str, dyno: str, raw: Sequence[bytes], dropped: int = 0) -> None:
        """Add what an app's dyno printed: lines as they came, before which `dropped` more were lost on the way.

        More than 5,000 lines a second of one app are dropped, counted and said in its stream (L10).
        """
        channel = self._channel(app_id)
        if channel is not None:
            channel.write_output(dyno, raw, dropped)

    def recent(self, app_id: str, limit: int = KEPT_LINES, filter: Filter = EVERYTHING) -> list[Line]:
        """The last `limit` lines that match, oldest first, of those that are kept."""
        channel = self._channel(app_id)
        if channel is None or limit < 1:
            return []
        channel.say_drops(self._clock(), at_once=True)
        newest = islice((line for line in channel.newest_first() if filter.matches(line)), limit)
        return list(newest)[::-1]

    def last_seq(self, app_id: str) -> int:
        """The number of an app's newest line, 0 if it never had one. Following from there misses nothing."""
        channel = self._channel(app_id)
        return channel.last if channel is not None else 0

    async def follow(self, app_id: str, after: int, filter: Filter = EVERYTHING) -> AsyncIterator[list[Line]]:
        """Lines that match with a number above `after`, as they come, until the app is forgotten or we close.

        Who takes them too slowly misses some and is told how many by a line of its own (L11).
        """
        reader = self.reader(app_id, after, filter)
        while (lines := await reader.next(None)) is not None:
            yield lines

    def reader(self, app_id: str, after: int, filter: Filter = EVERYTHING, *, since: datetime | None = None) -> Reader:
        """Like `follow`, with time-outs. `since`: up to when the reader is known to have missed nothing."""
        return Reader(self, app_id, after, filter, since)

    def forget(self, app_id: str) -> None:
        """Delete an app's lines and end who follows them. What is written to it from now on vanishes."""
        self._forgotten.add(app_id)  # dynos of a destroyed app have last words
        channel = self._channels.pop(app_id, None)
        if channel is not None:
            channel.remove()
        elif _APP_ID.fullmatch(app_id):
            Segments(self._root / app_id, self._keep).remove()

    def prune(self, keep: Iterable[str], *, grace: float = GRACE) -> None:
        """Delete the lines of all apps but these: after a crash between destroy and `forget`.

        Not what was begun in the last `grace` seconds: its app may be younger than `keep`.
        """
        kept = set(keep)
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            if folder.name in kept or folder.name in self._channels or not folder.is_dir():
                continue
            if time.time() - folder.stat().st_mtime >= grace:
                shutil.rmtree(folder, ignore_errors=True)

    def flush(self) -> None:
        """Say what was dropped and not yet said; put on disk what a full disk has kept in memory."""
        now = self._clock()
        for channel in self._channels.values():
            channel.say_drops(now, at_once=True)
            channel.persist()

    @property
    def stopping(self) -> bool:
        """Whether followers end because of us, not of their app: they may come back later."""
        return self._stopping

    def hang_up(self) -> None:
        """End all followers when they have what is there, and let none begin; lines are still taken.

        The first step of stopping: an HTTP server waits for responses to end before it stops, and a response that
        it has to break off makes `heroku logs --tail` fail instead of come back.
        """
        self._stopping = True
        for channel in self._channels.values():
            channel.wake()

    def close(self) -> None:
        """Flush, end all followers, close all files. Writing afterwards does nothing."""
        self.flush()
        self._stopping = self._closed = True
        for channel in self._channels.values():
            channel.close()
        self._channels.clear()

    def _channel(self, app_id: str) -> Channel | None:
        """The app's stream, loaded if need be. None: forgotten, closed, no possible id, or not readable now."""
        channel = self._channels.get(app_id)
        if channel is not None:
            self._channels.move_to_end(app_id)
            return channel
        if self._closed or app_id in self._forgotten or not _APP_ID.fullmatch(app_id):
            return None
        try:
            segments = Segments(self._root / app_id, self._keep)
            channel = Channel(app_id, segments, self._keep, self._clock)
        except OSError as error:
            if app_id not in self._unreadable:
                _log.error("The log of app %s cannot be read, and takes no lines until it can: %s", app_id, error)
            self._unreadable.add(app_id)
            return None
        self._unreadable.discard(app_id)
        self._channels[app_id] = channel
        self._release()
        return channel

    def _release(self) -> None:
        """Let go of the apps that were not used for longest, unless that would lose lines or a follower."""
        for _ in range(len(self._channels) - self._open_apps):
            app_id, channel = next(iter(self._channels.items()))
            channel.say_drops(self._clock(), at_once=True)
            if channel.releasable:
                channel.close()
                del self._channels[app_id]
            else:
                self._channels.move_to_end(app_id)


class Reader:
    """One follower's place in one app's stream. Holds a number, no lines: however slow, it costs nothing."""

    def __init__(self, logs: Logs, app_id: str, after: int, filter: Filter, since: datetime | None) -> None:
        self._logs = logs
        self._app_id = app_id
        self._filter = filter
        self._since = since
        # A number from the future was given out before a power cut took the newest lines. It means: all there is.
        self._seq = min(after, logs.last_seq(app_id))

    async def next(self, within: float | None) -> list[Line] | None:
        """The next lines; [] when none came `within` so many seconds; None when there will never be more."""
        loop = asyncio.get_running_loop()
        deadline = None if within is None else loop.time() + within
        while (channel := self._logs._channel(self._app_id)) is not None:
            channel.say_drops(self._logs.now())
            if lines := self._take(channel):
                return lines
            if self._logs.stopping:
                return None
            patience = None if deadline is None else deadline - loop.time()
            if patience is not None and patience <= 0:
                return []
            if channel.notice_pending:  # to be said soon, also if nothing more is written
                soon = SAY_EVERY.total_seconds()
                patience = soon if patience is None else min(patience, soon)
            future = channel.waiter()
            try:
                await asyncio.wait((future,), timeout=patience)
            finally:
                channel.unwait(future)
        return None

    def take(self) -> list[Line]:
        """The next lines that are there already; [] when the reader has all."""
        channel = self._logs._channel(self._app_id)
        return self._take(channel) if channel is not None else []

    def _take(self, channel: Channel) -> list[Line]:
        lines: list[Line] = []
        oldest = channel.oldest
        if oldest is not None and oldest.seq > self._seq + 1:
            lost = oldest.seq - self._seq - 1
            since = self._since or oldest.at
            text = tail_notice(lost, since, exact=self._filter == EVERYTHING)
            # Numbered as the last line that is lost: resuming after the notice goes on where it ends.
            lines.append(Line(oldest.seq - 1, self._logs.now(), "heroku", "logplex", text))
            self._seq = oldest.seq - 1
        for line in channel.after(self._seq):
            self._seq = line.seq
            if self._filter.matches(line):
                lines.append(line)
                if len(lines) >= READ_AT_ONCE:
                    break
        if lines:
            self._since = lines[-1].at
        return lines
