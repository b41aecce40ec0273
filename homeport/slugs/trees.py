"""Folders as a whole: what they weigh, what names their content, and getting rid of them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from pathlib import Path


def measure(folder: Path) -> int:
    """Bytes of the files in a folder, as `ls` shows them; links count for nothing."""
    total = 0
    pending = [os.fspath(folder)]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
    return total


def fingerprint(folder: Path) -> str:
    """A digest of all names, contents, executable bits and links below a folder, whatever its own name is."""
    digest = hashlib.sha256()
    for directory, folders, files in os.walk(folder):
        folders.sort()
        links = [name for name in folders if Path(directory, name).is_symlink()]
        for name in sorted([*files, *links]):
            path = Path(directory, name)
            mode = path.lstat().st_mode
            digest.update(os.fsencode(path.relative_to(folder)) + b"\0")
            if stat.S_ISLNK(mode):
                digest.update(b"link\0" + os.fsencode(path.readlink()) + b"\0")
            elif stat.S_ISREG(mode):
                digest.update(b"program\0" if mode & 0o100 else b"file\0")
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def remove(folder: Path) -> None:
    """Remove a folder with everything in it, read-only parts too; quiet if it is gone."""
    with contextlib.suppress(FileNotFoundError):
        try:
            shutil.rmtree(folder)
        except PermissionError:
            for path, _, _ in os.walk(folder):  # parents come before what they hold, so each can be entered
                Path(path).chmod(0o700)
            shutil.rmtree(folder)
