"""Scratch folders that cannot be left lying about, whatever happens to their process.

Each living process owns one folder below a shared parent and holds a lock on it. The kernel lets go of the lock even
after `kill -9`, and the next process that opens the parent removes the folders whose lock nobody holds.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from homeport.slugs.trees import remove

_LOCK = ".lock"
_YOUNG = 60.0  # seconds within which a folder without a lock file may still be about to get one


class Scratch:
    """A private folder of one's own below `parent`, for as long as this process (or until `close`)."""

    def __init__(self, parent: Path, *, abandoned: Callable[[Path], None] | None = None) -> None:
        """Make the folder; `abandoned` is told of each folder of a dead process before it is removed."""
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in _abandoned(parent):
            if abandoned is not None:
                abandoned(folder)
            remove(folder)
        self.path = parent / uuid.uuid4().hex
        self.path.mkdir(mode=0o700)
        self._lock = os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self._closed = False

    def folder(self, name: str) -> Path:
        """A fresh, empty folder whose name begins with `name`."""
        folder = self.path / f"{name[:80]}.{uuid.uuid4().hex[:8]}"
        folder.mkdir(mode=0o700)
        return folder

    def close(self) -> None:
        """Remove the folder and let go of its lock. Quiet if that is done."""
        if not self._closed:
            self._closed = True
            remove(self.path)
            os.close(self._lock)


def _abandoned(parent: Path) -> Iterator[Path]:
    for entry in list(os.scandir(parent)):
        folder = Path(entry.path)
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _YOUNG:
                    yield folder
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield folder
        except BlockingIOError:
            continue
        finally:
            os.close(lock)
