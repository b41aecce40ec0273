"""What a backup says of itself: at its beginning who wrote it, at its end what is in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from homeport import state
from homeport.errors import Invalid

FORMAT = 1
HEAD = "head.json"
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Head:
    """Who wrote it and when: enough to refuse what can't be read here. `home` is the $HOMEPORT_HOME it is of."""

    format: int
    homeport: str
    schema: str
    created_at: str
    machine: str
    home: str


@dataclass(frozen=True)
class Part:
    """Something that is there as a whole: a repository, a layer, the data of an add-on.

    `bytes` are those of its files, `sha256` is over their names, rights, sizes and contents in order.
    """

    name: str
    files: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Contents:
    """An add-on whose data is in the backup, in the part `dumps/ID`. `rows` by table, where it has tables."""

    id: str
    name: str
    service: str
    plan: str
    rows: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """All that is in a backup, for people and for whoever checks it. `warnings` are what was missing already when it
    was made."""

    head: Head
    apps: tuple[str, ...]
    addons: tuple[Contents, ...]
    parts: tuple[Part, ...]
    warnings: tuple[str, ...] = ()

    @property
    def bytes(self) -> int:
        """What it takes on the disk, unpacked."""
        return sum(part.bytes for part in self.parts)


def written(thing: Head | Manifest) -> bytes:
    """As JSON."""
    return json.dumps(asdict(thing), indent=1, ensure_ascii=True).encode() + b"\n"


def read_head(data: bytes) -> Head:
    """Raises `Invalid`: `backup_damaged`, `backup_newer`."""
    fields = _fields(data)
    if fields.get("format") != FORMAT:
        raise _newer(f"Its format is {str(fields.get('format'))[:20]}, this Homeport reads {FORMAT}.")
    head: Head = _made(Head, fields)
    if head.schema > state.revision():
        raise _newer(f"Homeport {head.homeport} wrote it (schema {head.schema}); this one knows {state.revision()}.")
    return head


def read_manifest(data: bytes) -> Manifest:
    """Raises `Invalid` (`backup_damaged`)."""
    fields = _fields(data)
    try:
        return Manifest(
            head=_made(Head, fields["head"]),
            apps=tuple(fields["apps"]),
            addons=tuple(_made(Contents, item) for item in fields["addons"]),
            parts=tuple(_made(Part, item) for item in fields["parts"]),
            warnings=tuple(fields["warnings"]),
        )
    except (KeyError, TypeError):
        raise damaged("Its manifest can't be read.") from None


def damaged(why: str) -> Invalid:
    return Invalid(
        "The backup is damaged.",
        id="backup_damaged",
        why=f"{why} Nothing was changed.",
        fix="Use another backup: `homeport backups` lists those that are here.",
    )


def _newer(why: str) -> Invalid:
    return Invalid(
        "The backup was written by a newer Homeport.",
        id="backup_newer",
        why=f"{why} An older program could damage what it does not understand. Nothing was changed.",
        fix="Install that Homeport, or a later one, and restore with it.",
    )


def _fields(data: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(data)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise damaged("What it says of itself can't be read.")
    return fields


def _made(kind: type[Any], fields: Any) -> Any:
    try:
        return kind(**fields)
    except TypeError:
        raise damaged("What it says of itself can't be read.") from None
