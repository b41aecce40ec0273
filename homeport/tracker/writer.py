"""One thread writes; what arrives while it is at work is written together in the next transaction.

An event is acknowledged when its transaction is committed, so whatever an SDK was told is there survives this
process's being killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from homeport.errors import HomeportError, Unavailable
from homeport.tracker import retention, schema
from homeport.tracker.events import read
from homeport.tracker.projects import Project, Projects
from homeport.tracker.recording import Arrival, record

MOST_WAITING = 4_000
MOST_WAITING_BYTES = 64 * 1024**2
AT_ONCE = 200
MOST_OPEN = 100
TIDY_SECONDS = 60.0
QUIET_SECONDS = 3600.0
"""Events grow too old where none arrive, too: so often a project is looked after that nothing was written to."""
SPARE_BYTES = 256 * 1024**2
"""Of the disk are left to the rest of the platform."""

_log = logging.getLogger("homeport.tracker")


@dataclass
class _Waiting:
    """What one request wants to have written."""

    events: Sequence[Mapping[str, object]]
    tallies: Mapping[str, int]
    size: int
    done: asyncio.Future[None]


@dataclass
class _Desk:
    """A project's place: its database, and what waits to be written there."""

    waiting: list[_Waiting] = field(default_factory=list)
    connection: sqlite3.Connection | None = None
    file: tuple[Path, int] | None = None
    task: asyncio.Task[None] | None = None
    has_changed: bool = False
    tidied_at: float = 0.0


class Writer:
    """`spare` bytes of the disk are never touched. Time is `clock`, seconds since 1970."""

    def __init__(self, projects: Projects, *, spare: int = SPARE_BYTES, clock: Callable[[], float] = time.time) -> None:
        self._projects = projects
        self._spare = spare
        self._clock = clock
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._desks: dict[int, _Desk] = {}
        self._count = 0
        self._size = 0

    async def write(
        self, project: Project, events: Sequence[Mapping[str, object]], tallies: Mapping[str, int], size: int
    ) -> None:
        """Returns when they are in the database. Raises `Unavailable` when they aren't and can't be now.

        `size` is how much memory they take, in bytes.
        """
        if self._count + len(events) > MOST_WAITING or self._size + size > MOST_WAITING_BYTES:
            raise Unavailable("More events came than can be written at once.", id="tracker_busy")
        desk = self._desks.setdefault(project.number, _Desk())
        job = _Waiting(events, tallies, size, asyncio.get_running_loop().create_future())
        desk.waiting.append(job)
        self._count += len(events)
        self._size += size
        if desk.task is None or desk.task.done():
            desk.task = asyncio.create_task(self._work(project.number, desk))
        await asyncio.shield(job.done)

    async def tidy(self) -> None:
        """Delete what is too old or too much, and close what is gone. To be called every few seconds."""
        alive = {project.number: project for project in self._projects.every()}
        for number, desk in list(self._desks.items()):
            busy = desk.task is not None and not desk.task.done()
            if number not in alive and not busy:
                del self._desks[number]
                await self._in_thread(_close, desk)
        await self._in_thread(self._tidy, list(alive.values()))

    async def close(self) -> None:
        """Write what waits, then close all databases."""
        await asyncio.gather(*(desk.task for desk in self._desks.values() if desk.task), return_exceptions=True)
        for desk in self._desks.values():
            await self._in_thread(_close, desk)
        self._thread.shutdown()

    async def _work(self, number: int, desk: _Desk) -> None:
        while desk.waiting:
            jobs = [desk.waiting.pop(0)]
            while desk.waiting and sum(len(job.events) for job in jobs) < AT_ONCE:
                jobs.append(desk.waiting.pop(0))
            error: Exception | None = None
            try:
                await self._in_thread(self._write, number, desk, jobs)
            except Exception as caught:
                error = _refusal(caught)
            for job in jobs:
                self._count -= len(job.events)
                self._size -= job.size
                if not job.done.done():
                    job.done.set_result(None) if error is None else job.done.set_exception(error)

    def _write(self, number: int, desk: _Desk, jobs: list[_Waiting]) -> None:
        project = self._projects.find(number)
        if project is None:
            raise Unavailable("The project is gone.", id="project_gone")
        self._require_space(project)
        now = self._clock()
        known = self._projects.knowledge(project)
        arrivals = []
        tallies: dict[str, int] = {}
        for job in jobs:
            for raw in job.events:
                event = read(raw, now=now)
                arrivals.append(Arrival(replace(event, version=known.version(event.release)), raw))
            for category, count in job.tallies.items():
                tallies[category] = tallies.get(category, 0) + count
        try:
            connection = self._connection(desk, project)
            record(connection, arrivals, hidden=known.hidden, tallies=tallies, now=now)
        except sqlite3.Error:
            _close(desk)  # whatever was the matter, begin anew: the file may be another one by now
            raise
        desk.has_changed = True

    def _connection(self, desk: _Desk, project: Project) -> sqlite3.Connection:
        """Open on the file that is there now: another one may have taken the place of the one we knew."""
        if desk.connection is not None and desk.file != _file(project):
            _close(desk)
        if desk.connection is None:
            desk.connection = schema.connect(project.folder)
            desk.file = _file(project)
            self._close_some(desk)
        return desk.connection

    def _close_some(self, but: _Desk) -> None:
        known = list(self._desks.values())  # in one step: the loop's thread adds to them
        opened = [desk for desk in known if desk.connection is not None and desk is not but]
        for desk in opened[: max(0, len(opened) - MOST_OPEN)]:
            _close(desk)

    def _require_space(self, project: Project) -> None:
        if shutil.disk_usage(project.folder).free < self._spare:
            raise Unavailable("The disk is nearly full.", id="disk_full")

    def _tidy(self, projects: list[Project]) -> None:
        now = self._clock()
        for project in projects:
            desk = self._desks.setdefault(project.number, _Desk())
            if 0 <= now - desk.tidied_at < (TIDY_SECONDS if desk.has_changed else QUIET_SECONDS):
                continue
            desk.has_changed, desk.tidied_at = False, now
            if not (project.folder / schema.FILE).exists():
                continue
            try:
                retention.prune(self._connection(desk, project), project.retention, now)
            except sqlite3.Error as error:
                _close(desk)
                _log.warning("Old events of project %d could not be deleted: %s", project.number, error)

    async def _in_thread(self, work: Callable[..., None], *arguments: object) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)


def _file(project: Project) -> tuple[Path, int] | None:
    path = project.folder / schema.FILE
    try:
        return path, path.stat().st_ino
    except FileNotFoundError:
        return None


def _close(desk: _Desk) -> None:
    connection, desk.connection = desk.connection, None
    if connection is not None:
        with contextlib.suppress(sqlite3.Error):
            connection.close()


def _refusal(error: Exception) -> HomeportError:
    """What is told outside: nothing of a file."""
    if isinstance(error, HomeportError):
        return error
    if isinstance(error, sqlite3.Error | OSError):
        _log.error("Events could not be written: %s", error)
        return Unavailable("Events can't be written now.", id="tracker_unwritable")
    _log.exception("A bug of the tracker", exc_info=error)
    return Unavailable("The tracker met an error of its own.", id="internal_server_error")
