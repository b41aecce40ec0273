"""Reading a backup from its beginning to its end, and trying all of it that can be tried without restoring it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from homeport import slugs
from homeport.addons import Resource
from homeport.backup import snapshot
from homeport.backup.archive import Member, Reader
from homeport.backup.manifest import Manifest, damaged
from homeport.backup.snapshot import Named
from homeport.backup.unpack import Unpacker
from homeport.home import Home

Check = Callable[[Resource, Path], None]
"""Reads what the provider of an add-on has written into a folder, changing nothing.

Raises `Invalid` if that is damaged, or if this machine can't take it (a server of that version is missing).
"""


def examine(source: BinaryIO, passphrase: bytes | None, work: Path, check: Check) -> Manifest:
    """Read all of the backup; `work` is an empty folder for what has to lie on the disk for that.

    Raises `Invalid`: `backup_damaged`, `backup_newer`, `backup_encrypted`, `backup_passphrase_wrong`, and what `check`
    raises.
    """
    examination = _Examination(Reader(source, passphrase), work, check)
    return examination.all()


class _Examination:
    def __init__(self, reader: Reader, work: Path, check: Check) -> None:
        self._reader = reader
        self._home = Home(work / "home")
        self._home.root.mkdir()
        self._unpacker = Unpacker(self._home.root)
        self._check = check
        self._named: Named | None = None
        self._seen: set[str] = set()

    def all(self) -> Manifest:
        under_way = ""
        for member in self._reader.members():
            if member.part != under_way:
                self._ended(under_way)
                under_way = member.part
            self._look_at(member)
        self._ended(under_way)
        manifest = self._reader.manifest
        self._compare(self._contents(), manifest)
        return manifest

    def _look_at(self, member: Member) -> None:
        first = member.path.partition("/")[0]
        if first in ("state.db", "secrets", "dumps"):
            self._unpacker.put(member)
        self._seen.add(member.path if first == "addons" else member.part)

    def _ended(self, part: str) -> None:
        """A part has been read: of add-ons, one is tried after the other, so that only one lies on the disk."""
        if part.startswith("dumps/"):
            known = {resource.id: resource for resource in self._contents().addons}
            resource = known.get(part.partition("/")[2])
            if resource is None:
                raise damaged(f"It has {part}, but knows of no such add-on.")
            self._check(resource, self._home.root / part)
            slugs.remove(self._home.root / part)
            self._unpacker.forget(part)

    def _contents(self) -> Named:
        """What the database names, once that and the key to it have been read."""
        if self._named is None:
            for path in (self._home.database, self._home.secrets / "config.key"):
                if not path.is_file():
                    raise damaged(f"It has no {path.name}.")
            snapshot.require_sound(self._home.database)
            self._named = snapshot.named(self._home.database, (self._home.secrets / "config.key").read_bytes())
        return self._named

    def _compare(self, named: Named, manifest: Manifest) -> None:
        """Nothing may be named that isn't there, but what was missing when the backup was made."""
        missing = [f"slugs/layers/{key}" for key in named.layers]
        missing += [f"addons/backups/{transfer}.dump" for transfer in named.transfers]
        missing += [f"dumps/{resource.id}" for resource in named.addons]
        missing = [path for path in missing if path not in self._seen]
        unexpected = [
            path for path in missing if not any(path.rpartition("/")[2] in said for said in manifest.warnings)
        ]
        if unexpected:
            raise damaged(f"Its state names {unexpected[0]}, which isn't in it.")
