"""`homeport down`, and what it hears of the daemon that it tells to end: all that runs is stopped by the daemon itself.

It has loaded already what that takes. For the command, loading it would take longer than all the rest.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from homeport.daemon import lock
from homeport.home import Home, write_whole

END_SECONDS = 45.0
"""For the daemon to let go of what is under way."""
HALT_SECONDS = 120.0
"""For dynos and servers of add-ons to end after that. Each of them is killed long before."""
GONE_SECONDS = 10.0
EVERY = 0.05


@dataclass(frozen=True)
class Progress:
    """How far the daemon with this process id has come; `done` once nothing runs any more."""

    pid: int
    dynos: int
    done: bool = False


def note(home: Home, dynos: int, *, done: bool = False) -> None:
    """Write down how far this process has come."""
    write_whole(_path(home), json.dumps(asdict(Progress(os.getpid(), dynos, done))))


def forget(home: Home) -> None:
    _path(home).unlink(missing_ok=True)


def read(home: Home, pid: int) -> Progress | None:
    """What the daemon with this process id has written down."""
    try:
        found = Progress(**json.loads(_path(home).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.pid == pid else None


def let_go(home: Home, pid: int) -> None:
    """Have the daemon end, and leave what runs to the next one."""
    _signal(pid, signal.SIGTERM)
    if not lock.wait_until_free(home, END_SECONDS):
        _kill(home, pid)
    _wait_until_gone(pid)


def end(home: Home, pid: int, announce: Callable[[int], None]) -> int | None:
    """Have the daemon end, and all that runs with it; returns how many dynos there were.

    `announce` is told before: dynos may take their time. None if the daemon ended before it was done.
    """
    if read(home, pid) is None:  # a second word would cut short what it does already
        _signal(pid, signal.SIGINT)
    deadline, seen = time.monotonic() + END_SECONDS, False
    while lock.holder(home) == pid:
        progress = read(home, pid)
        if progress is not None and not seen:
            seen = True
            deadline = time.monotonic() + HALT_SECONDS
            announce(progress.dynos)
        if time.monotonic() > deadline:
            _kill(home, pid)
            break
        time.sleep(EVERY)
    _wait_until_gone(pid)
    progress = read(home, pid)
    return progress.dynos if progress is not None and progress.done else None


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has ended by itself


def _wait_until_gone(pid: int) -> None:
    """It lets go of the lock a moment before it has gone, and its ports with it."""
    deadline = time.monotonic() + GONE_SECONDS
    while _exists(pid) and time.monotonic() < deadline:
        time.sleep(EVERY / 5)


def _exists(pid: int) -> bool:
    """One that nobody has buried yet doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][:1] not in ("Z", "X")
    except OSError:
        return False


def _kill(home: Home, pid: int) -> None:
    _signal(pid, signal.SIGKILL)
    lock.wait_until_free(home, 5)


def _path(home: Home) -> Path:
    return home.run / "stopping.json"
