"""Serving on unix sockets: what the daemon and the processes beside it have in common."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn

LISTEN_BACKLOG = 1024
CLOSING_SECONDS = 5


class Server(uvicorn.Server):
    """Signals are its process's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
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
