"""The error tracker's process: `python -m homeport.daemon.tracker HOME`. The router passes SDKs' requests on to it.

A process of its own, so that a storm of errors takes nothing from the API, the loops and the logs; it gives way to
apps (`nice`); and small, for it imports the tracker and a server, and nothing of the house.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from homeport import tracker
from homeport.home import Home

PROGRAM = (sys.executable, "-m", "homeport.daemon.tracker")
NICE = 10
TIDY_SECONDS = 5.0
LISTEN_BACKLOG = 1024
MOST_CONNECTIONS = 500
CLOSING_SECONDS = 5


async def serve(home: Home) -> None:
    """Until told to end by a signal."""
    projects = tracker.Projects(home.addons / "sentry", tracker.knowledge_key(home.secrets))
    writer = tracker.Writer(projects)
    with _listening(home.run / tracker.SOCKET) as listener:
        config = uvicorn.Config(
            tracker.Ingest(projects, writer),
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            http="h11",
            proxy_headers=False,
            server_header=False,
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=CLOSING_SECONDS,
            timeout_keep_alive=120,
        )
        server = _Server(config)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, _end, server)
        tidying = asyncio.create_task(_tidy(writer))
        try:
            await server.serve(sockets=[listener])
        finally:
            tidying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await tidying
            await writer.close()


class _Server(uvicorn.Server):
    """Signals are ours."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _end(server: uvicorn.Server) -> None:
    server.should_exit = True


async def _tidy(writer: tracker.Writer) -> None:
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        try:
            await writer.tidy()
        except Exception:
            logging.getLogger("homeport.tracker").exception("tidying failed and is tried again")


@contextlib.contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """A listening socket at this path, which may be longer than a socket's address can be."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{path.name}")
        path.chmod(0o600)
        listener.listen(LISTEN_BACKLOG)
        listener.setblocking(False)
        yield listener
    finally:
        os.close(folder)
        listener.close()


def main() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    asyncio.run(serve(Home(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
