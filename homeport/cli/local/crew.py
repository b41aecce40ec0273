"""Several processes run side by side: all of them live, or none.

Each has a process group of its own, so that what it starts ends with it. The exit of one ends the others; ^C is
passed on once, a second one kills.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from codecs import getincrementaldecoder
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

GRACE_SECONDS = 10.0
"""Between the request to end and the kill."""

LEFTOVER_SECONDS = 2.0
"""How long the output of a process group that was killed may take to end."""

_CHUNK = 64 * 1024

Show = Callable[[str, str], None]
"""(name, line): of a process what it prints, of "system" what becomes of processes."""

SYSTEM = "system"


@dataclass(frozen=True)
class Worker:
    """A process to start: `command` is a line for the shell, `env` its whole environment."""

    name: str
    command: str
    env: Mapping[str, str]


class Crew:
    """Runs workers to the end of the first."""

    def __init__(self, workers: Sequence[Worker], show: Show, *, grace: float = GRACE_SECONDS) -> None:
        self._workers = workers
        self._show = show
        self._grace = grace
        self._running: dict[str, asyncio.subprocess.Process] = {}
        self._left = len(workers)
        self._code: int | None = None
        self._ending = asyncio.Event()
        self._signals = 0

    async def run(self) -> int:
        """The exit code of the one that ended first; 128 and the signal's number if it was a signal, ours too."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal, number)
        try:
            async with asyncio.TaskGroup() as group:
                for worker in self._workers:
                    group.create_task(self._live_and_leave(worker))
                group.create_task(self._end_all())
        finally:
            self._signal_all(signal.SIGKILL)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)
        return self._code or 0

    async def _live_and_leave(self, worker: Worker) -> None:
        try:
            if not self._ending.is_set():
                await self._live(worker)
        finally:
            self._left -= 1

    async def _live(self, worker: Worker) -> None:
        # A pipe of our own: asyncio's wait() would wait for those that it makes to be closed, which a child that the
        # process leaves behind does not do.
        output, writing = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                "/bin/sh", "-c", worker.command, env=worker.env, start_new_session=True,
                stdin=asyncio.subprocess.DEVNULL, stdout=writing, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
        except BaseException:
            os.close(output)
            raise
        finally:
            os.close(writing)
        self._running[worker.name] = process
        self._show(SYSTEM, f"{worker.name} started (pid {process.pid})")
        if self._ending.is_set():  # while it was being started
            _signal_group(process, signal.SIGTERM)
        reading = asyncio.create_task(self._relay(worker.name, output))
        code = await process.wait()
        _signal_group(process, signal.SIGTERM)  # its own children, if it left any: nobody else will end them
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEFTOVER_SECONDS):
                await asyncio.shield(reading)
        _signal_group(process, signal.SIGKILL)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        del self._running[worker.name]
        self._end(code if code >= 0 else 128 - code)
        self._show(SYSTEM, f"{worker.name} {_words(code)}")

    async def _relay(self, name: str, output: int) -> None:
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(output, "rb", buffering=0)
        )
        decoder, rest = getincrementaldecoder("utf-8")("replace"), ""
        try:
            while chunk := await stream.read(_CHUNK):
                *lines, rest = (rest + decoder.decode(chunk)).split("\n")
                if len(rest) > _CHUNK:
                    lines, rest = [*lines, rest], ""
                for line in lines:
                    self._show(name, line.rstrip("\r"))
        finally:
            transport.close()
            if rest := rest + decoder.decode(b"", final=True):
                self._show(name, rest)

    async def _end_all(self) -> None:
        """Wait for a reason to end, ask all to, and kill those that don't."""
        await self._ending.wait()
        if not self._signals:
            self._signal_all(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._grace):
                while self._left:  # noqa: ASYNC110 - the end of a process wakes its own task, not this one
                    await asyncio.sleep(0.02)
        for name in list(self._running):
            self._show(SYSTEM, f"{name} did not end within {self._grace:.0f} seconds and is killed")
        self._signal_all(signal.SIGKILL)

    def _on_signal(self, number: signal.Signals) -> None:
        self._signals += 1
        self._end(128 + number)
        if self._signals == 1:
            self._show(SYSTEM, f"{number.name} received, ending all processes (once more: kill them)")
            self._signal_all(number)
        else:
            self._signal_all(signal.SIGKILL)

    def _end(self, code: int) -> None:
        if self._code is None:
            self._code = code
        self._ending.set()

    def _signal_all(self, number: signal.Signals) -> None:
        for process in self._running.values():
            _signal_group(process, number)


def _signal_group(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left in it
        os.killpg(process.pid, number)


def _words(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"exited with code {code}" if code else "exited"
