"""The files that objects are made of. Never changed once they are whole, and named by nothing that a client says.

A new one is written below `incoming`; once the index knows it, it moves below `files`. What a crash leaves in
`incoming` is sorted out at the next start: known to the index or of no use.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from .errors import S3Error, disk_full

PIECE = 1024**2
RESERVE = 64 * 1024**2
"""Bytes of the disk that are left for the index, so that a full disk can be emptied by deleting objects."""


class Blobs:
    def __init__(self, folder: Path) -> None:
        self._incoming = folder / "incoming"
        self._files = folder / "files"
        self._readers: Counter[str] = Counter()
        self._door = threading.Lock()

    def prepare(self) -> None:
        for path in (self._incoming, self._files):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def recover(self, is_known: Callable[[str], bool], *, spare: bool = False) -> None:
        """Sort out what was on its way when the last server died; `spare` what is not known."""
        for path in list(self._incoming.iterdir()):
            if is_known(path.name):
                self.publish(path.name)
            elif not spare:
                path.unlink(missing_ok=True)

    def require_room(self, size: int) -> None:
        """Raises `S3Error` (`InsufficientStorage`) unless the disk has room for that many bytes."""
        disk = shutil.disk_usage(self._files)
        if disk.free - size < min(RESERVE, disk.total // 20):
            raise disk_full()

    def draft(self) -> Draft:
        return Draft(self._incoming, secrets.token_hex(16))

    def link(self, id: str) -> str:
        """The same content as a file of its own; returns its id. On the disk, and incoming."""
        copy = secrets.token_hex(16)
        try:
            os.link(self._path(id), self._incoming / copy)
        except OSError as error:
            if error.errno not in (errno.EMLINK, errno.EPERM, errno.ENOTSUP):
                raise
            with self._path(id).open("rb") as source, Draft(self._incoming, copy) as draft:
                while piece := source.read(PIECE):
                    draft.write(piece)
                draft.keep()
        else:
            sync_folder(self._incoming)
        return copy

    def publish(self, id: str) -> None:
        """The index knows it: move it to where it stays."""
        target = self._place(id)
        target.parent.mkdir(mode=0o700, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # it is there already
            (self._incoming / id).rename(target)

    def discard(self, id: str) -> None:
        (self._incoming / id).unlink(missing_ok=True)

    def remove(self, id: str) -> bool:
        """False if somebody is reading it."""
        with self._door:
            if self._readers[id]:
                return False
            self._place(id).unlink(missing_ok=True)
            self.discard(id)
            return True

    @contextlib.contextmanager
    def reading(self, ids: list[str]) -> Iterator[None]:
        """Keep these files from being removed meanwhile. Raises `FileNotFoundError` if one was already."""
        with self._door:
            self._readers.update(ids)
        try:
            for blob in ids:
                if not self._path(blob).exists():
                    raise FileNotFoundError(blob)
            yield
        finally:
            with self._door:
                self._readers.subtract(ids)
                self._readers += Counter()  # only those that somebody still reads

    def open(self, id: str) -> int:
        """A descriptor to read from. Raises `FileNotFoundError` if it was removed."""
        return os.open(self._path(id), os.O_RDONLY | os.O_CLOEXEC)

    def _path(self, id: str) -> Path:
        """Where it lies now: for a moment, a file that the index knows is still incoming."""
        for path in (self._place(id), self._incoming / id, self._place(id)):
            if path.exists():
                return path
        return self._place(id)

    def _place(self, id: str) -> Path:
        return self._files / id[:2] / id


class Draft:
    """A file on its way. Gone at the end of the `with` block unless it was kept."""

    def __init__(self, folder: Path, id: str) -> None:
        self.id = id
        self._folder = folder
        self._path = folder / id
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._kept = False

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        if not self._kept:
            self._path.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """Raises `S3Error` (`InsufficientStorage`)."""
        view = memoryview(piece)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise _told(error) from error

    def keep(self) -> None:
        """Have it on the disk, whatever happens now. Raises `S3Error` (`InsufficientStorage`)."""
        try:
            os.fsync(self._descriptor)
            self._close()
            sync_folder(self._folder)
        except OSError as error:
            raise _told(error) from error
        self._kept = True

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _told(error: OSError) -> Exception:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return disk_full()
    return S3Error("InternalError", "The disk of this platform does not take the object.")
