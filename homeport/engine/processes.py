"""Finding and ending processes when nobody who knows them is left: the shim of their dyno was killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path

from homeport.engine.folder import Started
from homeport.engine.shim.process import start_ticks, stat

PATIENCE = 5.0
"""Seconds that processes have to end once nothing holds them: they may be in the middle of slow I/O."""


def life() -> str:
    """A name for the time since this machine (or this container) started."""
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}.{start_ticks(1)}"


def kill_orphans(started: Started | None, home: Path) -> None:
    """KILL all that is left of a dyno whose shim is dead. Blocks until it is gone, for `PATIENCE` at most.

    The kernel has killed its first process by then (PR_SET_PDEATHSIG). The rest have init for a parent and are known
    by the HOME they were given, which no other process of the machine has, and by the session they are in.
    """
    deadline = time.monotonic() + PATIENCE
    while (pids := _orphans(started, home)) and time.monotonic() < deadline:
        for pid in pids:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)


def await_end(process: tuple[int, int]) -> None:
    """Block until a process that is ending is gone, for `PATIENCE` at most."""
    deadline = time.monotonic() + PATIENCE
    while is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.002)


def _orphans(started: Started | None, home: Path) -> set[int]:
    leader, leader_lives = (started.process[0], is_alive(started.process)) if started else (0, False)
    found: set[int] = {started.shim[0]} if started and is_alive(started.shim) else set()  # hung, and now useless
    pids = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit())
    alive = {pid: fields for pid in pids if (fields := stat(pid)) and fields[0] not in b"ZX"}
    for pid, fields in alive.items():
        # Without its leader a session's number proves little: it might be another one's by now.
        member = int(fields[3]) == leader and (leader_lives or _below(pid, home.parent))
        if member or _has_home(pid, home):
            found.add(pid)
    while heirs := {pid for pid, fields in alive.items() if int(fields[1]) in found} - found:
        found |= heirs
    return found - {os.getpid()}


def _has_home(pid: int, home: Path) -> bool:
    try:
        return b"HOME=" + os.fsencode(home) in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _below(pid: int, folder: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(folder)
    except OSError:
        return False


async def ended(pid: int) -> None:
    """Wait until a process is gone, and collect it if it is a child of ours."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return  # it is gone, and was no child of ours
    loop = asyncio.get_running_loop()
    gone: asyncio.Future[None] = loop.create_future()
    try:
        loop.add_reader(descriptor, lambda: _set(gone))
        await gone
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)  # noqa: ASYNC222 - it has ended


def _set(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def is_alive(process: tuple[int, int]) -> bool:
    pid, start = process
    return start_ticks(pid) == start
