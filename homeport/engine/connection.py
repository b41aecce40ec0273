"""The engine's side of a connection to a shim, and the terminal of an attached dyno on top of it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Self

from homeport.engine.shim import wire


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._frames: deque[tuple[bytes, bytes]] = deque()

    @classmethod
    async def over(cls, client: socket.socket) -> Self:
        return cls(*await asyncio.open_unix_connection(sock=client))

    async def receive(self) -> tuple[bytes, bytes] | None:
        """The next frame, None when the shim has closed the connection. Loses nothing when cancelled."""
        while not self._frames:
            try:
                data = await self._reader.read(wire.READ_SIZE)
            except ConnectionError:
                return None
            if not data:
                return None
            self._buffer += data
            self._frames.extend(wire.frames(self._buffer))
        return self._frames.popleft()

    async def answer(
        self, patience: float, otherwise: tuple[bytes, bytes] = (wire.FAILED, b"")
    ) -> tuple[bytes, bytes] | None:
        """The next frame, or `otherwise` when it does not come within `patience` seconds."""
        try:
            async with asyncio.timeout(patience):  # not wait_for: in Python 3.11 that can lose a cancellation
                return await self.receive()
        except TimeoutError:
            return otherwise

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Quietly nothing when the shim has gone: `receive` says so."""
        if not self._writer.is_closing():
            self._writer.write(wire.frame(kind, payload))

    async def drain(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


class LocalAttachment:
    """The terminal or the pipes of one attached dyno."""

    def __init__(self, connection: Connection, exit_code: Callable[[], Awaitable[int | None]]) -> None:
        self._connection = connection
        self._exit_code = exit_code
        self._ended = False

    async def read(self) -> bytes:
        while not self._ended:
            frame = await self._connection.receive()
            if frame is None or frame[0] == wire.EXITED:
                self._ended = True
            elif frame[0] == wire.OUTPUT:
                return frame[1]
        return b""

    async def write(self, data: bytes) -> None:
        for start in range(0, len(data), wire.READ_SIZE):
            self._connection.send(wire.INPUT, data[start : start + wire.READ_SIZE])
            await self._connection.drain()

    async def end_input(self) -> None:
        self._connection.send(wire.END_INPUT)
        await self._connection.drain()

    async def resize(self, columns: int, lines: int) -> None:
        self._connection.send(wire.RESIZE, b"%d %d" % (columns, lines))
        await self._connection.drain()

    async def wait(self) -> int:
        """137 (killed) when its shim was killed, so that nobody knows better."""
        code = await self._exit_code()
        return 137 if code is None else code

    async def close(self) -> None:
        self._ended = True
        await self._connection.close()
