"""Backups as files: what they are called, how one comes to be there whole, and which are kept."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from homeport.backup.manifest import Manifest
from homeport.errors import HomeportError
from homeport.home import sync_folder

_NAME = re.compile(r"homeport-(\d{8}T\d{6}Z)(?:-\d+)?\.tar\.zst(\.age)?")
_STAMP = "%Y%m%dT%H%M%SZ"
_DRAFTS, _DRAFT = ".homeport-backup-", ".draft"


@dataclass(frozen=True)
class Proof:
    """That a file was read to its end and found whole; it holds for as long as the file has not changed."""

    bytes: int
    modified: int
    verified_at: str
    apps: int
    addons: int


@dataclass(frozen=True)
class Backup:
    """A file in the folder of backups. `verified_at` is None if it was not read since it was last written."""

    path: Path
    bytes: int
    created_at: datetime
    is_encrypted: bool
    verified_at: str | None


def place(asked: Path, at: datetime, *, encrypted: bool) -> Path:
    """The file that a backup goes into: `asked` itself, or a name of its own in that folder.

    Raises `HomeportError` (`backup_exists`, `folder_missing`).
    """
    if not asked.is_dir():
        if asked.exists():
            raise HomeportError(
                "backup_exists",
                f"{asked} exists.",
                why="A backup never overwrites anything.",
                fix="Give another name, or a folder: the file is then called by the time.",
            )
        if not asked.parent.is_dir():
            raise HomeportError(
                "folder_missing", f"There is no folder {asked.parent}.", fix="Make it, or name another."
            )
        return asked
    ending = ".tar.zst.age" if encrypted else ".tar.zst"
    stem = f"homeport-{at.astimezone(UTC).strftime(_STAMP)}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 100))]
    return next(path for path in (asked / f"{name}{ending}" for name in names) if not path.exists())


@contextlib.contextmanager
def draft(target: Path) -> Iterator[BinaryIO]:
    """A file to write to, readable too, that becomes `target` at the end of the block. An exception leaves nothing.

    It is private from its first byte. Drafts of processes that were killed are removed by the next one.
    """
    sweep(target.parent)
    path = target.with_name(f"{_DRAFTS}{target.name}{_DRAFT}")
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HomeportError("backup_under_way", f"Somebody is writing {target} already.") from None
        try:
            with contextlib.suppress(PermissionError):  # a memory stick knows no rights
                os.fchmod(descriptor, 0o600)
            file.truncate()
            yield file
            file.flush()
            os.fsync(descriptor)
            path.replace(target)
            sync_folder(target.parent)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def sweep(folder: Path) -> None:
    """Remove the drafts of backups that nobody writes any more."""
    for path in folder.glob(f"{_DRAFTS}*{_DRAFT}"):
        with contextlib.suppress(OSError), path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def listed(folder: Path) -> list[Backup]:
    """The backups in a folder that are called by their time, newest first."""
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        name = _NAME.fullmatch(path.name)
        if name is not None:
            with contextlib.suppress(FileNotFoundError):
                created = datetime.strptime(name[1], _STAMP).replace(tzinfo=UTC)
                proof = _proof(path)
                verified = proof.verified_at if proof is not None else None
                found.append(Backup(path, path.stat().st_size, created, name[2] is not None, verified))
    return sorted(found, key=lambda backup: (backup.created_at, backup.path.name), reverse=True)


def remember_proof(path: Path, manifest: Manifest) -> None:
    """Write down that the file was read and is whole; quiet where that can't be written."""
    with contextlib.suppress(OSError):
        facts = path.stat()
        verified_at = datetime.now(UTC).isoformat(timespec="seconds")
        proof = Proof(facts.st_size, facts.st_mtime_ns, verified_at, len(manifest.apps), len(manifest.addons))
        note = _note(path)
        fresh = note.with_name(f"{note.name}.{os.getpid()}")
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps(asdict(proof)))
        fresh.replace(note)


def keep(folder: Path, count: int) -> list[Path]:
    """Remove all but the newest so many; returns those that are gone."""
    gone = [backup.path for backup in listed(folder)[max(count, 1) :]]
    for path in gone:
        path.unlink(missing_ok=True)
        _note(path).unlink(missing_ok=True)
    return gone


def _note(path: Path) -> Path:
    return path.with_name(f".{path.name}.verified")


def _proof(path: Path) -> Proof | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        proof, facts = Proof(**json.loads(_note(path).read_text())), path.stat()
        if (proof.bytes, proof.modified) == (facts.st_size, facts.st_mtime_ns):
            return proof
    return None
