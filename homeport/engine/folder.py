"""What the local engine keeps about a dyno on disk, so that another daemon can take it over.

    ROOT/ID/dyno.json       written by the engine before anything runs: name, port, attached, life
    ROOT/ID/started.json    written by the shim when the process runs: pids and start times
    ROOT/ID/exited.json     written by the shim when everything has ended: the exit code
    ROOT/ID/shim.sock       the shim listens here; nobody answering means that there is no shim
    ROOT/ID/shim.log        failures of the shim itself
    ROOT/ID/app, ROOT/ID/tmp    HOME and TMPDIR

Each file is written once and appears whole. Neither config vars nor anything else secret is in any of them.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

logger = logging.getLogger(__name__)

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_GONE = ".gone-"
BACKLOG = 16


@dataclass(frozen=True)
class Facts:
    """What the engine knows about a dyno before it runs."""

    name: str
    port: int | None
    attached: bool
    life: str  # `processes.life()` at its start: in another one nothing of it can be alive


@dataclass(frozen=True)
class Started:
    """A process is a pid and its start time in clock ticks: pids are used again, the pair is not."""

    shim: tuple[int, int]
    process: tuple[int, int]
    at: float  # seconds since the epoch


@dataclass(frozen=True)
class Exited:
    code: int | None
    at: float


class Folder:
    def __init__(self, root: Path, id: str) -> None:
        self.root = root
        self.id = id
        self.path = root / id
        self.home = self.path / "app"
        self.tmp = self.path / "tmp"

    @classmethod
    def of(cls, root: Path, id: str) -> Self | None:
        """None for an id that cannot be a folder's name."""
        return cls(root, id) if _ID.fullmatch(id) else None

    @classmethod
    def all(cls, root: Path) -> list[Self]:
        """Every dyno's folder."""
        return [cls(root, path.name) for path in root.iterdir() if _ID.fullmatch(path.name) and path.is_dir()]

    @staticmethod
    def sweep(root: Path) -> None:
        """Finish what an interrupted `remove` left."""
        for path in root.glob(f"{_GONE}*"):
            _remove(path)

    def create(self, facts: Facts) -> socket.socket:
        """Make the folder and the socket that the shim will listen on."""
        self.path.mkdir(mode=0o700)
        self.tmp.mkdir(mode=0o700)
        self._write("dyno.json", asdict(facts))
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with self._short_path() as path:
                listener.bind(path)
            listener.listen(BACKLOG)
        except BaseException:
            listener.close()
            raise
        return listener

    def connect(self) -> socket.socket | None:
        """A connection to the shim, or None if there is none."""
        client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        client.setblocking(False)
        try:
            with self._short_path() as path:
                client.connect(path)
        except OSError:
            client.close()
            return None
        return client

    def facts(self) -> Facts | None:
        data = self._read("dyno.json")
        try:
            return Facts(str(data["name"]), data["port"], bool(data["attached"]), str(data["life"]))
        except (KeyError, TypeError):
            return None

    def started(self) -> Started | None:
        """None if it has never run, or the machine lost power while this was being written."""
        data = self._read("started.json")
        try:
            return Started(tuple(data["shim"]), tuple(data["process"]), float(data["at"]))
        except (KeyError, TypeError, ValueError):
            return None

    def exited(self) -> Exited | None:
        data = self._read("exited.json")
        try:
            return Exited(data["code"], float(data["at"]))
        except (KeyError, TypeError, ValueError):
            return None

    def record_exit(self, exited: Exited) -> None:
        """In the place of a shim that was killed."""
        self._write("exited.json", asdict(exited))

    def remove(self) -> None:
        """Out of the way in one step, then piece by piece: a daemon killed in between leaves nothing to adopt."""
        gone = self.root / f"{_GONE}{self.id}-{secrets.token_hex(4)}"
        try:
            self.path.rename(gone)
        except FileNotFoundError:
            return
        except OSError:
            gone = self.path  # a full disk must not keep us from making room
        _remove(gone)

    @contextlib.contextmanager
    def _short_path(self) -> Iterator[str]:
        """The socket's path through a file descriptor of its folder: unix(7) allows no more than 107 bytes."""
        folder = os.open(self.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield f"/proc/self/fd/{folder}/shim.sock"
        finally:
            os.close(folder)

    def _write(self, name: str, data: dict[str, Any]) -> None:
        new = self.path / f".{name}"
        new.write_text(json.dumps(data))
        new.replace(self.path / name)

    def _read(self, name: str) -> Any:
        try:
            return json.loads((self.path / name).read_text())
        except (OSError, ValueError):
            return None


def _remove(path: Path) -> None:
    """Remove a tree in which a dyno may have made folders that even their owner cannot enter."""
    try:
        try:
            shutil.rmtree(path)
        except PermissionError:
            path.chmod(0o700)
            for folder, names, _ in os.walk(path):
                for inner in (Path(folder, name) for name in names):
                    if not inner.is_symlink():
                        inner.chmod(0o700)
            shutil.rmtree(path)
    except FileNotFoundError:
        return
    except OSError:
        # Nothing runs in it and nobody will adopt it: space, not truth, is lost until the next engine sweeps.
        logger.exception("cannot remove %s", path)
