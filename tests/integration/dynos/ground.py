"""A whole ground for dynos: database, store, logs and the local engine, real, in one folder."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import http.client
import textwrap
import threading
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from homeport import accounts, apps, dynos, releases, slugs
from homeport.engine import LocalEngine
from homeport.logs import Logs
from homeport.state import App, Database, Dyno, Release

# A web app of a few lines: answers with its version, and can be told to misbehave by config vars.
SERVER = """
import os, signal, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        time.sleep(float(os.environ.get("SLOW", "0")))
        body = f"{VERSION} {os.environ['DYNO']} {os.getpid()}".encode()
        self.send_response(int(os.environ.get("STATUS", "200")))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args):
        pass

class Server(ThreadingHTTPServer):
    daemon_threads = False
    block_on_close = True
    request_queue_size = 128

server = Server(("0.0.0.0", int(os.environ["PORT"])), Handler)
def stop(*_):
    import threading
    threading.Thread(target=server.shutdown).start()
signal.signal(signal.SIGTERM, stop)
print("serving", VERSION, flush=True)
server.serve_forever()
server.server_close()
"""

QUICK = dynos.Limits(
    boot=2.0,
    grace=1.5,
    settle=0.02,
    drain=1.0,
    resync=1.0,
    retry=0.1,
)


def server(version: str) -> str:
    return f"VERSION = {version!r}\n{SERVER}"


class Ground:
    def __init__(self, folder: Path, limits: dynos.Limits, ports: range, on_end: dynos.OnEnd) -> None:
        self.folder = folder
        self.on_end = on_end
        self.limits = limits
        self.ports = ports
        self.routed: frozenset[int] = frozenset()
        self.dialling = threading.Lock()

    def open(self) -> None:
        self.database = Database.open(f"sqlite:///{self.folder / 'state.db'}", vault=b"k" * 32)
        self.store = slugs.Store(self.folder / "slugs")
        self.logs = Logs(self.folder / "logs")
        self.outputs = dynos.Outputs(self.logs)
        self.engine = LocalEngine(self.folder / "dynos", sink=self.outputs, ports=self.ports)
        self.fleet = dynos.Fleet(
            self.database,
            self.engine,
            self.store,
            self.outputs,
            routes_changed=self.routes_changed,
            hostname=lambda name: f"{name}.localhost",
            limits=self.limits,
            on_end=self.on_end,
        )
        self.database.on_touch = self.fleet.wake
        self.running = asyncio.create_task(self.fleet.run())

    async def close(self) -> None:
        """As an orderly end of the daemon, which leaves dynos running."""
        self.running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.running
        await self.engine.close()
        self.logs.close()
        await self.database.close()

    async def reopen(self) -> None:
        await self.close()
        self.open()

    async def routes_changed(self) -> None:
        """A router that only knows the ports that it may dial, and like any it never dials while that changes."""
        ports = frozenset(dyno.port or 0 for dyno in await self.database.run(_serving))
        with self.dialling:
            self.routed = ports

    # What people do

    async def app(self, name: str = "demo") -> App:
        return await self.database.run(_app, name)

    async def release(
        self,
        app: App,
        process_types: Mapping[str, str],
        files: Mapping[str, str] | None = None,
        *,
        pending: bool = False,
        config: Mapping[str, str] | None = None,
    ) -> Release:
        key = f"code-{uuid.uuid4().hex}"
        draft = self.store.draft(key)
        for name, text in (files or {}).items():
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text))
        self.store.keep(key, draft)
        return await self.database.run(_release, app, key, dict(process_types), pending, config or {})

    async def set(self, app: App, **changes: str | None) -> Release:
        return await self.database.run(_set, app, changes)

    async def scale(self, app: App, **quantities: int | str) -> None:
        updates = [dynos.Update(name, quantity) for name, quantity in quantities.items()]
        await self.database.run(dynos.scale, app, updates)

    # What can be seen

    async def ps(self, app: App) -> dict[str, str]:
        return {dyno.name: dyno.state for dyno in await self.database.run(dynos.running, app)}

    async def serving(self, app: App) -> list[Dyno]:
        return await self.database.run(dynos.serving, app)

    async def get(self, app: App) -> str:
        """The answer of a web dyno that serves."""
        serving = await self.serving(app)
        assert serving, "nobody serves"
        return await asyncio.to_thread(fetch, serving[0].port or 0)

    def lines(self, app: App) -> list[str]:
        return [f"{line.source}[{line.dyno}]: {line.text}" for line in self.logs.recent(app.id)]

    async def until(self, what: Callable[[], Awaitable[bool]], within: float = 10.0) -> None:
        deadline = asyncio.get_running_loop().time() + within
        while not await what():
            assert asyncio.get_running_loop().time() < deadline, "it did not come to that"
            await asyncio.sleep(0.01)

    async def until_ps(self, app: App, within: float = 10.0, **states: str) -> None:
        wanted = {name.replace("_", "."): state for name, state in states.items()}
        try:
            await self.until(lambda: self._ps_is(app, wanted), within)
        except AssertionError:
            raise AssertionError(f"{await self.ps(app)}\n" + "\n".join(self.lines(app))) from None

    async def until_up(self, app: App, name: str) -> None:
        """Until this dyno is, whatever else there is."""

        async def up() -> bool:
            return (await self.ps(app)).get(name) == "up"

        await self.until(up)

    async def _ps_is(self, app: App, wanted: dict[str, str]) -> bool:
        return await self.ps(app) == wanted

    async def until_said(self, app: App, text: str, within: float = 10.0) -> None:
        async def said() -> bool:
            return any(text in line for line in self.lines(app))

        try:
            await self.until(said, within)
        except AssertionError:
            raise AssertionError(f"{text!r} was not said:\n" + "\n".join(self.lines(app))) from None

    async def until_alone(self, count: int, within: float = 10.0) -> None:
        """Until so many processes run, and no more."""

        async def alone() -> bool:
            return len(await self.engine.list()) == count

        await self.until(alone, within)

    def request(self) -> str:
        """A request through the router, from any thread. Raises `OSError` when nobody answers it."""
        with self.dialling:
            if not self.routed:
                raise ConnectionRefusedError("no dyno to send it to")
            connection = http.client.HTTPConnection("127.0.0.1", min(self.routed), timeout=5.0)
            connection.connect()
        return _get(connection)


def fetch(port: int) -> str:
    return _get(http.client.HTTPConnection("127.0.0.1", port, timeout=5.0))


def _get(connection: http.client.HTTPConnection) -> str:
    try:
        connection.request("GET", "/")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


@contextlib.asynccontextmanager
async def ground(
    folder: Path, ports: range, *, on_end: dynos.OnEnd = dynos.nobody_listens, **limits: Any
) -> AsyncIterator[Ground]:
    made = Ground(folder, dataclasses.replace(QUICK, **limits), ports, on_end)
    made.open()
    try:
        yield made
    finally:
        await asyncio.gather(*(made.engine.stop(i.id, 0) for i in await made.engine.list()))
        await made.close()


def _serving(session: Session) -> list[Dyno]:
    return [dyno for app in apps.every(session) for dyno in dynos.serving(session, app)]


def _app(session: Session, name: str) -> App:
    user = accounts.create_user(session, f"{name}@example.com")
    app = apps.create(session, owner=user, name=name)
    releases.start(session, app, user)
    return app


def _release(
    session: Session, app: App, key: str, process_types: dict[str, str], pending: bool, config: Mapping[str, str]
) -> Release:
    app = apps.find(session, app.id)
    if config:
        releases.set_config(session, app, dict(config), by=app.owner)
    slug = slugs.record(
        session,
        app,
        code=key,
        layers=[],
        profile={},
        process_types=process_types,
        commit="c" * 40,
        buildpack="Python",
        size=1,
    )
    release = releases.create(session, app, by=app.owner, description="Deploy", slug=slug, pending=pending)
    if not pending:
        dynos.align_formation(session, app, slug)
    return release


def _set(session: Session, app: App, changes: Mapping[str, str | None]) -> Release:
    app = apps.find(session, app.id)
    return releases.set_config(session, app, dict(changes), by=app.owner)


def succeed(session: Session, release: Release) -> Release:
    current = releases.succeed(session, release)
    app = session.get_one(App, current.app_id)
    if current.slug is not None:
        dynos.align_formation(session, app, current.slug)
    return current
