"""A TCP port that leads to a unix socket, as the router does it: for clients that know no unix sockets."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from pathlib import Path


class Relay:
    """Listens on a free port of the loopback until it is closed. What isn't there yet, or any more, is hung up on."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        try:
            server = self._connected()
        except OSError:
            client.close()
            return
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join()
        client.close()
        server.close()

    def _connected(self) -> socket.socket:
        """The socket's path may be longer than an address can be."""
        folder = os.open(self._target.parent, os.O_RDONLY | os.O_DIRECTORY)
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(f"/proc/self/fd/{folder}/{self._target.name}")
        except OSError:
            server.close()
            raise
        finally:
            os.close(folder)
        return server


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
