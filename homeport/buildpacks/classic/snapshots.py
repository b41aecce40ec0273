"""Buildpacks that were fetched before: a folder per address, in it one per version, written once.

    <cache>/buildpacks/ADDRESS/versions/VERSION/…    the files
    <cache>/buildpacks/ADDRESS/refs/REF              the version that a branch or tag was at when last asked

A version comes to be by one rename, so concurrent builds cannot see half of one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
import uuid
from pathlib import Path

from homeport.buildpacks.references import Remote
from homeport.slugs import remove

KEPT = 5
"""Versions of one buildpack; the ones used last stay."""

_VERSION = re.compile(r"[0-9a-f]{40,64}")


class Snapshots:
    """The versions of one buildpack."""

    def __init__(self, cache: Path, remote: Remote) -> None:
        # With its password: what one app may read of a private repository, another app may not.
        address = hashlib.sha256(f"{remote.user_info}\0{remote.url}".encode()).hexdigest()[:32]
        self._root = cache / "buildpacks" / address
        self._versions = self._root / "versions"
        self._last = self._root / "refs" / hashlib.sha256(remote.ref.encode()).hexdigest()[:32]
        for folder in (self._versions, self._last.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def has(self, version: str) -> bool:
        return (self._versions / version).is_dir()

    def last(self) -> tuple[str, float] | None:
        """The version that was used last, and when (seconds since 1970)."""
        with contextlib.suppress(OSError):
            version = self._last.read_text()
            if _VERSION.fullmatch(version) and self.has(version):
                return version, self._last.stat().st_mtime
        return None

    def keep(self, version: str, folder: Path) -> None:
        """Make a folder the files of a version; it is moved away."""
        with contextlib.suppress(OSError):  # somebody else was faster
            folder.rename(self._versions / version)
        by_age = sorted(self._versions.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in by_age[KEPT:]:
            remove(old)

    def take(self, version: str, to: Path) -> None:
        """Copy a version's files: scripts write into the folder that they are in."""
        shutil.copytree(self._versions / version, to, symlinks=True)
        now = time.time()
        os.utime(self._versions / version, (now, now))
        fresh = self._last.with_name(uuid.uuid4().hex)
        fresh.write_text(version)
        fresh.replace(self._last)

    def draft(self) -> Path:
        """A place for a new version, on the same file system; nothing is there yet."""
        return self._root / f"draft.{uuid.uuid4().hex}"
