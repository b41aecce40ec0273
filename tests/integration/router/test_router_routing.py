"""Requests find their way: host names, headers, protocols, sizes."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import shutil
import time
from pathlib import Path

import pytest
from websockets.asyncio.client import connect as connect_websocket
from websockets.asyncio.server import serve as serve_websockets

from homeport.router import AppState, RouteTable, Server
from tests.integration.router.proxy_ground import QUICK, Dyno, Request, app, exchange, hello, proxy, read_answer, up

pytestmark = pytest.mark.slow


async def echo_headers(request: Request) -> None:
    await request.answer(json.dumps({name.lower(): value for name, value in request.headers}).encode())


def test_an_app_answers_at_its_name_over_https_and_http(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            assert (await ground.get("shop.localhost")).text == "hello\n"
            assert (await ground.get("shop.localhost", plain=True)).text == "hello\n"
            assert (await ground.get("SHOP.localhost")).text == "hello\n"

    asyncio.run(story())


def test_custom_domains_and_wildcards_lead_to_their_app(tmp_path: Path) -> None:
    async def story() -> None:
        names = ("www.example.org", "*.example.net")
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno, hostnames=names)) as ground:
            assert (await ground.get("www.example.org")).status == 200
            assert (await ground.get("any.example.net")).status == 200
            assert (await ground.get("deep.any.example.net", plain=True)).status == 404
            assert (await ground.get("example.org", plain=True)).status == 404

    asyncio.run(story())


def test_an_unknown_host_gets_a_page_that_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path) as ground:
            page = await ground.get("nobody.localhost", plain=True)
            assert page.status == 404
            assert "nothing here, yet" in page.text
            asked_for_json = await ground.get("nobody.localhost", headers="Accept: application/json\r\n", plain=True)
            assert json.loads(asked_for_json.body)["id"] == "no_such_app"

    asyncio.run(story())


def test_the_app_sees_heroku_headers(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(echo_headers) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            seen = json.loads((await ground.get("shop.localhost")).body)
            assert seen["host"] == "shop.localhost"
            assert seen["x-forwarded-for"] == "127.0.0.1"
            assert seen["x-forwarded-proto"] == "https"
            assert seen["x-forwarded-port"] == str(ground.proxy.https_port)
            assert seen["via"] == "1.1 homeport"
            assert abs(int(seen["x-request-start"]) - time.time() * 1000) < 5000
            assert 20 <= len(seen["x-request-id"]) <= 200
            plain = json.loads((await ground.get("shop.localhost", plain=True)).body)
            assert plain["x-forwarded-proto"] == "http"
            assert plain["x-forwarded-port"] == str(ground.proxy.http_port)

    asyncio.run(story())


def test_a_client_cannot_lie_about_the_way_it_came(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(echo_headers) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            lies = "X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Request-Start: 1\r\nProxy: evil:1\r\n"
            seen = json.loads((await ground.get("shop.localhost", headers=lies)).body)
            assert seen["x-forwarded-for"] == "10.0.0.1, 127.0.0.1"
            assert seen["x-forwarded-proto"] == "https"
            assert seen["x-request-start"] != "1"
            assert "proxy" not in seen
            await ground.get("shop.localhost", headers="X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-For: 10.0.0.2\r\n")
            assert dyno.requests[-1].header("x-forwarded-for") == "10.0.0.1,10.0.0.2,127.0.0.1"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a" * 20, True),
        ("AZaz09+/=-_" + "x" * 189, True),
        ("a" * 19, False),
        ("a" * 201, False),
        ("a" * 20 + " b", False),
        ("a" * 20 + "<script>", False),
    ],
)
def test_a_valid_request_id_is_kept_any_other_is_replaced(tmp_path: Path, given: str, kept: bool) -> None:
    async def story() -> None:
        async with Dyno.running(echo_headers) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            seen = json.loads((await ground.get("shop.localhost", headers=f"X-Request-Id: {given}\r\n")).body)
            assert (seen["x-request-id"] == given) is kept
            assert f"request_id={seen['x-request-id']} " in await ground.line("method=GET")

    asyncio.run(story())


def test_headers_of_sixteen_kilobytes_pass(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(echo_headers) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            seen = json.loads((await ground.get("shop.localhost", headers=f"Big: {'x' * 20_000}\r\n")).body)
            assert len(seen["big"]) == 20_000

    asyncio.run(story())


def test_a_large_body_streams_through_both_ways(tmp_path: Path) -> None:
    size = 100 << 20

    async def count(request: Request) -> None:
        received = 0
        async for piece in request.body():
            received += len(piece)
        request.writer.write(f"HTTP/1.1 200 OK\r\nReceived: {received}\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(size >> 16):
            request.writer.write(bytes(1 << 16))
            await request.writer.drain()

    async def story() -> None:
        async with Dyno.running(count) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            reader, writer = await ground.connect("shop.localhost", "http/1.1")
            writer.write(f"POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: {size}\r\n\r\n".encode())
            for _ in range(size >> 16):
                writer.write(bytes(1 << 16))
                await writer.drain()
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            assert f"received: {size}" in head
            left = size
            while left:
                piece = await reader.read(1 << 20)
                assert piece
                left -= len(piece)
            writer.close()

    asyncio.run(story())


def test_expect_continue_is_the_apps_to_answer(tmp_path: Path) -> None:
    async def polite(request: Request) -> None:
        request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        pieces = [piece async for piece in request.body()]
        await request.answer(b"".join(pieces))

    async def story() -> None:
        async with Dyno.running(polite) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            reader, writer = await ground.connect("shop.localhost", "http/1.1")
            writer.write(
                b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
            )
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
            writer.write(b"body")
            assert (await read_answer(reader)).body == b"body"
            writer.close()

    asyncio.run(story())


def test_many_requests_share_a_connection_without_waiting(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            for protocols in (("http/1.1",), ()):  # with ALPN, and without as old clients
                reader, writer = await ground.connect("shop.localhost", *protocols)
                started = time.perf_counter()
                for _ in range(50):
                    assert (await exchange(reader, writer, "shop.localhost")).status == 200
                assert time.perf_counter() - started < 1.5
                writer.close()

    asyncio.run(story())


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl speaks HTTP/2 for this test")
def test_http_2_works(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(echo_headers) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            port = ground.proxy.https_port
            url = f"https://shop.localhost:{port}/path?query=1"
            curl = await asyncio.create_subprocess_exec(
                "curl", "--silent", "--http2", "--cacert", str(ground.proxy.authority.ca),
                "--resolve", f"shop.localhost:{port}:127.0.0.1", "--write-out", "\n%{http_version} %{num_connects}\n",
                url, url, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            output, _ = await curl.communicate()
            lines = output.decode().splitlines()
            assert lines[1] == "2 1"
            assert lines[3] == "2 0"
            assert json.loads(lines[0])["via"] == "2.0 homeport"
            assert json.loads(lines[0])["host"] == f"shop.localhost:{port}"
            assert 'path="/path?query=1" host=shop.localhost ' in await ground.line("method=GET")

    asyncio.run(story())


@pytest.mark.parametrize("scheme", ["wss", "ws"])
def test_websockets_work(tmp_path: Path, scheme: str) -> None:
    async def story() -> None:
        async def echo(socket) -> None:  # type: ignore[no-untyped-def]
            async for message in socket:
                await socket.send(f"you said {message}")

        async with serve_websockets(echo, "127.0.0.1", 0) as server, proxy(tmp_path) as ground:
            port = next(iter(server.sockets)).getsockname()[1]
            await ground.proxy.apply(
                RouteTable((app("chat", AppState.UP, Server("0" * 36, "web.1", "127.0.0.1", port)),))
            )
            secure = scheme == "wss"
            async with connect_websocket(
                f"{scheme}://chat.localhost/",
                host="127.0.0.1",
                port=ground.proxy.https_port if secure else ground.proxy.http_port,
                ssl=ground.tls() if secure else None,
                proxy=None,
            ) as socket:
                for number in range(3):
                    await socket.send(str(number))
                    assert await socket.recv() == f"you said {number}"
            assert "at=info method=GET" in await ground.line("status=101")

    asyncio.run(story())


def test_requests_are_spread_over_the_dynos(tmp_path: Path) -> None:
    async def story() -> None:
        async with (
            Dyno.running(hello, name="web.1") as one,
            Dyno.running(hello, name="web.2") as two,
            proxy(tmp_path, up("shop", one, two)) as ground,
        ):
            await asyncio.gather(*(ground.get("shop.localhost", plain=True) for _ in range(20)))
            assert len(one.requests) + len(two.requests) == 20
            assert min(len(one.requests), len(two.requests)) >= 5
            assert "dyno=web.2 " in await ground.line("dyno=web.2")

    asyncio.run(story())


def test_the_api_answers_at_localhost_and_in_clear_only_to_this_machine(tmp_path: Path) -> None:
    async def api(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        body = "\n".join(line for line in head.split("\r\n") if line.startswith(("x-forwarded", "get")))
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        writer.close()

    async def story() -> None:
        async with proxy(tmp_path) as ground:
            server = await asyncio.start_unix_server(api, ground.home.run / "api.sock")
            async with server:
                lied = await ground.get("localhost", "/apps", headers="X-Forwarded-For: 10.0.0.1\r\n")
                assert lied.text.splitlines()[0] == "get /apps http/1.1"
                assert "x-forwarded-for: 127.0.0.1" in lied.text
                assert "x-forwarded-proto: https" in lied.text
                assert (await ground.get("127.0.0.1", "/apps")).status == 200
                assert (await ground.get("localhost", "/apps", plain=True)).status == 200
            await asyncio.sleep(0.1)
            assert ground.lines == [], "requests to the API are nobody's router lines"

    asyncio.run(story())


def test_the_api_says_when_the_daemon_is_down_and_apps_go_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            answer = await ground.get("localhost", "/apps")
            assert answer.status == 503
            assert json.loads(answer.body)["id"] == "unavailable"
            assert "homeport up" in json.loads(answer.body)["message"]
            assert (await ground.get("shop.localhost")).status == 200

    asyncio.run(story())


async def quiet_api(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    await asyncio.sleep(2.5)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbuilt")
    writer.close()


@pytest.mark.parametrize("plain", [False, True])
def test_the_api_may_be_quiet_for_long(tmp_path: Path, plain: bool) -> None:
    async def story() -> None:
        timeouts = dataclasses.replace(QUICK, upload=1.0)
        async with proxy(tmp_path, timeouts=timeouts) as ground:
            api = await asyncio.start_unix_server(quiet_api, ground.home.run / "api.sock")
            async with api:
                assert (await ground.get("localhost", "/builds", plain=plain)).text == "built"

    asyncio.run(story())


def test_an_upload_may_take_longer_than_an_answer(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            reader, writer = await ground.connect("shop.localhost", "http/1.1")
            writer.write(b"POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 10\r\n\r\n")
            for _ in range(10):
                writer.write(b"x")
                await asyncio.sleep(0.3)
            assert (await read_answer(reader)).text == "hello\n"
            writer.close()

    asyncio.run(story())


def test_events_may_be_further_apart_than_a_first_byte(tmp_path: Path) -> None:
    async def events(request: Request) -> None:
        request.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 18\r\n\r\n")
        for number in (1, 2):
            request.writer.write(f"data: {number}\n\n".encode())
            await request.writer.drain()
            await asyncio.sleep(1.5)
        request.writer.write(b"\n\n")

    async def story() -> None:
        async with Dyno.running(events) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            answer = await ground.get("shop.localhost", headers="Accept: text/event-stream\r\n")
            assert answer.text.startswith("data: 1\n\ndata: 2\n\n")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        ("GET / HTTP/1.1\r\nHost: shop.localhost.\r\n", 200),
        ("GET / HTTP/1.1\r\nHost: shop.localhost:8443\r\n", 200),
        ("GET http://shop.localhost/ HTTP/1.1\r\nHost: shop.localhost\r\n", 200),
        ("GET / HTTP/1.0\r\nHost: shop.localhost\r\n", 200),
        ("GET / HTTP/1.0\r\n", 404),
        ("GET / HTTP/1.1\r\nHost: \r\n", 404),
        ("GET / HTTP/1.1\r\nHost: shop.localhost\r\nHost: other.localhost\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n", 400),
        ("NONSENSE\r\n", 400),
    ],
)
def test_unusual_requests(tmp_path: Path, request_head: str, status: int) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            reader, writer = await ground.connect(plain=True)
            writer.write(f"{request_head}\r\n".encode())
            assert (await read_answer(reader)).status == status
            writer.close()

    asyncio.run(story())


def test_a_host_that_looks_like_a_route_is_none(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            route = app("shop", AppState.UP)
            answer = await ground.get(f"up/{route.app_id}/shop", plain=True)
            assert answer.status in (400, 404)  # newer HAProxys refuse such a host name
            assert dyno.requests == []

    asyncio.run(story())


def test_the_other_loopback_works_too(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            try:
                reader, writer = await asyncio.open_connection("::1", ground.proxy.http_port)
            except OSError:
                pytest.skip("this machine has no IPv6")
            assert (await exchange(reader, writer, "shop.localhost")).status == 200
            assert dyno.requests[-1].header("x-forwarded-for") == "::1"
            writer.close()

    asyncio.run(story())
