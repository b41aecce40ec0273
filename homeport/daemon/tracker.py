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
import sys
from pathlib import Path

import uvicorn

from homeport import tracker
from homeport.daemon.sockets import CLOSING_SECONDS, Server, listening
from homeport.home import Home

PROGRAM = (sys.executable, "-m", "homeport.daemon.tracker")
NICE = 10
TIDY_SECONDS = 5.0
MOST_CONNECTIONS = 500


async def serve(home: Home) -> None:
    """Until told to end by a signal."""
    projects = tracker.Projects(home.addons / "sentry", tracker.knowledge_key(home.secrets))
    writer = tracker.Writer(projects)
    with listening(home.run / tracker.SOCKET) as listener:
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
        server = Server(config)
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


def _end(server: uvicorn.Server) -> None:
    server.should_exit = True


async def _tidy(writer: tracker.Writer) -> None:
    while True:
        await asyncio.sleep(TIDY_SECONDS)
        try:
            await writer.tidy()
        except Exception:
            logging.getLogger("homeport.tracker").exception("tidying failed and is tried again")


def main() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    asyncio.run(serve(Home(Path(sys.argv[1]))))


if __name__ == "__main__":
    main()
