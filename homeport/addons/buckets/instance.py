"""The S3 server's process: one for all buckets, on a unix socket that the router passes requests on to."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from pathlib import Path

from homeport.addons.servers import HANDED_DOWN, Server, Servers, own
from homeport.errors import HomeportError
from homeport.home import Home

SERVER = "buckets"
SOCKET = "buckets.sock"
READY_SECONDS = 60.0

_APPLICATION = "s3.application:make"
_FOLDER = "HOMEPORT_BUCKETS_FOLDER"


class Instance:
    """It is given its folder only: buckets and keys it finds in the index, which is private to us."""

    def __init__(self, keeper: Servers, home: Home) -> None:
        self.folder = home.addons / "bucketeer"
        self._socket = home.run / SOCKET
        self._keeper = keeper
        # The folder is handed down as a descriptor, for the socket's address must be short; not so the index's path.
        address = f"{HANDED_DOWN}/{os.path.relpath(self._socket, self.folder)}"
        command = (
            *(
                sys.executable,
                "-P",
                "-m",
                "uvicorn",
                "--factory",
                _APPLICATION,
                "--app-dir",
                str(Path(__file__).parent),
            ),
            *("--uds", address, "--http", "httptools", "--loop", "asyncio", "--ws", "none", "--lifespan", "on"),
            *("--no-access-log", "--no-server-header", "--no-proxy-headers", "--log-level", "warning"),
            *("--timeout-keep-alive", "120", "--timeout-graceful-shutdown", "5", "--backlog", "1024"),
        )
        self._server = Server(SERVER, self.folder, command, environment={_FOLDER: str(self.folder)})

    @property
    def exists(self) -> bool:
        return self.folder.exists()

    def prepare(self) -> None:
        own(self.folder, None)

    async def start(self) -> None:
        """Have it running and answering. Raises `HomeportError` (`server_not_started`)."""
        self.prepare()
        await self._keeper.start(self._server)
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(self._socket):
            if self._keeper.pid(SERVER) is None or time.monotonic() > deadline:
                raise HomeportError(
                    "server_not_started",
                    "The bucket server could not be started.",
                    why=self._keeper.last_words(SERVER),
                    fix=f"Its log is {self._keeper.log(SERVER)}.",
                )
            await asyncio.sleep(0.005)

    async def stop(self) -> None:
        """Requests under way get a moment. Quiet if it doesn't run."""
        await self._keeper.stop(self._server)

    def tidy(self) -> None:
        self._keeper.trim_log(SERVER)


def _answers(path: Path) -> bool:
    """Whether somebody listens there. The path may be longer than a socket's address can be."""
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(1.0)
            probe.connect(f"/proc/self/fd/{folder}/{path.name}")
            return True
    except OSError:
        return False
    finally:
        os.close(folder)
