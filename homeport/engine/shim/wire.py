"""How the engine and a shim speak: one byte of kind, four bytes of length (big endian), payload.

A running shim may be older than the engine that adopts it: kinds may be added, and what they mean must not change.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # the real one would import `typing`
if TYPE_CHECKING:
    from collections.abc import Iterator

# From the engine. A connection begins with START (once in a shim's life), WATCH or ATTACH.
START = b"S"  # what to run, see `process.pack`; the connection watches from then on
WATCH = b"W"  # take over: RUNNING, then OUTPUT as it comes, then EXITED
STOP = b"T"  # milliseconds: TERM, and KILL when they are over
QUIT = b"Q"  # KILL whatever runs, and end when the attachment has had the last output
ATTACH = b"A"  # take the terminal or the pipes: RUNNING, then OUTPUT as it comes, then EXITED
INPUT = b"I"
END_INPUT = b"E"
RESIZE = b"R"  # "columns lines"

# To the engine.
RUNNING = b"r"  # the shim's pid
FAILED = b"f"  # the errno of execve(2); the shim ends
OUTPUT = b"o"  # to a watcher: eight bytes of how many lines were dropped, lines ending in \n; to an attachment: bytes
EXITED = b"x"  # the exit code, empty if unknown; everything before it has been sent
BUSY = b"b"  # somebody else has this place, or takes it now

READ_SIZE = 1 << 16


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    return kind + len(payload).to_bytes(4, "big") + payload


def frames(buffer: bytearray) -> Iterator[tuple[bytes, bytes]]:
    """Take every complete frame off the front of `buffer`."""
    while len(buffer) >= 5:
        end = 5 + int.from_bytes(buffer[1:5], "big")
        if len(buffer) < end:
            return
        kind, payload = bytes(buffer[:1]), bytes(buffer[5:end])
        del buffer[:end]
        yield kind, payload


class Channel:
    """The shim's side of one connection: never waits, notices when the other side has gone."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.open = True
        self.told = False  # EXITED was sent
        os.set_inheritable(fd, False)
        os.set_blocking(fd, False)

    def receive(self) -> Iterator[tuple[bytes, bytes]]:
        try:
            data = os.read(self.fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.open = bool(data)
        self.incoming += data
        yield from frames(self.incoming)

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        self.outgoing += frame(kind, payload)
        self.flush()

    def flush(self) -> None:
        try:
            while self.outgoing:
                del self.outgoing[: os.write(self.fd, self.outgoing)]
        except BlockingIOError:
            return
        except OSError:
            self.outgoing.clear()
            self.open = False
