"""How `homeport backup`, a process of its own, has the running platform write down the data of add-ons.

A line of JSON for every request and every answer, over a socket in `$HOMEPORT_HOME/run`. The first answer comes when
nothing is removed any more; that lasts for as long as the connection.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, cast

from homeport.addons import Addons, Resource
from homeport.errors import Conflict, HomeportError, Unavailable
from homeport.home import Home

_log = logging.getLogger("homeport")


class CaptureDoor:
    """The platform's side. One backup at a time."""

    SOCKET = "backup.sock"

    def __init__(self, addons: Addons) -> None:
        self._addons = addons
        self._taken = False
        self.keeping = asyncio.Lock()
        """Held while a backup is made; whoever sweeps up takes it too."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until its other end hangs up."""
        try:
            if self._taken:
                await _answer(writer, _failure(_under_way()))
                return
            self._taken = True
            try:
                async with self.keeping:
                    with self._addons.keeping_all():
                        await _answer(writer, {})
                        await self._carry_out(reader, writer)
            finally:
                self._taken = False
        except ConnectionError:
            return
        finally:
            writer.close()

    async def _carry_out(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = asyncio.create_task(reader.readline())
        try:
            while line := await asked:
                asked = asyncio.create_task(reader.readline())
                work = asyncio.create_task(self._capture(line))
                try:
                    await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    if not work.done():  # whoever asked is gone: nobody asks twice
                        work.cancel()
                        await asyncio.gather(work, return_exceptions=True)
                if work.cancelled():
                    return
                await _answer(writer, work.result())
        finally:
            asked.cancel()

    async def _capture(self, line: bytes) -> dict[str, Any]:
        """Never raises but when it is cancelled: what went wrong is the answer."""
        try:
            asked = json.loads(line)
            await self._addons.capture(str(asked["addon"]), Path(asked["into"]))
        except HomeportError as error:
            return _failure(error)
        except OSError as error:
            return _failure(HomeportError("capture_failed", f"The disk says: {error.strerror or error}."))
        except Exception:
            _log.exception("an add-on could not be captured")
            what = "Homeport met an error of its own; the daemon's log has the details."
            return _failure(HomeportError("capture_failed", what))
        return {}


class RunningPlatform:
    """The other side, for `backup.take`: while the block lasts, the platform removes nothing.

    Raises `HomeportError`: `backup_under_way`, `platform_gone`, `not_ready`.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def __enter__(self) -> RunningPlatform:
        self._socket = _connected(self._home.run)
        self._file = cast(BinaryIO, self._socket.makefile("rwb"))
        try:
            self._hear()
        except BaseException:
            self._hang_up()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._hang_up()

    def capture(self, resource: Resource, into: Path) -> None:
        with contextlib.suppress(OSError):  # then there is no answer either
            self._file.write(json.dumps({"addon": resource.id, "into": os.fspath(into)}).encode() + b"\n")
            self._file.flush()
        self._hear()

    def _hear(self) -> None:
        try:
            line = self._file.readline()
        except OSError:
            line = b""
        if not line:
            raise Unavailable(
                "The platform ended while it was backed up.",
                id="platform_gone",
                fix="Make the backup again. It can be made while the platform is stopped, too.",
            )
        answer = json.loads(line)
        if "id" in answer:
            raise HomeportError(answer["id"], answer["what"], why=answer["why"], fix=answer["fix"])

    def _hang_up(self) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
        self._socket.close()


def _connected(run: Path) -> socket.socket:
    """The folder's descriptor stands for its path, which may be longer than a socket's address can be."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        folder = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{CaptureDoor.SOCKET}")
        finally:
            os.close(folder)
    except OSError as error:
        connection.close()
        raise Unavailable(
            "The platform runs, and does not answer yet.",
            id="not_ready",
            why=str(error.strerror),
            fix="Wait until `homeport status` says that it is ready, and try again.",
        ) from None
    return connection


async def _answer(writer: asyncio.StreamWriter, answer: dict[str, Any]) -> None:
    writer.write(json.dumps(answer).encode() + b"\n")
    await writer.drain()


def _failure(error: HomeportError) -> dict[str, Any]:
    return {"id": error.id, "what": error.what, "why": error.why, "fix": error.fix}


def _under_way() -> HomeportError:
    return Conflict(
        "A backup of this platform is being made already.", id="backup_under_way", fix="Wait until it is done."
    )
