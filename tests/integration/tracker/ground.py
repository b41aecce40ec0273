"""A tracker that really runs, with one add-on, and a door to it by TCP: SDKs know no unix sockets."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from homeport import tracker
from homeport.addons import Errors, Resource, Servers, Site, catalog
from homeport.daemon.tracker import PROGRAM
from homeport.home import Home

T = TypeVar("T")

SERVER = "errors"


class Ground:
    """A machine with one add-on. `port` leads to the tracker, as the router does."""

    def __init__(self, folder: Path, plan: str = "business") -> None:
        self.home = Home(folder / "home")
        self.home.prepare()
        self.door = Door(self.home.run / tracker.SOCKET)
        self.site = Site(
            home=self.home,
            servers=Servers(self.home.run / "servers", self.home.logs / "addons"),
            clear_url=lambda: f"http://127.0.0.1:{self.door.port}",
        )
        self.provider = Errors(self.site, PROGRAM)
        self.resource = Resource(str(uuid.uuid4()), "sentry-1", catalog.plan(f"sentry:{plan}"))
        self.provision()

    def provision(self) -> None:
        self.resource = replace(self.resource, secret=asyncio.run(self.provider.provision(self.resource)))

    def tend(self) -> list[Resource]:
        return asyncio.run(self.provider.tend([self.resource]))

    @property
    def dsn(self) -> str:
        return self.provider.config_vars(self.resource, "SENTRY")["SENTRY_DSN"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.door.port}/api/{self.resource.secret['number']}/envelope/"

    @property
    def auth(self) -> dict[str, str]:
        return {"X-Sentry-Auth": f"Sentry sentry_key={self.resource.secret['key']}"}

    def issues(self, query: str = "") -> list[tracker.Issue]:
        return self.provider.issues(self.resource).search(query, time.time())

    def latest(self, number: int) -> tracker.Kept:
        found = self.provider.issues(self.resource).detail(number, time.time()).latest
        assert found is not None
        return found

    def kill(self) -> None:
        """As the kernel does it when memory runs out."""
        pid = self.site.servers.pid(SERVER)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: self.site.servers.pid(SERVER) is None, "its end")

    def close(self) -> None:
        asyncio.run(self.provider.stop())
        self.door.close()


class Door:
    """Passes connections on to a unix socket, byte by byte; refuses them while nobody listens there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(OSError):
            server.connect(str(self._path))
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # or the thread would go on, with whatever has its number next
        self._accepting.join(30)
        self._listener.close()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def opened(folder: Path, plan: str = "business") -> Iterator[Ground]:
    made = Ground(folder, plan)
    try:
        yield made
    finally:
        made.close()


def eventually(check: Callable[[], T], what: str, seconds: float = 60) -> T:
    """The first true value."""
    deadline = time.monotonic() + seconds
    while not (value := check()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return value
