"""One daemon per `$HOMEPORT_HOME`: a lock that the kernel releases when its holder dies, however it dies."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from homeport.errors import HomeportError
from homeport.home import Home


def _path(home: Home) -> Path:
    return home.root / "daemon.lock"


@contextlib.contextmanager
def held(home: Home) -> Iterator[None]:
    """Hold the lock inside the block. Raises `HomeportError` (`daemon_running`) when another process has it."""
    with _path(home).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeportError(
                "daemon_running",
                f"Homeport already runs for {home.root} (process {holder(home) or 'unknown'}).",
                why="Two daemons on one folder would start every dyno twice.",
                fix="See it with `homeport status`, stop it with `homeport down`, or choose another HOMEPORT_HOME.",
            ) from None
        file.seek(0)
        file.truncate()
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def holder(home: Home) -> int | None:
    """The process id of the running daemon, None if none runs."""
    try:
        with _path(home).open("r+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read().strip() or 0) or None
            return None
    except (FileNotFoundError, ValueError):
        return None


def wait_until_free(home: Home, seconds: float) -> bool:
    """True once nobody holds the lock, False if somebody still does after this many seconds."""
    deadline = time.monotonic() + seconds
    while holder(home) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
