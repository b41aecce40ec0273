"""Which version of Redis this machine has: one, for all add-ons."""

from __future__ import annotations

import re
import subprocess
from functools import cache

from homeport.addons.servers import program
from homeport.errors import HomeportError, Invalid

OLDEST = (6, 2)
"""What configuration files are written for: permissions for channels, addresses that may be missing."""


def require(wanted: str | None) -> None:
    """Raises `Invalid` unless the version that is installed is the one that is wanted, `HomeportError`
    (`program_missing`, `program_too_old`) if none is of use."""
    version = _installed(program("redis-server", "redis-server"))
    if tuple(map(int, version.split(".")[:2])) < OLDEST:
        raise HomeportError(
            "program_too_old",
            f"Redis {version} is too old.",
            why="Its rules for what an app may do say nothing of channels.",
            fix=f"Install {'.'.join(map(str, OLDEST))} or newer: https://redis.io/docs/latest/operate/oss_and_stack/install/",
        )
    if wanted is not None and not f"{version}.".startswith(f"{wanted}."):
        raise Invalid(
            f"Redis {wanted[:20]} isn't installed on this machine.",
            fix=f"Leave --version out: it is {version}. Others are installed by the operator.",
        )


@cache
def _installed(path: str) -> str:
    """Like "7.0.15", of `Redis server v=7.0.15 sha=…`; of Valkey in its likeness."""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"v=(\d+\.\d+[\d.]*)", said)
    return found[1] if found else "0.0"
