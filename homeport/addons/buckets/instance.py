"""The S3 server's process: one for all buckets, on a unix socket that the router passes requests on to."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from homeport.addons.servers import HANDED_DOWN, Server, Servers, own
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
        await self._keeper.until_answers(self._server, self._socket, "bucket server", seconds=READY_SECONDS)

    async def stop(self) -> None:
        """Requests under way get a moment. Quiet if it doesn't run."""
        await self._keeper.stop(self._server)

    def tidy(self) -> None:
        self._keeper.trim_log(SERVER)
