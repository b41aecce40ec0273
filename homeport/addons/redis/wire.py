"""Speaking to a server as its administrator: a few commands over its unix socket (RESP 2, redis.io/docs/reference).

A client library would do, and would cost the daemon 28 MB for what is written here: see docs/decisions/0113.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

Reply = str | int | None | list["Reply"]

SECONDS = 10.0
MAX_BYTES = 16 * 1024**2


class Refused(Exception):
    """The server's answer is an error: `LOADING …`, `WRONGPASS …`, `ERR …`."""

    @property
    def code(self) -> str:
        return str(self).partition(" ")[0]


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def ask(self, *words: str) -> Reply:
        """Raises `Refused`; `OSError` and `EOFError` when the connection is lost; `TimeoutError`."""
        parts = [word.encode() for word in words]
        self._writer.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        async with asyncio.timeout(SECONDS):
            await self._writer.drain()
            return await self._reply()

    async def info(self, *sections: str) -> dict[str, str]:
        """`INFO` as names and values."""
        found: dict[str, str] = {}
        for section in sections:
            lines = str(await self.ask("INFO", section)).splitlines()
            found |= dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))
        return found

    async def settings(self, *names: str) -> dict[str, str]:
        """`CONFIG GET` of each."""
        found: dict[str, str] = {}
        for name in names:
            answer = await self.ask("CONFIG", "GET", name)
            if isinstance(answer, list) and len(answer) == 2:
                found[str(answer[0])] = str(answer[1])
        return found

    async def _reply(self) -> Reply:
        line = (await self._reader.readuntil(b"\r\n"))[:-2]
        kind, rest = line[:1], line[1:].decode(errors="replace")
        if kind == b"+":
            return rest
        if kind == b"-":
            raise Refused(rest)
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return await self._bulk(int(rest))
        if kind == b"*":
            return [await self._reply() for _ in range(int(rest))] if int(rest) >= 0 else None
        raise Refused(f"ERR not an answer: {line[:80]!r}")

    async def _bulk(self, size: int) -> str | None:
        if size < 0:
            return None
        return (await self._reader.readexactly(size + 2))[:-2].decode(errors="replace")


@contextlib.asynccontextmanager
async def connect(folder: Path, user: str, password: str) -> AsyncIterator[Connection]:
    """A connection to the server on the socket in this folder. Raises as `Connection.ask` does."""
    # Paths of sockets are short; the folder's may be long, but its descriptor's is not.
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        async with asyncio.timeout(SECONDS):
            path = f"/proc/self/fd/{descriptor}/redis.sock"
            reader, writer = await asyncio.open_unix_connection(path, limit=MAX_BYTES)
    finally:
        os.close(descriptor)
    try:
        connection = Connection(reader, writer)
        await connection.ask("AUTH", user, password)
        yield connection
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
