"""`homeport backup`, `backups`, `restore`: what the command line calls. Each runs in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from homeport import __version__, backup, slugs
from homeport.backup import disk_errors_named, schedule, shelf
from homeport.daemon import lock
from homeport.daemon.captures import RunningPlatform
from homeport.daemon.compose import stop_everything
from homeport.daemon.providers import Providers, providers_of
from homeport.errors import HomeportError, Invalid
from homeport.home import Home

Say = Callable[[str], None]

NICENESS = 10
"""Apps come first."""
STDOUT = "-"


def back_up(target: str | None, *, passphrase_file: str | None, keep: int | None, say: Say) -> dict[str, Any]:
    """Write a backup into the file or folder `target`, read it back, and say what it is. "-" is standard output, where
    nothing can be read back.

    With `keep`, only the newest so many stay in the folder. Raises `HomeportError`; then there is no file.
    """
    secret = passphrase(passphrase_file)
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    _begin()
    with disk_errors_named("The backup could not be written", "Make room, or name a folder on another disk."):
        home = _existing_home()
        backup.require_finished(home)
        home.backups.mkdir(mode=0o700, exist_ok=True)
        if target == STDOUT:
            manifest = _taken(home, cast(BinaryIO, sys.stdout.buffer), secret, say)
            sys.stdout.buffer.flush()
            return _shown(manifest, None, secret is not None)
        path = shelf.place(Path(target or home.backups).absolute(), datetime.now(UTC), encrypted=secret is not None)
        with shelf.draft(path) as file:
            manifest = _taken(home, file, secret, say)
            say("Reading it back")
            file.seek(0)
            manifest = _examined(file, secret)
        shelf.remember_proof(path, manifest)
        removed = shelf.keep(path.parent, keep) if keep is not None else []
    return {**_shown(manifest, path, secret is not None), "removed": [str(old) for old in removed]}


def verify(file: str, *, passphrase_file: str | None) -> dict[str, Any]:
    """Read a backup to its end. Raises `HomeportError`."""
    path = Path(file).absolute()
    secret = passphrase(passphrase_file)
    with _opened(path) as source, disk_errors_named("The backup could not be read", "Make room, or set TMPDIR."):
        manifest = _examined(source, secret)
    shelf.remember_proof(path, manifest)
    return _shown(manifest, path, secret is not None)


def list_backups() -> dict[str, Any]:
    """Those in the usual folder or the schedule's, and how scheduled ones go."""
    home = Home.from_environment()
    planned, outcome = None, schedule.last(home)
    with contextlib.suppress(HomeportError):  # is among the warnings
        planned = schedule.read(home)
    folder = Path(planned.to) if planned is not None and planned.to else home.backups
    return {
        "folder": str(folder),
        "backups": [
            {
                "file": str(found.path),
                "bytes": found.bytes,
                "created_at": found.created_at.isoformat(),
                "encrypted": found.is_encrypted,
                "verified_at": found.verified_at,
            }
            for found in shelf.listed(folder)
        ],
        "schedule": asdict(planned) if planned is not None else None,
        "last_scheduled": asdict(outcome) if outcome is not None else None,
        "warnings": schedule.warnings(home),
    }


def set_backup_schedule(at: str, *, to: str | None, keep: int | None, passphrase_file: str | None) -> dict[str, Any]:
    """Have a backup made every day. Raises `HomeportError` for a time, folder or passphrase file that is none."""
    home = _existing_home()
    if to is not None and not Path(to).is_dir():
        raise HomeportError("folder_missing", f"There is no folder {to}.", fix="Make it, or name another.")
    if keep is not None and keep < 1:
        raise Invalid("At least one backup must be kept.")
    passphrase(passphrase_file)
    made = schedule.Schedule(
        at=schedule.parse_time(at),
        since=schedule.now(),
        keep=keep if keep is not None else schedule.KEPT,
        to=_absolute(to),
        passphrase_file=_absolute(passphrase_file),
    )
    schedule.write(home, made)
    return asdict(made)


def remove_backup_schedule() -> bool:
    """False if there was none."""
    return schedule.remove(_existing_home())


def restore(file: str, *, passphrase_file: str | None, say: Say) -> dict[str, Any]:
    """Fill an empty $HOMEPORT_HOME with a backup. Raises `HomeportError`; see `backup.restore`."""
    home = Home.from_environment()
    path = Path(file).absolute()
    secret = passphrase(passphrase_file)
    with _opened(path) as source:
        backup.require_room(home)
        _begin()
        fix = "Make room, and restore again: it begins anew."
        with disk_errors_named("The backup could not be restored", fix), _held(home):
            backup.require_room(home)
            with providers_of(home) as providers:
                order = backup.RestoreOrder(
                    home,
                    check=providers.check,
                    fill=providers.fill,
                    make_way=lambda: _make_way(home, providers),
                    stop=providers.stop,
                    say=say,
                )
                restored = backup.restore(order, source, secret)
    return {
        **_shown(restored.manifest, path, secret is not None),
        "home": str(home.root),
        "missing_pythons": sorted({(orphan.python, str(orphan.path)) for orphan in restored.orphans}),
    }


def passphrase(file: str | None) -> bytes | None:
    """What the file says, without the line's end. Raises `HomeportError` (`passphrase_unusable`)."""
    if file is None:
        return None
    try:
        text = Path(file).read_bytes().rstrip(b"\r\n")
    except OSError as error:
        text, why = b"", str(error.strerror)
    else:
        why = "It is empty."
    if not text:
        raise HomeportError(
            "passphrase_unusable",
            f"There is no passphrase in {file}.",
            why=why,
            fix=f"Make one, and keep a copy elsewhere: (umask 077; openssl rand -base64 32 > {file})",
        )
    return text


def _taken(home: Home, file: BinaryIO, secret: bytes | None, say: Say) -> backup.Manifest:
    """By the running platform; or of one that is stopped, whose servers then run just for that."""
    if lock.holder(home) is not None:
        with RunningPlatform(home) as running:
            return backup.take(backup.TakeOrder(home, running, __version__, say), file, secret)
    with lock.held(home), providers_of(home) as providers:
        were_running = providers.are_running
        try:
            return backup.take(backup.TakeOrder(home, providers, __version__, say), file, secret)
        finally:
            if not were_running:
                providers.stop()


def _examined(file: BinaryIO, secret: bytes | None) -> backup.Manifest:
    """Nothing of this platform is needed for that, nor touched."""
    with _scratch() as scratch:
        nowhere = Home(scratch.folder("nowhere"))
        with providers_of(nowhere) as providers:
            return backup.examine(file, secret, scratch.folder("examine"), providers.check)


@contextlib.contextmanager
def _scratch() -> Iterator[slugs.Scratch]:
    """Room for the data of one add-on after the other: beside the backups, without a platform in TMPDIR."""
    home = Home.from_environment()
    parent = home.backups if home.backups.is_dir() else Path(tempfile.gettempdir()) / f"homeport-{os.getuid()}"
    scratch = slugs.Scratch(parent / ".work")
    try:
        yield scratch
    finally:
        scratch.close()


@contextlib.contextmanager
def _held(home: Home) -> Iterator[None]:
    """The home is there, and nobody else's."""
    home.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.root.chmod(0o700)
    with lock.held(home):
        yield


def _make_way(home: Home, providers: Providers) -> None:
    """Stop what a fresh platform, or a restore that was cut short, has left running."""
    if backup.is_unfinished(home) or not home.database.exists():
        providers.stop()
    else:
        asyncio.run(stop_everything(home, announce=lambda _dynos: None))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise HomeportError(
            "backup_unreadable",
            f"{path} can't be read: {error.strerror}.",
            fix="`homeport backups` lists the backups that are here.",
        ) from None


def _existing_home() -> Home:
    home = Home.from_environment()
    if not home.database.exists():
        raise HomeportError(
            "no_platform_here",
            f"There is no platform in {home.root}.",
            fix="Set HOMEPORT_HOME to its folder, or make one: `homeport up --detach`.",
        )
    return home


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(Path(path).absolute())


def _begin() -> None:
    """What is written is for nobody else to read; TERM ends us as an exception does, everything cleared away."""
    os.umask(0o077)
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))


def _shown(manifest: backup.Manifest, path: Path | None, encrypted: bool) -> dict[str, Any]:
    return {
        "file": str(path) if path is not None else None,
        "bytes": path.stat().st_size if path is not None else None,
        "unpacked_bytes": manifest.bytes,
        "created_at": manifest.head.created_at,
        "homeport": manifest.head.homeport,
        "encrypted": encrypted,
        "verified": path is not None,
        "apps": list(manifest.apps),
        "addons": [
            {"name": addon.name, "service": addon.service, "plan": addon.plan, "rows": dict(addon.rows)}
            for addon in manifest.addons
        ],
        "warnings": list(manifest.warnings),
    }
