"""Which ports belong to which add-on: a pair each, the second one for TLS.

The official CLI connects by TLS to the port after a plain URL's. A pair is kept for as long as its add-on lives, so
that no other one is given it while its server is down. Between two platforms on one machine the kernel decides; the
server that comes too late is given another pair.
"""

from __future__ import annotations

import contextlib
import socket
import zlib
from collections.abc import Collection
from pathlib import Path

from homeport.addons.servers import give
from homeport.errors import HomeportError

FIRST, LAST = 16400, 19998
"""Below the ports of dynos, which begin at 20000."""
FILE = "port"


def held(folder: Path) -> int | None:
    """The first port of the pair that the add-on in this folder has."""
    try:
        return int((folder / FILE).read_text())
    except (OSError, ValueError):
        return None


def claim(folder: Path) -> int:
    """Give the add-on in this folder a new pair that nobody holds or listens on. Raises `HomeportError`."""
    others = {held(other) for other in folder.parent.iterdir() if other.is_dir()}
    port = _choose(_start(folder.name), {port for port in others if port is not None})
    give(folder / FILE, f"{port}\n", None)
    return port


def reclaim(folder: Path, port: int) -> None:
    """Give the add-on in this folder a pair that it had on another machine, if it has none yet and this one is to be
    had: then no app has to hear of another."""
    others = {held(other) for other in folder.parent.iterdir() if other.is_dir()}
    if held(folder) is None and FIRST <= port <= LAST and port not in others and are_free(port):
        give(folder / FILE, f"{port}\n", None)


def are_free(port: int) -> bool:
    return all(map(_is_free, (port, port + 1)))


def _choose(start: int, held_by_others: Collection[int]) -> int:
    pairs = range(FIRST, LAST + 1, 2)
    for step in range(len(pairs)):
        port = pairs[(start + step) % len(pairs)]
        if port not in held_by_others and are_free(port):
            return port
    raise HomeportError(
        "no_free_port",
        f"No two ports side by side from {FIRST} to {LAST + 1} are free.",
        why="Every Redis listens on two.",
        fix="Destroy add-ons that nobody uses: `heroku addons --all`.",
    )


def _start(name: str) -> int:
    """Spread, so that platforms on one machine seldom try the same."""
    return zlib.crc32(name.encode())


def _is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False
