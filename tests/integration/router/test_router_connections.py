"""Every request has a connection to its dyno to itself: none fails for another one, none runs twice that must not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from homeport.router import AppState, RouteTable, Server
from tests.integration.router.proxy_ground import (
    Answer,
    Dyno,
    Ground,
    Request,
    app,
    exchange,
    hello,
    proxy,
    up,
)

pytestmark = pytest.mark.slow

Connection = list[str]
"""The methods of the requests that came on one connection to a dyno."""


@contextlib.asynccontextmanager
async def keeping(*, answers: int = 1_000_000) -> AsyncIterator[tuple[Server, list[Connection]]]:
    """A dyno that keeps connections open, and hangs up on a request when one has had so many answers."""
    connections: list[Connection] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen: Connection = []
        connections.append(seen)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                if len(seen) == answers:
                    break
                seen.append(head.split(" ")[0].upper())
                length = next((line.split(":")[1] for line in head.splitlines() if line.startswith("content-le")), "0")
                await reader.readexactly(int(length))
                body = b"" if seen[-1] == "HEAD" else b"kept\n"
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + body)
                await writer.drain()
        writer.close()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listener:
        yield Server("0" * 36, "web.1", "127.0.0.1", listener.sockets[0].getsockname()[1]), connections


async def head_of(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
    writer.write(b"HEAD / HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
    return int((await reader.readuntil(b"\r\n\r\n")).split(b" ")[1])


def test_requests_share_no_connection_even_if_the_dyno_would(tmp_path: Path) -> None:
    async def story() -> None:
        async with keeping() as (server, connections), proxy(tmp_path) as ground:
            await ground.proxy.apply(RouteTable((app("shop", AppState.UP, server),)))
            reader, writer = await ground.connect("shop.localhost", "http/1.1")

            async def request(method: str, body: bytes = b"") -> Answer:
                return await exchange(reader, writer, "shop.localhost", method=method, body=body)

            for _ in range(5):
                for _ in range(4):
                    assert (await request("GET")).body == b"kept\n"
                assert (await request("POST", b"a form")).body == b"kept\n"
                assert (await request("GET", b"a body")).body == b"kept\n"
                assert (await request("DELETE")).body == b"kept\n"
                assert await head_of(reader, writer) == 200
            writer.close()
            assert [len(seen) for seen in connections] == [1] * 40

    asyncio.run(story())


def test_a_dyno_may_hang_up_after_every_answer(tmp_path: Path) -> None:
    async def story() -> None:
        async with keeping(answers=1) as (server, connections), proxy(tmp_path) as ground:
            await ground.proxy.apply(RouteTable((app("shop", AppState.UP, server),)))
            reader, writer = await ground.connect(plain=True)
            for number in range(60):
                method = "POST" if number % 3 == 2 else "GET"
                assert (await exchange(reader, writer, "shop.localhost", method=method)).status == 200
            writer.close()
            assert Counter(method for seen in connections for method in seen) == {"GET": 40, "POST": 20}

    asyncio.run(story())


async def dies(request: Request) -> None:
    """Answers GETs, and for everything else reads the body, perhaps does what it asks for, and ends."""
    if request.method == "GET":
        await hello(request)
        return
    async for _ in request.body():
        pass


def test_what_breaks_off_is_told_and_not_run_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(dies) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            reader, writer = await ground.connect(plain=True)
            for number in range(3):
                assert (await exchange(reader, writer, "shop.localhost")).status == 200
                page = await exchange(reader, writer, "shop.localhost", f"/{number}", method="POST", body=b"money")
                assert (page.status, page.headers["homeport-error"]) == (503, "H13")
                line = await ground.line(f'path="/{number}"')
                assert line.startswith('at=error code=H13 desc="Connection closed without response" method=POST ')
            writer.close()
            assert Counter(request.method for request in dyno.requests) == {"GET": 3, "POST": 3}

    asyncio.run(story())


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl speaks HTTP/2 for this test")
def test_a_browser_is_not_told_to_send_a_form_again(tmp_path: Path) -> None:
    """Over HTTP/2 a stream that ends without a word is a refused one, which clients send again by themselves."""

    async def story() -> None:
        async with Dyno.running(dies) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            port = ground.proxy.https_port
            curl = await asyncio.create_subprocess_exec(
                "curl", "--silent", "--http2", "--cacert", str(ground.proxy.authority.ca),
                "--resolve", f"shop.localhost:{port}:127.0.0.1", "--data", "money", "--output", "-",
                "--write-out", "%{http_version} %{http_code} %header{homeport-error}",
                f"https://shop.localhost:{port}/pay", stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            output, _ = await curl.communicate()
            assert output.decode().splitlines()[-1].endswith("2 503 H13")
            assert [request.method for request in dyno.requests] == ["POST"]
            assert "protocol=https" in await ground.line("code=H13")

    asyncio.run(story())


def test_a_later_request_comes_the_way_the_first_one_did(tmp_path: Path) -> None:
    async def story() -> None:
        seen: list[dict[str, str]] = []

        async def note(request: Request) -> None:
            seen.append({name.lower(): value for name, value in request.headers})
            size = sum([len(piece) async for piece in request.body()])
            await request.answer(str(size).encode())

        async with Dyno.running(note) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            reader, writer = await ground.connect("shop.localhost", "http/1.1")
            forged = (
                "X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: http\r\nX-Request-Start: 5\r\nX-Request-Id: no\r\n"
            )
            for _ in range(2):
                answer = await exchange(
                    reader, writer, "shop.localhost", method="POST", headers=forged, body=b"x" * 300_000
                )
                assert answer.text == "300000"
            writer.close()
            first, later = seen
            assert set(first) == set(later)
            for name in ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-port", "via", "host", "connection"):
                assert first[name] == later[name]
            assert first["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"
            assert 0 <= int(later["x-request-start"]) - int(first["x-request-start"]) < 60_000
            assert "no" not in (first["x-request-id"], later["x-request-id"])
            await ground.line("method=POST")
            while len(ground.lines) < 2:  # noqa: ASYNC110 - a few milliseconds, in a test
                await asyncio.sleep(0.01)
            assert all('fwd="192.0.2.1, 127.0.0.1" dyno=web.1 ' in text for _, text in ground.lines)

    asyncio.run(story())


def test_a_client_that_leaves_a_later_request_is_h27(tmp_path: Path) -> None:
    async def thinks(request: Request) -> None:
        await (hello(request) if request.method == "GET" else asyncio.sleep(0.8))

    async def story() -> None:
        async with Dyno.running(thinks) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            reader, writer = await ground.connect(plain=True)
            assert (await exchange(reader, writer, "shop.localhost")).status == 200
            writer.write(b"POST /gone HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 1\r\n\r\nx")
            while len(dyno.requests) < 2:  # noqa: ASYNC110 - a few milliseconds, in a test
                await asyncio.sleep(0.01)
            writer.close()
            assert "code=H27 " in await ground.line('path="/gone"')

    asyncio.run(story())


SERVERS = {
    "gunicorn's threads": (
        "gunicorn",
        "counting:wsgi",
        "--threads",
        "8",
        "--keep-alive",
        "1",
        "--bind",
        "127.0.0.1:{}",
    ),
    "uvicorn": ("uvicorn", "counting:asgi", "--timeout-keep-alive", "1", "--port", "{}"),
}
CLIENTS = 40
SECONDS = 4.0


@contextlib.asynccontextmanager
async def serving(name: str, folder: Path) -> AsyncIterator[Server]:
    """A real server with the counting app, whose connections end after a second."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    program, *arguments = (word.format(port) for word in SERVERS[name])
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", program, *arguments, cwd=Path(__file__).parent,
        env={**os.environ, "COUNT": str(folder / "count")},
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield Server("0" * 36, "web.1", "127.0.0.1", port)
    finally:
        process.terminate()
        await process.wait()


async def visit(ground: Ground, who: int, asked: list[str]) -> None:
    """Ask again and again on one connection, mostly in the very moment in which the server ends an idle one."""
    chance = random.Random(who)
    end = asyncio.get_running_loop().time() + SECONDS
    reader, writer = await ground.connect(plain=True)
    while asyncio.get_running_loop().time() < end:
        method, path = chance.choice(["GET", "GET", "POST"]), f"/{who}/{len(asked)}"
        asked.append(f"{method} {path}")
        body = b"x" if method == "POST" else b""
        answer = await exchange(reader, writer, "shop.localhost", path, method=method, body=body)
        assert (answer.status, answer.body) == (200, b"ok"), f"{method} {path}"
        await asyncio.sleep(chance.choice([0, 0.1, 1 + chance.uniform(-0.02, 0.02), 1 - chance.uniform(0, 0.004)]))
    writer.close()


@pytest.mark.parametrize("server", SERVERS)
def test_servers_may_end_idle_connections_whenever_they_like(tmp_path: Path, server: str) -> None:
    """Every request is answered, and every one runs once."""

    async def story() -> None:
        async with serving(server, tmp_path) as dyno, proxy(tmp_path / "home") as ground:
            await ground.proxy.apply(RouteTable((app("shop", AppState.UP, dyno),)))
            asked: list[str] = []
            await asyncio.gather(*(visit(ground, who, asked) for who in range(CLIENTS)))
            ran = Counter((tmp_path / "count").read_text().splitlines())
            assert {what: times for what, times in ran.items() if times > 1 and what.startswith("POST")} == {}
            assert set(ran) == set(asked)

    asyncio.run(story())
