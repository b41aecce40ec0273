"""Which versions of PostgreSQL this machine has."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from homeport.errors import HomeportError, Invalid

DEBIAN = Path("/usr/lib/postgresql")
"""Where Debian and Ubuntu put each major version: /usr/lib/postgresql/15/bin."""


@dataclass(frozen=True, order=True)
class Version:
    """An installed major version and the folder of its programs."""

    major: int
    programs: Path

    def program(self, name: str) -> str:
        return str(self.programs / name)


@cache
def installed(root: Path = DEBIAN) -> tuple[Version, ...]:
    """Newest first. Where there are none in Debian's places, the one on PATH."""
    found = [
        Version(int(folder.name), folder / "bin")
        for folder in (root.iterdir() if root.is_dir() else ())
        if folder.name.isdigit() and (folder / "bin" / "initdb").exists() and (folder / "bin" / "postgres").exists()
    ]
    return tuple(sorted(found or _on_path(), reverse=True))


def newest() -> Version:
    """Raises `HomeportError` (`program_missing`)."""
    versions = installed()
    if not versions:
        raise HomeportError(
            "program_missing",
            "PostgreSQL's server is not installed.",
            why="A heroku-postgresql add-on is a real database in it.",
            fix="Run `make setup` in the checkout, or `sudo apt-get install postgresql postgresql-postgis`.",
        )
    return versions[0]


def choose(wanted: str | None) -> Version:
    """The installed version that "15" or "15.4" means, or the newest. Raises `Invalid` and `HomeportError`."""
    latest = newest()
    if wanted is None:
        return latest
    major = wanted.partition(".")[0]
    for version in installed():
        if major == str(version.major):
            return version
    raise Invalid(
        f"PostgreSQL {wanted[:20]} isn't installed on this machine.",
        fix=f"Use one of: {_listed(installed())}. Others are installed by the operator, "
        "say by `sudo apt-get install postgresql-16`.",
    )


def _listed(versions: Iterable[Version]) -> str:
    return ", ".join(str(version.major) for version in versions)


def _on_path() -> list[Version]:
    program = shutil.which("postgres")
    if program is None or shutil.which("initdb") is None:
        return []
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    major = re.search(r"(\d+)", said)
    folder = Path(os.path.realpath(program)).parent
    return [Version(int(major[1]), folder)] if major else []
