"""The scheduler at work: sleeps until something is due, takes a turn, and keeps what runs have said."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from homeport.logs import Filter, Logs
from homeport.loops import Waker
from homeport.scheduler import records, runs, turn
from homeport.scheduler.turn import Line
from homeport.state import App, Database, JobRun, now

LONGEST_SLEEP = 30.0
"""Seconds. Clocks are set, machines are suspended: the time is looked at again, and so is every app."""

RETRY = 5.0

_START = "Starting process with command"

_log = logging.getLogger("homeport.scheduler")


class Scheduler:
    """All jobs of this platform. `clock` is the time of day, aware."""

    def __init__(self, database: Database, logs: Logs, *, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._logs = logs
        self._clock = clock
        self._changed: set[str] = set()
        self._everything_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waker = Waker()

    async def run(self) -> None:
        """Until cancelled. What runs goes on running."""
        self._loop = asyncio.get_running_loop()
        self._everything_at = self._loop.time()
        try:
            while True:
                await self._waker.wait(await self._attempt(self._loop))
        finally:
            self._loop = None

    def wake(self, app_id: str) -> None:
        """Something about this app has changed: its release, a job, a dyno. Callable from any thread."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed just now
                loop.call_soon_threadsafe(self._note, app_id)

    async def sync(self, *, everything: bool = True) -> datetime | None:
        """Once through what is due; returns when something will be, if anything will."""
        changed, self._changed = self._changed, set()
        try:
            taken = await self._database.run(turn.take, self._clock(), None if everything else changed)
        except Exception:
            self._changed |= changed
            raise
        self._say(taken.lines)
        for run in taken.ended:
            await self._database.run(runs.keep_output, run.id, self.output(run))
        return taken.next_at

    async def run_now(self, app_id: str, job: str) -> JobRun:
        """Run a job, named by its name or id, though it is not due.

        Raises `NotFound`; `Conflict` (`job_running`, `too_many_one_offs`); `Invalid` (`no_code`).
        """
        run, lines = await self._database.run(self._run_now, app_id, job)
        self._say(lines)
        return run

    def output(self, run: JobRun) -> str:
        """What the app's log still has of it, in the log's form: what its dyno said since it was last started.

        Names of dynos come back, times are not to be trusted when a clock was set.
        """
        if run.dyno is None:
            return ""
        lines = self._logs.recent(run.app_id, filter=Filter(dyno=run.dyno))
        starts = [index for index, line in enumerate(lines) if line.source == "heroku" and line.text.startswith(_START)]
        return "".join(f"{line.format()}\n" for line in lines[starts[-1] if starts else 0 :])

    def _run_now(self, session: Session, app_id: str, job: str) -> tuple[JobRun, list[Line]]:
        found = records.find(session, session.get_one(App, app_id), job)
        return turn.run_now(session, found, self._clock())

    def _note(self, app_id: str) -> None:
        self._changed.add(app_id)
        self._waker.wake()

    async def _attempt(self, loop: asyncio.AbstractEventLoop) -> float:
        """Seconds until the next turn. However often somebody wakes us, everything is looked at from time to time."""
        everything = loop.time() >= self._everything_at
        try:
            next_at = await self.sync(everything=everything)
        except Exception:
            _log.exception("looking for jobs that are due failed and is tried again")
            return RETRY
        if everything:
            self._everything_at = loop.time() + LONGEST_SLEEP
        if next_at is None:
            return LONGEST_SLEEP
        return min(max((next_at - self._clock()).total_seconds(), 0.0), LONGEST_SLEEP)

    def _say(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self._logs.write(line.app_id, line.source, line.speaker, [line.text])
