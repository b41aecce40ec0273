"""A dyno's own copy of its code."""

# System calls on plain strings and descriptors: `pathlib` would double the time that many small files take.
# ruff: noqa: PTH101, PTH102, PTH114, PTH115, PTH116, PTH211

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

# copy_file_range(2) shares the blocks where the file system can (Btrfs, XFS) and copies in the kernel elsewhere.
_NOT_HERE = {errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.EBADF}


def make(code: Path, home: Path, links: Mapping[str, Path]) -> None:
    """Fill the new folder `home` with the files of `code` and with `links` (path below home -> folder).

    Modes and times are kept, except that the owner may write everything; symbolic links stay links, wherever they
    point; sockets, pipes and devices are left out. A link wins over a file of the same path.
    Raises OSError; ValueError for a link outside home.
    """
    home.mkdir(mode=0o700)
    for path, target in links.items():
        relative = PurePosixPath(path)
        if relative.is_absolute() or ".." in relative.parts or not relative.parts:
            raise ValueError(f"a link must be below HOME: {path}")
        link = home / relative
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target.absolute())
    _copy_folder(os.fspath(code), os.fspath(home))


def _copy_folder(source: str, target: str) -> None:
    folders: list[tuple[str, str]] = []
    with os.scandir(source) as entries:
        for entry in entries:
            copy = f"{target}/{entry.name}"
            if entry.is_symlink():
                _copy_link(entry.path, copy)
            elif entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, copy))
            elif entry.is_file(follow_symlinks=False):
                _copy_file(entry.path, copy)
    for path, copy in folders:
        try:
            os.mkdir(copy)
        except FileExistsError:
            if os.path.islink(copy):
                continue  # one of the links: never write through it
        os.chmod(copy, os.stat(path).st_mode & 0o777 | 0o700)
        _copy_folder(path, copy)


def _copy_link(source: str, copy: str) -> None:
    with contextlib.suppress(FileExistsError):  # one of the links, or on the way to one
        os.symlink(os.readlink(source), copy)


def _copy_file(source: str, copy: str) -> None:
    read = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        facts = os.fstat(read)
        try:
            write = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            return
        try:
            _copy_bytes(read, write, facts.st_size)
            os.fchmod(write, facts.st_mode & 0o777 | 0o600)
            os.utime(write, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # or every .pyc would be out of date
        finally:
            os.close(write)
    finally:
        os.close(read)


def _copy_bytes(read: int, write: int, size: int) -> None:
    try:
        while size > 0 and (copied := os.copy_file_range(read, write, size)):
            size -= copied
    except OSError as error:
        if error.errno not in _NOT_HERE:
            raise
        while size > 0 and (copied := os.sendfile(write, read, None, size)):
            size -= copied
