"""The limited shell that a build's commands run in.

Each command gets a process group of its own at low priority. When it ends, is cancelled or runs out of time,
everything that it started is killed, also what has left the group: all of it carries the build's mark in its
environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from homeport.buildpacks import Finished, Show, Voice

MARK = "HOMEPORT_BUILD"
"""Names, in the environment of every process of a build, the scratch folder of that build."""

_LONGEST_LINE = 4000  # characters shown of one line
_KEPT = 200_000  # characters of a command's output that are kept for a diagnosis
_LINGER = 1.0  # seconds that a child's children may hold its output open after it has ended


class LimitedShell:
    """Runs one build's commands; `env` is their whole environment, `budget` the characters of output shown."""

    def __init__(self, voice: Voice, env: Mapping[str, str], *, mark: Path, budget: int) -> None:
        self._voice = voice
        self._env = {**env, MARK: str(mark)}
        self._mark = mark
        self._budget = budget

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        show: Show | None = None,
    ) -> Finished:
        """See `buildpacks.Shell`. Exit codes follow the shell: 127 not found, 126 not executable, 128 + signal."""
        environment = {**self._env, **(env or {})}
        try:
            process = await asyncio.create_subprocess_exec(
                *_at_low_priority(argv),
                cwd=cwd,
                env={name: value for name, value in environment.items() if value},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except (FileNotFoundError, PermissionError, OSError) as error:
            self._print(f"{argv[0]}: {error.strerror}")
            return Finished(127 if isinstance(error, FileNotFoundError) else 126, str(error.strerror))
        tail = _Tail()
        try:
            code = await self._follow(process, _Lines(lambda line: self._take(line, show, tail)))
        finally:
            _kill_group(process.pid)
            if process.returncode is None:  # cancelled or out of time
                await asyncio.to_thread(kill_marked, self._mark)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 5)
            process._transport.close()  # type: ignore[attr-defined]  # or a lingering grandchild keeps the pipe open
        return Finished(code if code >= 0 else 128 - code, tail.text())

    async def _follow(self, process: asyncio.subprocess.Process, lines: _Lines) -> int:
        assert process.stdout is not None  # noqa: S101 - asked for above
        reading = asyncio.ensure_future(_pump(process.stdout, lines))
        try:
            code = await process.wait()
            await asyncio.wait([reading], timeout=_LINGER)
            return code
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading
            lines.close()

    def _take(self, line: str, show: Show | None, tail: _Tail) -> None:
        tail.add(line)
        shown = show(line) if show is not None else line
        if shown is not None:
            self._print(shown)

    def _print(self, line: str) -> None:
        if self._budget < 0:
            return
        self._budget -= len(line) + 1
        if self._budget < 0:
            self._voice.warning(
                "The build has printed more than it may; the rest is not shown.\n\n"
                "It goes on all the same. Make your scripts less talkative to see everything."
            )
        else:
            self._voice.detail(line)


class _Tail:
    """The end of a command's output."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque()
        self._size = 0

    def add(self, line: str) -> None:
        self._lines.append(line)
        self._size += len(line)
        while self._size > _KEPT:
            self._size -= len(self._lines.popleft())

    def text(self) -> str:
        return "\n".join(self._lines)


class _Lines:
    """Cuts bytes into lines. A carriage return alone overwrites the line, as on a terminal."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take = take
        self._rest = b""

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._emit(line)
        if len(self._rest) > 4 * _LONGEST_LINE:
            self._emit(self._rest)
            self._rest = b""

    def close(self) -> None:
        if self._rest:
            self._emit(self._rest)
            self._rest = b""

    def _emit(self, line: bytes) -> None:
        text = line.rstrip(b"\r").rpartition(b"\r")[2].decode(errors="replace").replace("\0", "")
        cut = len(text) - _LONGEST_LINE
        self._take(text if cut <= 0 else f"{text[:_LONGEST_LINE]}… ({cut} more characters)")


async def _pump(stream: asyncio.StreamReader, lines: _Lines) -> None:
    while data := await stream.read(65536):
        lines.feed(data)


def _at_low_priority(argv: Sequence[str]) -> list[str]:
    return [*_priority_prefix(), *argv]


@cache
def _priority_prefix() -> tuple[str, ...]:
    """Programs that lower a command's priority and then become it; a build must not slow running apps down."""
    nice = shutil.which("nice")
    ionice = shutil.which("ionice")
    prefix = (ionice, "-t", "-c", "2", "-n", "7") if ionice else ()
    return (*prefix, nice, "-n", "10") if nice else prefix


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def kill_marked(folder: Path) -> None:
    """Kill every process that carries this build's mark, whatever group or session it has moved to."""
    mark = f"{MARK}={folder}".encode()
    for _ in range(3):  # one that is just forking may be missed once
        found = False
        for entry in os.scandir("/proc") if Path("/proc/self/environ").exists() else ():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            with contextlib.suppress(OSError):
                if mark in Path(entry.path, "environ").read_bytes().split(b"\0"):
                    os.kill(int(entry.name), signal.SIGKILL)
                    found = True
        if not found:
            return
