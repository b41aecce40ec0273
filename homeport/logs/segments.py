"""One app's lines on disk: two files, appended to and renamed, never rewritten in place.

A record is in the kernel's hands when `append` returns, so killing the daemon (-9) loses none. There is no fsync: a
power cut may take the last seconds of log, which is what a log line is worth (docs/decisions/0030-log-segments.md).
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections import deque
from collections.abc import Sequence
from pathlib import Path

from homeport.logs.lines import parse
from homeport.logs.text import MAX_LINE_BYTES

_MAX_RECORD_BYTES = MAX_LINE_BYTES + 200  # number, time and label come before the text


class Segments:
    """`current.log` takes records until it alone holds all that must be kept; then it becomes `previous.log`.

    On disk are so at most twice `keep` records and a batch.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self._folder = folder
        self._keep = keep
        self._current = folder / "current.log"
        self._previous = folder / "previous.log"
        self._fd: int | None = None
        self._lines = 0
        self._size = 0

    def load(self) -> list[str]:
        """The last `keep` records, oldest first. Torn or damaged ones are left out; numbers always rise.

        Raises `OSError` when there are files that cannot be read now: taking them for empty would overwrite them.
        """
        records, self._lines, self._size = self._read(self._current)
        if len(records) < self._keep:
            records = self._read(self._previous)[0] + records
        kept: deque[str] = deque(maxlen=self._keep)
        last = 0
        for record in records:
            line = parse(record)
            if line is not None and line.seq > last:
                kept.append(record)
                last = line.seq
        return list(kept)

    def append(self, records: Sequence[str]) -> None:
        """Write the records by one system call. Raises `OSError`; then none of them is on disk."""
        if self._lines >= self._keep or self._size >= self._keep * _MAX_RECORD_BYTES:
            self._rotate()
        if self._fd is None:
            self._fd = self._open()
        data = ("\n".join(records) + "\n").encode()
        written = os.write(self._fd, data)
        if written != len(data):
            os.ftruncate(self._fd, self._size)  # else the next record would merge with half of one
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._lines += len(records)
        self._size += written

    def rewrite(self, records: Sequence[str]) -> None:
        """Put exactly these records on disk, whatever is there. Raises `OSError`; the old files are then untouched."""
        self.close()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = "".join(f"{record}\n" for record in records).encode()
        draft = self._folder / "current.new"
        try:
            draft.touch(mode=0o600)
            draft.write_bytes(data)
            draft.replace(self._current)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise
        self._previous.unlink(missing_ok=True)
        self._lines, self._size = len(records), len(data)

    def close(self) -> None:
        """Give the file descriptor back; the next `append` opens again."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            with contextlib.suppress(OSError):
                os.close(fd)

    def remove(self) -> None:
        """Delete everything."""
        self.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _rotate(self) -> None:
        self.close()
        self._current.replace(self._previous)
        self._lines = self._size = 0

    def _open(self) -> int:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        fd = os.open(self._current, flags, 0o600)
        try:
            os.ftruncate(fd, self._size)  # takes away the torn end that a crash may have left
        except OSError:
            os.close(fd)
            raise
        return fd

    @staticmethod
    def _read(path: Path) -> tuple[list[str], int, int]:
        """Records of a file, how many there are, and how many bytes they take without a torn end."""
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return [], 0, 0
        whole = data.rfind(b"\n") + 1
        records = data[:whole].decode("utf-8", "replace").split("\n")[:-1]
        return records, len(records), whole
