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
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from homeport.buildpacks import Finished, Show, Voice
from homeport.builds.tail import Tail

MARK = "HOMEPORT_BUILD"
"""Names, in the environment of every process of a build, the scratch folder of that build."""

UMASK = 0o022
"""What programs expect; the daemon's own lets nobody else read anything."""

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
        self._used = False

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str | None] | None = None,
        show: Show | None = None,
        formed: bool = False,
    ) -> Finished:
        """See `buildpacks.Shell`. Exit codes follow the shell: 127 not found, 126 not executable, 128 + signal."""
        self._used = True
        environment = {**self._env, **(env or {})}
        tail = Tail(_KEPT)
        lines = _Lines(lambda line: self._take(line, show, tail, formed=formed))
        async with _output_pipe(lines) as output:
            try:
                process = await asyncio.create_subprocess_exec(
                    *_priority_prefix(),
                    *argv,
                    cwd=cwd,
                    env={name: value for name, value in environment.items() if value is not None},
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=output.child_end,
                    stderr=output.child_end,
                    start_new_session=True,
                    umask=UMASK,
                )
            except OSError as error:
                self._print(f"{argv[0]}: {error.strerror}")
                return Finished(127 if isinstance(error, FileNotFoundError) else 126, str(error.strerror))
            output.hand_over()
            try:
                code = await process.wait()
                await output.drained(_LINGER)
            finally:
                await self._end(process)
        return Finished(code if code >= 0 else 128 - code, tail.text())

    def close(self) -> None:
        """End what commands have left running, wherever they have hidden it. Slow if any command was run."""
        if self._used:
            kill_marked(self._mark)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        """Kill what is left of a command; its process itself too when we were cancelled or out of time."""
        _kill_group(process.pid)
        if process.returncode is None:
            await asyncio.to_thread(kill_marked, self._mark)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await process.wait()

    def _take(self, line: str, show: Show | None, tail: Tail, *, formed: bool) -> None:
        tail.add(line)
        shown = show(line) if show is not None else line
        if shown is not None:
            self._print(shown, formed=formed)

    def _print(self, line: str, *, formed: bool = False) -> None:
        if self._budget < 0:
            return
        self._budget -= len(line) + 1
        if self._budget < 0:
            self._voice.warning(
                "The build has printed more than it may; the rest is not shown.\n\n"
                "It goes on all the same. Make your scripts less talkative to see everything."
            )
        elif formed:
            self._voice.formed(line)
        else:
            self._voice.detail(line)


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


class _Pipe:
    """The pipe that a command writes to.

    Our own rather than asyncio's: `Process.wait` would wait for the end of asyncio's pipes as well, which a process
    that the command has left in the background holds open for as long as it likes.
    """

    def __init__(self, child_end: int, pumping: asyncio.Task[None]) -> None:
        self.child_end = child_end
        self._pumping = pumping

    def hand_over(self) -> None:
        """The child has its end now; ours must be closed or there would never be an end of output."""
        if self.child_end >= 0:
            os.close(self.child_end)
            self.child_end = -1

    async def drained(self, patience: float) -> None:
        """Wait for the end of the output, for at most so many seconds."""
        await asyncio.wait([self._pumping], timeout=patience)


@contextlib.asynccontextmanager
async def _output_pipe(lines: _Lines) -> AsyncIterator[_Pipe]:
    """A pipe whose output goes to `lines`, until its end or the end of this block."""
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(read_end, "rb", buffering=0))
    pumping = asyncio.create_task(_pump(reader, lines))
    pipe = _Pipe(write_end, pumping)
    try:
        yield pipe
    finally:
        pipe.hand_over()
        transport.close()
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)
        lines.close()


async def _pump(stream: asyncio.StreamReader, lines: _Lines) -> None:
    while data := await stream.read(65536):
        lines.feed(data)


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
