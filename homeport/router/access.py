"""Router lines: what HAProxy says about each request, in the words of Heroku's router.

HAProxy writes one line per request to a pipe that outlives the daemon and holds thousands of lines while
nobody reads; when it is full HAProxy drops lines and counts them, and never waits. Most of a line is ready when it
comes; what is left to do here is to tell the H codes from how the request ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from homeport.router.codes import CODES, Code, of_termination
from homeport.router.paths import LOG_PIPE

LogSink = Callable[[str, list[str]], None]
"""Takes (app id, texts of its router lines, oldest first). Must not block."""

Knock = Callable[[str], None]
"""Told the id of an app that sleeps and is asked for, perhaps several times. Must not block."""


def nobody_sleeps(_app_id: str) -> None:
    """The `Knock` of who has no apps that sleep."""


_F_SETPIPE_SZ = 1031  # Linux
_PIPE_BYTES = 1 << 20
_READ_BYTES = 1 << 16
_PAUSE = 0.02
"""Seconds between two reads: under load, waking up for every line costs more than the lines do."""


@dataclass(frozen=True)
class AccessLine:
    """One finished request for an app."""

    app_id: str
    text: str


def parse(line: str) -> AccessLine | None:
    """A line as the frontends' log-format writes it. None for what is no request for an app."""
    parts = line.split(" ", 9)
    if len(parts) < 10:
        return None
    route, termination, status_word, server, connect, wait, total, size, protocol, request = parts
    state, _, rest = route.partition("/")
    app_id = rest.partition("/")[0]
    if not app_id or not request.startswith("method=") or not status_word.lstrip("-").isdigit():
        return None
    status = int(status_word)
    if server == "<NOSRV>":
        code = CODES.get(state) or (CODES["H20"] if state in ("starting", "asleep") else None)
        if termination[:2] != "LR":
            code = of_termination(termination, status=status, has_server=False) or code
        return AccessLine(app_id, _unserved(code, request, status, protocol))
    code = of_termination(termination, status=status, has_server=True)
    connected = connect != "-1"
    service = max(0, int(total) - max(0, int(connect)) - max(0, int(wait)))
    dyno = server.partition(":")[0]
    if code is not None and termination[1:2] != "D":
        size = "0"  # what was sent was our page, not the dyno's bytes
    return AccessLine(
        app_id,
        f"{_head(code)} {request} dyno={dyno} connect={f'{connect}ms' if connected else ''} "
        f"service={f'{service}ms' if connected else ''} status={code.status if code else status} bytes={size} "
        f"protocol={protocol}",
    )


def _head(code: Code | None) -> str:
    return f'at={code.level} code={code.number} desc="{code.description}"' if code else "at=info"


def _unserved(code: Code | None, request: str, status: int, protocol: str) -> str:
    shown = code.status if code else status
    return f"{_head(code)} {request} dyno= connect= service= status={shown} bytes= protocol={protocol}"


def knocks_at(line: str) -> str | None:
    """The app that sleeps and is asked for: the lobby says so at once (`knock asleep/ID/NAME`); without a lobby it is
    seen when the request ends."""
    route = line.removeprefix("knock ").partition(" ")[0]
    state, _, rest = route.partition("/")
    return rest.partition("/")[0] or None if state == "asleep" else None


class AccessLog:
    """Reads the pipe and hands router lines on, a batch at a time, so that a flood cannot keep the loop busy."""

    def __init__(self, root: Path, sink: LogSink, knock: Knock = nobody_sleeps, *, pause: float = _PAUSE) -> None:
        self._path = root / LOG_PIPE
        self._sink = sink
        self._knock = knock
        self._between = pause
        self._descriptor: int | None = None
        self._again: asyncio.TimerHandle | None = None
        self._rest = b""
        self.lines = 0
        """How many router lines were handed on."""

    def open(self) -> int:
        """The pipe's descriptor, open for writing too: HAProxy inherits it, and so the pipe never ends."""
        if self._descriptor is None:
            if not self._path.exists() or not stat.S_ISFIFO(self._path.stat().st_mode):
                self._path.unlink(missing_ok=True)
                os.mkfifo(self._path, 0o600)
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            with contextlib.suppress(OSError):  # a smaller pipe only drops lines earlier
                fcntl.fcntl(self._descriptor, _F_SETPIPE_SZ, _PIPE_BYTES)
        return self._descriptor

    def start(self) -> None:
        """Begin to read, on the running loop."""
        self._again = None
        asyncio.get_running_loop().add_reader(self.open(), self._read)

    def close(self) -> None:
        """Stop reading; the pipe stays for the next daemon."""
        if self._again is not None:
            self._again.cancel()
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _read(self) -> None:
        assert self._descriptor is not None  # noqa: S101 - the reader is removed before it is closed
        try:
            data = os.read(self._descriptor, _READ_BYTES)
        except BlockingIOError:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._descriptor)
        self._again = loop.call_later(self._between, self.start)
        *lines, self._rest = (self._rest + data).split(b"\n")
        batches: dict[str, list[str]] = {}
        wanted: set[str] = set()
        for raw in lines:
            text = raw.decode("utf-8", "replace")
            if asleep := knocks_at(text):
                wanted.add(asleep)
            line = parse(text)
            if line is not None:
                batches.setdefault(line.app_id, []).append(line.text)
        for app_id in wanted:
            self._knock(app_id)
        for app_id, texts in batches.items():
            self.lines += len(texts)
            self._sink(app_id, texts)
