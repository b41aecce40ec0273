"""The client side of `run`: raw TLS to the place that the API named, bytes both ways until the dyno ends.

Protocol (as the official CLI and heroku3 speak it): send the secret and CRLF, wait for `rendezvous` CRLF, then talk.
Ctrl-C travels as a byte; a window's size only once, in the environment. The exit code comes back in the output, behind
a character that no program prints (U+FFFF), because the protocol has no other place for it.
"""

from __future__ import annotations

import os
import re
import select
import signal
import socket
import ssl
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NoReturn
from urllib.parse import urlsplit

from homeport.cli.endpoint import Endpoint
from homeport.cli.terminal import Terminal
from homeport.cli.transport import CONNECT_SECONDS, explain, trust
from homeport.errors import HomeportError, Unavailable

GREETING = b"rendezvous\r\n"
MARK = "\uffff heroku-command-exit-status: "
_MARK = MARK.encode()
_MARKED = re.compile(re.escape(_MARK) + rb"(\d+)\r?\n")
_MARKED_AT_END = re.compile(re.escape(_MARK) + rb"(\d+)\r?\Z")
_MARK_AND_DIGITS = re.compile(re.escape(_MARK) + rb"\d{0,3}\r?")
_LONGEST_MARK = len(_MARK) + 4  # three digits and "\r": an exit code ends at 255

END_OF_TRANSMISSION = b"\x04"
INTERRUPT = b"\x03"
INTERRUPTS_THAT_MEAN_IT = 4  # within a second: leave, even if the dyno does not
CHUNK = 65536


@dataclass(frozen=True)
class Target:
    host: str
    port: int
    secret: str


def target_of(url: str) -> Target:
    """Raises `HomeportError` (`invalid_attach_url`)."""
    parts = urlsplit(url)
    secret = parts.path.removeprefix("/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme != "rendezvous" or not parts.hostname or not parts.port or not secret:
        raise HomeportError("invalid_attach_url", "The server named no place to meet the dyno at.")
    return Target(parts.hostname, parts.port, secret)


def reporting_exit_code(command: str) -> str:
    """The command with its exit code in its output. The space before `;` keeps a process type's name a word."""
    return f'{command} ; echo "{MARK}$?"'


class ExitCodeFilter:
    """Takes the exit code out of the output, however the bytes were cut into pieces."""

    def __init__(self) -> None:
        self.code: int | None = None
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What can be shown already."""
        shown = self._take(_MARKED, self._held + data)
        place = self._undecided(shown)
        self._held = shown[place:]
        return shown[:place]

    def end(self) -> bytes:
        """The rest, when nothing more comes."""
        rest, self._held = self._take(_MARKED_AT_END, self._held), b""
        return rest

    def _take(self, pattern: re.Pattern[bytes], data: bytes) -> bytes:
        found = pattern.search(data)
        while found:
            self.code = int(found[1])
            data = data[: found.start()] + data[found.end() :]
            found = pattern.search(data)
        return data

    def _undecided(self, data: bytes) -> int:
        """Where what might still become a mark begins."""
        for place in range(max(len(data) - _LONGEST_MARK, 0), len(data)):
            tail = data[place:]
            if _MARK.startswith(tail) or _MARK_AND_DIGITS.fullmatch(tail):
                return place
        return len(data)


class LineEnds:
    """CRLF, as a pseudo-terminal writes it, back to LF for files and pipes."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        data = self._held + data
        self._held = b"\r" if data.endswith(b"\r") else b""
        return data.removesuffix(self._held).replace(b"\r\n", b"\n")

    def end(self) -> bytes:
        rest, self._held = self._held, b""
        return rest


def connect(target: Target, endpoint: Endpoint) -> ssl.SSLSocket:
    """A connection to the dyno, which is up now. Raises `Unavailable`, or `HomeportError` (`certificate_untrusted`)."""
    try:
        plain = socket.create_connection((target.host, target.port), timeout=CONNECT_SECONDS)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = trust(endpoint).wrap_socket(plain, server_hostname=target.host)
        connection.settimeout(None)  # a dyno may take its time to start
        connection.sendall(f"{target.secret}\r\n".encode())
        _greet(connection)
    except OSError as error:
        raise explain(error, endpoint) from error
    return connection


def _greet(connection: ssl.SSLSocket) -> None:
    received = b""
    while len(received) < len(GREETING):
        chunk = connection.recv(len(GREETING) - len(received))
        if not chunk:
            raise Unavailable("The dyno hung up before it was there.", id="rendezvous_failed")
        received += chunk
    if received != GREETING:
        raise Unavailable("What answered in the dyno's place is no dyno.", id="rendezvous_failed")


def converse(
    connection: ssl.SSLSocket, terminal: Terminal, *, raw: bool, has_terminal: bool, wants_code: bool
) -> int | None:
    """Carry bytes both ways until the dyno ends; its exit code if it was asked for and came.

    `raw`: our stdin is a terminal that must pass every key on. `has_terminal`: the dyno has a pseudo-terminal.
    """
    terminal.stdout.flush()
    outbound = Outbound(sys.stdin.fileno() if sys.stdin else None, raw=raw, has_terminal=has_terminal)
    inbound = Inbound(plain_ends=terminal.columns is None, wants_code=wants_code)
    with connection, _raw_mode(outbound.descriptor if raw else None):
        try:
            _carry(connection, outbound, inbound, terminal.stdout.buffer)
        except (ConnectionError, ssl.SSLError) as error:
            raise Unavailable(f"The connection to the dyno was lost: {error}.", id="connection_lost") from error
    return inbound.code


class Inbound:
    """What the dyno says, on its way to our stdout."""

    def __init__(self, *, plain_ends: bool, wants_code: bool) -> None:
        self._ends = LineEnds() if plain_ends else None
        self._codes = ExitCodeFilter() if wants_code else None

    @property
    def code(self) -> int | None:
        return self._codes.code if self._codes else None

    def feed(self, data: bytes) -> bytes:
        data = self._codes.feed(data) if self._codes else data
        return self._ends.feed(data) if self._ends else data

    def end(self) -> bytes:
        data = self._codes.end() if self._codes else b""
        return self._ends.feed(data) + self._ends.end() if self._ends else data


class Outbound:
    """What we type, or what is piped into us, on its way to the dyno."""

    def __init__(self, descriptor: int | None, *, raw: bool, has_terminal: bool) -> None:
        self.descriptor = descriptor
        self.waiting = bytearray()
        self._raw = raw
        self._has_terminal = has_terminal
        self._last = b"\n"
        self._interrupts: list[float] = []

    @property
    def wants_more(self) -> bool:
        return self.descriptor is not None and len(self.waiting) < CHUNK

    def read(self, now: float) -> None:
        """Take what stdin has. Raises `HomeportError` (`forced_disconnect`) when Ctrl-C was meant for us."""
        if self.descriptor is None:
            return
        data = os.read(self.descriptor, CHUNK)
        if not data:
            self.waiting += self.ending()
            self.descriptor = None
            return
        self._last = data[-1:]
        self.waiting += data
        if self._raw and data == INTERRUPT:
            self._interrupts = [moment for moment in self._interrupts if moment > now - 1.0] + [now]
            if len(self._interrupts) >= INTERRUPTS_THAT_MEAN_IT:
                raise HomeportError("forced_disconnect", "Disconnected from the dyno, which may still be running.")

    def ending(self) -> bytes:
        """The end of the input. A terminal takes the first one after an unfinished line to end that line only."""
        unfinished = self._has_terminal and self._last != b"\n"
        return END_OF_TRANSMISSION * (2 if unfinished else 1)


def _carry(connection: ssl.SSLSocket, outbound: Outbound, inbound: Inbound, stdout: Any) -> None:
    connection.setblocking(False)
    while True:
        readers: list[Any] = [connection]
        if outbound.wants_more:
            readers.append(outbound.descriptor)
        writers = [connection] if outbound.waiting else []
        ready, _, _ = select.select(readers, writers, [], 0 if connection.pending() else None)
        if outbound.descriptor in ready:
            outbound.read(time.monotonic())
        if outbound.waiting:
            with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                del outbound.waiting[: connection.send(outbound.waiting)]
        try:
            data = connection.recv(CHUNK)
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            continue
        stdout.write(inbound.feed(data) if data else inbound.end())
        stdout.flush()
        if not data:
            return


@contextmanager
def _raw_mode(descriptor: int | None) -> Iterator[None]:
    """Every key goes to the dyno; afterwards, whatever happens, the terminal is as it was."""
    if descriptor is None:
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(descriptor)
    handlers = {number: signal.signal(number, _leave) for number in (signal.SIGTERM, signal.SIGHUP)}
    tty.setraw(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _leave(number: int, _: object) -> NoReturn:
    raise SystemExit(128 + number)
