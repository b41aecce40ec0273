"""A real HAProxy in a folder of its own, dynos that misbehave on request, and clients that look closely."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homeport.home import Home
from homeport.router import AppRoute, AppState, Proxy, RouteTable, Server, Timeouts
from homeport.router.process import remains

QUICK = Timeouts(connect=0.5, first_byte=1.0, idle=2.0, boot=3.0, headers=2.0, keep_alive=5.0)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Answer:
    """A whole HTTP/1.1 answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass
class Request:
    """What a dyno received."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def header(self, name: str) -> str | None:
        """The value, several lines of the same name joined as WSGI servers do."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ",".join(values) if values else None

    async def body(self) -> AsyncIterator[bytes]:
        left = int(self.header("content-length") or 0)
        while left:
            piece = await self.reader.read(min(left, 1 << 16))
            if not piece:
                return
            left -= len(piece)
            yield piece

    async def answer(self, body: bytes, *, status: str = "200 OK", extra: str = "") -> None:
        self.writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body)
        await self.writer.drain()


Behaviour = Callable[[Request], Awaitable[None]]


@dataclass
class Dyno:
    """A web dyno: a TCP server of this process."""

    server: Server
    behaviour: Behaviour
    requests: list[Request] = field(default_factory=list)
    _listener: asyncio.Server | None = None
    _busy: int = 0

    @classmethod
    @contextlib.asynccontextmanager
    async def running(cls, behaviour: Behaviour, *, name: str = "web.1") -> AsyncIterator[Dyno]:
        dyno = cls(Server(str(uuid.uuid4()), name, "127.0.0.1", 0), behaviour)
        dyno._listener = await asyncio.start_server(dyno._serve, "127.0.0.1", 0, backlog=512)
        port = dyno._listener.sockets[0].getsockname()[1]
        dyno.server = Server(dyno.server.dyno_id, name, "127.0.0.1", port)
        try:
            yield dyno
        finally:
            await dyno.stop()

    async def asked(self) -> None:
        """Once the first request has come."""
        while not self.requests:  # noqa: ASYNC110 - a few milliseconds, in a test
            await asyncio.sleep(0.01)

    async def stop(self) -> None:
        """As the platform stops one: connections that are made already get a moment to be accepted, then TERM, which
        means no more connections, and an end of the requests that there are."""
        if self._listener is not None:
            await asyncio.sleep(0.05)
            self._listener.close()
            self._listener = None
        while self._busy:  # noqa: ASYNC110 - a few milliseconds, in a test
            await asyncio.sleep(0.01)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._busy += 1
        try:
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            method, path, _ = first.split(" ", 2)
            headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines if line)]
            request = Request(method, path, headers, reader, writer)
            self.requests.append(request)
            await self.behaviour(request)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._busy -= 1
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


async def hello(request: Request) -> None:
    async for _ in request.body():
        pass
    await request.answer(b"hello\n")


def app(name: str, state: AppState, *servers: Server, hostnames: tuple[str, ...] = ()) -> AppRoute:
    return AppRoute(str(uuid.uuid5(uuid.NAMESPACE_DNS, name)), name, (f"{name}.localhost", *hostnames), state, servers)


def up(name: str, *dynos: Dyno, hostnames: tuple[str, ...] = ()) -> RouteTable:
    return RouteTable((app(name, AppState.UP, *(dyno.server for dyno in dynos), hostnames=hostnames),))


def only(name: str, state: AppState) -> RouteTable:
    return RouteTable((app(name, state),))


class Ground:
    """One proxy and its home. `lines` has what the log sink got, as (app id, text)."""

    def __init__(self, folder: Path, timeouts: Timeouts = QUICK, **settings: Any) -> None:
        self.home = Home(folder)
        self.home.prepare()
        self.lines: list[tuple[str, str]] = []
        self._timeouts = timeouts
        self._settings = settings
        self.proxy = self.make_proxy()

    def make_proxy(self, **settings: Any) -> Proxy:
        arguments = {"https_port": 0, "http_port": 0} | self._settings | settings
        return Proxy(
            self.home,
            api_socket=self.home.run / "api.sock",
            rendezvous_socket=self.home.run / "rendezvous.sock",
            log_sink=lambda app_id, texts: self.lines.extend((app_id, text) for text in texts),
            timeouts=self._timeouts,
            **arguments,
        )

    async def line(self, containing: str) -> str:
        """The first router line that contains this, once it has come."""
        async with asyncio.timeout(5):
            while True:
                for _, text in self.lines:
                    if containing in text:
                        return text
                await asyncio.sleep(0.01)

    def tls(self, *protocols: str) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self.proxy.authority.ca))
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context

    async def connect(self, host: str = "localhost", *protocols: str, plain: bool = False) -> Streams:
        """A connection to the proxy, its certificate checked for the host name."""
        if plain:
            return await asyncio.open_connection("127.0.0.1", self.proxy.http_port, limit=1 << 20)
        return await asyncio.open_connection(
            "127.0.0.1", self.proxy.https_port, ssl=self.tls(*protocols), server_hostname=host, limit=1 << 20
        )

    async def get(
        self,
        host: str,
        path: str = "/",
        *,
        method: str = "GET",
        headers: str = "",
        body: bytes = b"",
        plain: bool = False,
    ) -> Answer:
        """One request on a connection of its own. `headers` are whole lines."""
        reader, writer = await self.connect(host, "http/1.1", plain=plain)
        try:
            return await exchange(reader, writer, host, path, method=method, headers=headers, body=body)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


async def exchange(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    host: str,
    path: str = "/",
    *,
    method: str = "GET",
    headers: str = "",
    body: bytes = b"",
) -> Answer:
    """One request on an open connection."""
    length = f"Content-Length: {len(body)}\r\n" if body or method in ("POST", "PUT") else ""
    writer.write(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{length}{headers}\r\n".encode() + body)
    await writer.drain()
    return await read_answer(reader)


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding") == "chunked":
        body = b""
        while size := int(await reader.readline(), 16):
            body += await reader.readexactly(size)
            await reader.readline()
        await reader.readline()
    else:
        body = b""
    return Answer(int(first.split(" ")[1]), headers, body)


@contextlib.asynccontextmanager
async def proxy(folder: Path, table: RouteTable | None = None, **settings: Any) -> AsyncIterator[Ground]:
    """A ground whose proxy is up and is ended afterwards, whatever happens."""
    ground = Ground(folder, **settings)
    try:
        await ground.proxy.start()
        if table is not None:
            await ground.proxy.apply(table)
        yield ground
    finally:
        await ground.proxy.stop()
        assert remains(folder) == set()
