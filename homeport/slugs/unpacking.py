"""Tarballs from anywhere, unpacked into a folder and nowhere else, and no further than they may."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

from homeport.errors import TooLarge

MOST_BYTES = 2_000_000_000
"""Of all files together: a small archive may hold any number of zeros."""
MOST_ENTRIES = 500_000


def unpack(archive: Path, into: Path, *, most_bytes: int = MOST_BYTES) -> None:
    """Unpack it, whatever it is compressed by; what was unpacked before an error stays.

    Raises `TooLarge`, and `tarfile.TarError`, `EOFError` or OSError for what is none.
    """
    with tarfile.open(archive, "r:*") as tar:
        # "data": nothing outside the folder, no devices, no set-uid
        tar.extractall(into, _within(tar, most_bytes), filter="data")


def _within(tar: tarfile.TarFile, most_bytes: int) -> Iterator[tarfile.TarInfo]:
    """The entries, for as long as they are not too many, nor together too large."""
    size = 0
    for count, entry in enumerate(tar, start=1):
        size += entry.size
        if size > most_bytes:
            raise TooLarge(f"It unpacks to more than {most_bytes // 1_000_000} MB.")
        if count > MOST_ENTRIES:
            raise TooLarge(f"It has more than {MOST_ENTRIES} files.")
        yield entry
