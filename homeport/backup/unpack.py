"""From the members of a backup to files, never outside the folder that they are for."""

# System calls on plain strings: see archive.py.
# ruff: noqa: PTH101, PTH102, PTH211

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

from homeport.backup.archive import Member
from homeport.backup.manifest import damaged

_COPY = 1024 * 1024


class Unpacker:
    """Unpacks below `root`, which must be there and ours.

    A member is only written into folders that were made here, so a link that a backup brings leads nothing astray.
    """

    def __init__(self, root: Path) -> None:
        self._root = os.fspath(root)
        self._folders = {""}

    def put(self, member: Member, path: str | None = None) -> None:
        """Write it at its own path, or at another one. Raises `Invalid` for what no backup has, and OSError."""
        path = member.path if path is None else path
        self._make_folder(path.rpartition("/")[0])
        if member.is_folder:
            self._make_folder(path)
            os.chmod(f"{self._root}/{path}", member.mode | 0o700)
        elif member.link is not None:
            os.symlink(member.link, f"{self._root}/{path}")
        else:
            self._write(member, f"{self._root}/{path}")

    def _make_folder(self, path: str) -> None:
        """Make a folder and those above it."""
        if path in self._folders:
            return
        self._make_folder(path.rpartition("/")[0])
        try:
            os.mkdir(f"{self._root}/{path}", 0o700)
        except FileExistsError:
            folder = Path(self._root, path)
            if folder.is_symlink() or not folder.is_dir():
                raise damaged(f"It has something below {path[:100]!r}, which is no folder.") from None
        self._folders.add(path)

    def forget(self, path: str) -> None:
        """This folder was removed, with all in it."""
        self._folders = {known for known in self._folders if known != path and not known.startswith(f"{path}/")}

    @staticmethod
    def _write(member: Member, path: str) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            copy(member.content, file)
            file.flush()
            os.fchmod(descriptor, member.mode)
            os.utime(descriptor, (member.modified, member.modified))


def copy(source: BinaryIO, target: BinaryIO) -> None:
    """All of it."""
    while data := source.read(_COPY):
        target.write(data)
