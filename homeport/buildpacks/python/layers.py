"""The dependency layer: a virtual environment, and a note in it of what it is.

Its key is made from everything that can change what gets installed, so an equal key means that there is nothing to
do. What a config var says is part of the key only through a keyed hash: keys show in listings, secrets must not.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from packaging.utils import canonicalize_name

from homeport.slugs import Store

FORMAT = 1
"""Raised when the same inputs should give another layer, so that old ones are not used any more."""

_NOTE = ".homeport.json"


@dataclass(frozen=True)
class Note:
    """What a layer knows about itself.

    `request` names what was to be installed, without the interpreter and the date: while it stays the same, an
    automatic date stays too. `paths` are folders of the app, relative to it, that Python must look in.
    """

    python: str
    request: str
    packages: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    before: str | None = None
    repairs: list[str] = field(default_factory=list)

    def write(self, layer: Path) -> None:
        (layer / _NOTE).write_text(json.dumps(asdict(self), indent=1))


def note(store: Store, key: str) -> Note | None:
    """What the layer of this key says about itself, None for anything else."""
    with contextlib.suppress(OSError, ValueError, TypeError):  # of another kind, or of another version of Homeport
        if store.has(key):
            return Note(**json.loads((store.path(key) / _NOTE).read_text()))
    return None


def key(inputs: Mapping[str, object], salt: bytes) -> str:
    """The key for these inputs, which must be JSON and complete."""
    return f"python-{digest({'format': FORMAT, **inputs}, salt)}"


def digest(inputs: Mapping[str, object], salt: bytes) -> str:
    text = json.dumps(inputs, sort_keys=True, ensure_ascii=True, default=_readable)
    return hmac.new(salt, text.encode(), hashlib.sha256).hexdigest()[:32]


def _readable(value: object) -> object:
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    raise TypeError(f"{type(value).__name__} cannot be part of a key")


def salt(cache: Path) -> bytes:
    """This installation's salt, made when first asked for. Losing it loses the cache, nothing else."""
    file = cache / "salt"
    with contextlib.suppress(FileNotFoundError):
        if len(kept := file.read_bytes()) == 32:
            return kept
    fresh = cache / f"salt.{secrets.token_hex(4)}"
    fresh.touch(0o600)
    fresh.write_bytes(secrets.token_bytes(32))
    with contextlib.suppress(FileExistsError):
        os.link(fresh, file)  # whoever comes first decides
    fresh.unlink()
    return file.read_bytes()


def site_packages(layer: Path) -> Path:
    """Where the packages of a virtual environment are. Raises `FileNotFoundError`."""
    found = next((layer / "lib").glob("python3*/site-packages"), None)
    if found is None:
        raise FileNotFoundError(layer / "lib")
    return found


def installed(layer: Path) -> dict[str, str]:
    """Versions by normalised name, read from the folders that installers leave; no Python is started."""
    packages = {}
    for entry in os.scandir(site_packages(layer)):
        stem, dot, kind = entry.name.rpartition(".")
        if dot and kind in ("dist-info", "egg-info"):
            name, _, version = stem.partition("-")
            packages[str(canonicalize_name(name))] = version.partition("-py")[0]
    return dict(sorted(packages.items()))
