"""A backup into an empty $HOMEPORT_HOME.

Nothing is touched before all of the backup has been read. From then until the end a marker lies in the folder: with it
the platform does not start, and a restore that was cut short begins anew.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from homeport import slugs
from homeport.addons import Resource
from homeport.backup import interpreters, inventory, snapshot
from homeport.backup.archive import Reader
from homeport.backup.examination import Check, examine
from homeport.backup.interpreters import Orphan
from homeport.backup.manifest import Manifest
from homeport.backup.taking import Say
from homeport.backup.unpack import Unpacker
from homeport.errors import HomeportError
from homeport.home import Home, sync_folder

MARKER = "restore.json"
_STAYS = {"backups", "daemon.lock", MARKER}
_ROOM_FOR_SERVERS = 256 * 1024**2
"""What the servers of add-ons take besides their data."""
_SLOW = {"repositories": "git repositories", "slugs": "slugs"}

Fill = Callable[[Resource, Path], None]
"""Makes an add-on's resource and fills it with what is in the folder. Raises `HomeportError`."""


@dataclass(frozen=True)
class Order:
    """What a restore needs: an empty `home`, which nobody else uses meanwhile, and providers of add-ons.

    `make_way` stops what an earlier attempt, or a fresh platform, has left running in it; `stop` stops the servers of
    add-ons.
    """

    home: Home
    check: Check
    fill: Fill
    make_way: Callable[[], None]
    stop: Callable[[], None]
    say: Say = lambda _text: None


@dataclass(frozen=True)
class Restored:
    """`orphans` are layers whose interpreter this machine does not have."""

    manifest: Manifest
    orphans: tuple[Orphan, ...]


def is_unfinished(home: Home) -> bool:
    """Whether a restore into it was cut short."""
    return (home.root / MARKER).exists()


def require_finished(home: Home) -> None:
    """Raises `HomeportError` (`restore_unfinished`) for a home that a restore has not got to its end in."""
    if is_unfinished(home):
        raise HomeportError(
            "restore_unfinished",
            f"A restore into {home.root} was cut short.",
            why="Some of its apps or data are not there yet.",
            fix="Run `homeport restore FILE` again: it begins anew. Or remove the folder.",
        )


def require_room(home: Home) -> None:
    """Raises `HomeportError` (`home_not_empty`) where a restore would replace what somebody may need."""
    if not home.root.exists() or is_unfinished(home):
        return
    strangers = sorted(path.name for path in home.root.iterdir() if path.name not in inventory.ENTRIES)
    if strangers:
        raise _not_empty(home, f"It has {strangers[0]}, which is nothing of Homeport's.")
    if home.database.exists() and (apps := _apps(home.database)):
        raise _not_empty(home, f"There {'is one app' if apps == 1 else f'are {apps} apps'} on it.")


def restore(order: Order, source: BinaryIO, passphrase: bytes | None) -> Restored:
    """Fill the home with the backup. The caller has seen that there is room for it.

    Raises `HomeportError`; `Invalid` from `examine` before anything is touched.
    """
    home = order.home
    home.backups.mkdir(mode=0o700, parents=True, exist_ok=True)
    scratch = slugs.Scratch(home.backups / ".work")
    try:
        order.say("Reading the backup to its end")
        manifest = examine(source, passphrase, scratch.folder("examine"), order.check)
        _require_space(home, manifest)
        order.make_way()
        _mark(home, manifest)
        _clear(home)
        home.prepare()
        source.seek(0)
        orphans = _unpack(order, Reader(source, passphrase), scratch.folder("dumps"))
        order.stop()
    finally:
        scratch.close()
    os.sync()  # a power cut must not find the marker gone and the files not there
    (home.root / MARKER).unlink()
    sync_folder(home.root)
    return Restored(manifest, tuple(orphans))


def _unpack(order: Order, reader: Reader, work: Path) -> list[Orphan]:
    """Files to their places, and what add-ons have written to their providers: that comes last in a backup."""
    home = order.home
    places, dumps = Unpacker(home.root), Unpacker(work)
    under_way, said = "", set()
    for member in reader.members():
        if member.part != under_way:
            _fill(order, work, under_way)
            under_way = member.part
            first = under_way.partition("/")[0]
            if first in _SLOW and first not in said:
                order.say(f"Restoring {_SLOW[first]}")
            said.add(first)
        (dumps if member.path.startswith("dumps/") else places).put(member)
    _fill(order, work, under_way)
    return interpreters.relink(home, Path(reader.head.home))


def _fill(order: Order, work: Path, part: str) -> None:
    if part.startswith("dumps/"):
        named = snapshot.named(order.home.database, (order.home.secrets / "config.key").read_bytes())
        resource = next(found for found in named.addons if part == f"dumps/{found.id}")
        order.say(f"Restoring the data of {resource.name}")
        order.fill(resource, work / part)
        slugs.remove(work / part)


def _apps(database: Path) -> int:
    """How many apps there are. A database that can't be read counts as one that is needed."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=rw", uri=True)) as connection:
            return int(connection.execute("SELECT count(*) FROM apps").fetchone()[0])
    except sqlite3.DatabaseError as error:
        return 0 if "no such table" in str(error) else 1


def _mark(home: Home, manifest: Manifest) -> None:
    (home.root / MARKER).write_text(json.dumps({"created_at": manifest.head.created_at}) + "\n")
    sync_folder(home.root)


def _clear(home: Home) -> None:
    """Away with what a fresh platform, or an earlier attempt, has left."""
    for path in home.root.iterdir():
        if path.name not in _STAYS:
            if path.is_dir() and not path.is_symlink():
                slugs.remove(path)
            else:
                path.unlink()
    with contextlib.suppress(FileNotFoundError):
        (home.backups / inventory.SCHEDULE).unlink()  # the backup brings its own


def _require_space(home: Home, manifest: Manifest) -> None:
    free, needed = shutil.disk_usage(home.root).free, manifest.bytes + _ROOM_FOR_SERVERS
    if free < needed:
        raise OSError(errno.ENOSPC, f"{needed / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")


def _not_empty(home: Home, why: str) -> HomeportError:
    return HomeportError(
        "home_not_empty",
        f"{home.root} is in use.",
        why=f"{why} A restore replaces everything.",
        fix="Restore into another folder: HOMEPORT_HOME=/another/folder homeport restore FILE",
    )
