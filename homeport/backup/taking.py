"""Making a backup while the platform runs.

The order is what makes it whole (docs/decisions/0151): first the repositories, so that none is ahead of the database;
then the database, in one moment; then all that it names, which the platform does not remove while a backup is made.
Databases of apps come last: older code on newer data is what every release phase is, newer code on older data never is.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from homeport import slugs, state
from homeport.addons import Resource
from homeport.backup import inventory, snapshot
from homeport.backup.archive import Writer
from homeport.backup.inventory import Kept
from homeport.backup.manifest import FORMAT, Contents, Head, Manifest
from homeport.backup.snapshot import Named
from homeport.home import Home

PYTHONS = "builds/cache/pythons"
_MADE_BY_BUILDS = {"cache", "setups", "sources", "uploads", "work"}
"""What of the folder of builds the next one makes again, or nobody asks for any more."""
ROWS = "rows.json"
"""What providers of databases write beside their data: rows by table."""

Say = Callable[[str], None]


class Captures(Protocol):
    """The platform, as far as a backup needs it."""

    def capture(self, resource: Resource, into: Path) -> None:
        """Have the add-on's provider write its data below this empty folder. Raises `HomeportError`."""


@dataclass(frozen=True)
class Order:
    """What is to be backed up: the platform in `home`, by Homeport `version`. `say` is told how far it is."""

    home: Home
    captures: Captures
    version: str
    say: Say = lambda _text: None


def take(order: Order, target: BinaryIO, passphrase: bytes | None) -> Manifest:
    """Write a backup of the whole platform to `target`.

    The platform must be held meanwhile: no layer, file of a database backup, or data of an add-on may be removed.
    Raises `HomeportError`, and OSError when the disk is full.
    """
    scratch = slugs.Scratch(order.home.backups / ".work")
    try:
        return _Taking(order, target, passphrase, scratch.folder("take")).all()
    finally:
        scratch.close()


class _Taking:
    def __init__(self, order: Order, target: BinaryIO, passphrase: bytes | None, work: Path) -> None:
        self._home = order.home
        self._captures = order.captures
        self._say = order.say
        self._work = work
        self._writer = Writer(target, _head(order), passphrase)
        self._warnings: list[str] = []

    def all(self) -> Manifest:
        self._repositories()
        named = self._state()
        self._as_they_are()
        self._layers(named.layers)
        self._builds()
        self._logs()
        self._database_backups()
        contents = [self._addon(resource) for resource in named.addons]
        return self._writer.close(named.apps, tuple(contents), tuple(self._warnings))

    def _repositories(self) -> None:
        self._say("git repositories")
        for path in sorted(self._home.repositories.glob("[!.]*.git")):
            # References first: what they lead to is there already, and objects never go away. Loose ones before packed
            # ones, since packing writes those before it removes the others.
            name = f"repositories/{path.name}"
            self._writer.folder(name)
            self._writer.tree(path / "refs", f"{name}/refs", _is_lock)
            self._writer.tree(path, name, lambda below: below in ("refs", "objects") or _is_lock(below))
            self._writer.tree(path / "objects", f"{name}/objects", _is_draft)

    def _state(self) -> Named:
        """The database as it is now, and hold of the files it names that a person may delete at any time."""
        self._say("state")
        copy, key = self._work / "state.db", (self._home.secrets / "config.key").read_bytes()
        snapshot.copy(self._home.database, copy)
        named = snapshot.named(copy, key)
        snapshot.forget_transfers(copy, key, self._hold(named.transfers))
        self._writer.file(copy, "state.db")
        copy.unlink()
        return named

    def _hold(self, transfers: Iterable[str]) -> list[str]:
        """A second name for each file of a database backup; the ids of those that are gone."""
        (self._work / "backups").mkdir()
        gone = []
        for transfer in sorted(transfers):
            name = f"{transfer}.dump"
            try:
                (self._work / "backups" / name).hardlink_to(self._home.addons / "backups" / name)
            except FileNotFoundError:
                gone.append(transfer)
        return gone

    def _as_they_are(self) -> None:
        for path in sorted(self._home.root.iterdir()):
            if inventory.kept(path.name) is Kept.AS_IT_IS:
                if path.is_dir() and not path.is_symlink():
                    self._writer.tree(path, path.name)
                elif path.is_file() and not path.is_symlink():
                    self._writer.file(path, path.name)
        for name in inventory.FILES:
            with suppress(FileNotFoundError):
                self._writer.file(self._home.root / name, name)

    def _layers(self, keys: Iterable[str]) -> None:
        pythons = set()
        for number, key in enumerate(sorted(keys), start=1):
            layer = self._home.slugs / "layers" / key
            if not layer.is_dir():
                self._warnings.append(f"The layer {key} was not there: releases that stand on it do not start.")
                continue
            if number % 50 == 1:
                self._say("slugs")
            self._writer.tree(layer, f"slugs/layers/{key}")
            pythons.add(_own_python(self._home, layer))
        for python in sorted(filter(None, pythons)):
            self._writer.tree(self._home.root / PYTHONS / python, f"{PYTHONS}/{python}")

    def _builds(self) -> None:
        for path in sorted(self._home.builds.iterdir()):
            if path.name not in _MADE_BY_BUILDS and path.is_dir():
                self._writer.tree(path, f"builds/{path.name}")

    def _logs(self) -> None:
        # The newer file of an app first: if it becomes the older one meanwhile, lines are there twice rather than not
        # at all, and lines know their numbers.
        for name in ("current.log", "previous.log"):
            self._writer.tree(self._home.logs / "apps", "logs/apps", _all_files_but(name))

    def _database_backups(self) -> None:
        held = self._work / "backups"
        if any(held.iterdir()):
            self._say("backups of databases")
            self._writer.tree(held, "addons/backups")
        slugs.remove(held)

    def _addon(self, resource: Resource) -> Contents:
        self._say(f"data of {resource.name}")
        folder = self._work / "dump"
        folder.mkdir(mode=0o700)
        try:
            self._captures.capture(resource, folder)
            self._writer.tree(folder, f"dumps/{resource.id}")
            rows = read_rows(folder)
        finally:
            slugs.remove(folder)
        return Contents(resource.id, resource.name, resource.plan.service, resource.plan.name, rows)


def read_rows(folder: Path) -> Mapping[str, int]:
    """What a provider has counted of the data that it wrote into this folder."""
    with suppress(FileNotFoundError, ValueError, AttributeError):
        return {str(table): int(count) for table, count in json.loads((folder / ROWS).read_text()).items()}
    return {}


def _own_python(home: Home, layer: Path) -> str | None:
    """The interpreter that a layer runs on, if Homeport has fetched it itself."""
    with suppress(OSError, ValueError):
        target = (layer / "bin" / "python").readlink()
        return target.relative_to(home.root / PYTHONS).parts[0]
    return None


def _head(order: Order) -> Head:
    return Head(
        format=FORMAT,
        homeport=order.version,
        schema=state.revision(),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=platform.node(),
        home=os.fspath(order.home.root),
    )


def _all_files_but(name: str) -> Callable[[str], bool]:
    return lambda path: "/" in path and not path.endswith(f"/{name}")


def _is_lock(path: str) -> bool:
    return path.endswith(".lock")


def _is_draft(path: str) -> bool:
    """What a push that is under way has not yet made part of the repository."""
    return path.startswith("incoming-") or path.rpartition("/")[2].startswith("tmp_") or _is_lock(path)
