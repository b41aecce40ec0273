"""`heroku run` speaks raw TLS to the port that HTTPS is on."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from homeport.router import RENDEZVOUS_PREFIX
from tests.integration.router.proxy_ground import Dyno, Ground, exchange, hello, proxy, up

pytestmark = pytest.mark.slow

SECRET = RENDEZVOUS_PREFIX + "Zm9vYmFyLV8x"


@contextlib.asynccontextmanager
async def meeting_point(ground: Ground) -> AsyncIterator[list[bytes]]:
    """Where the daemon would listen: says `rendezvous`, then answers every line in capitals."""
    firsts: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        firsts.append(await reader.read(1000))
        writer.write(b"rendezvous\r\n")
        while data := await reader.read(1000):
            writer.write(data.upper())
        writer.close()

    async with _listening(serve, ground):
        yield firsts


@contextlib.asynccontextmanager
async def _listening(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], ground: Ground
) -> AsyncIterator[None]:
    async with await asyncio.start_unix_server(serve, ground.home.run / "rendezvous.sock"):
        yield


async def connect(ground: Ground) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """As the heroku CLI does: TLS without SNI and ALPN, the certificate checked for the name `localhost`."""
    context = ground.tls()
    context.check_hostname = False
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", ground.proxy.https_port, ssl=context, server_hostname=""
    )
    certificate = writer.get_extra_info("peercert")
    assert ("DNS", "localhost") in certificate["subjectAltName"]
    assert ("IP Address", "127.0.0.1") in certificate["subjectAltName"]
    return reader, writer


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


@pytest.mark.parametrize("ending", ["\r\n", "", "?some=query\r\n"])
def test_a_secret_leads_to_the_meeting_point(tmp_path: Path, ending: str) -> None:
    async def story() -> None:
        async with proxy(tmp_path) as ground, meeting_point(ground) as firsts:
            started = time.perf_counter()
            reader, writer = await connect(ground)
            writer.write((SECRET + ending).encode())
            assert await reader.readline() == b"rendezvous\r\n"
            assert time.perf_counter() - started < 1, "nothing waits for more"
            writer.write(b"ls\n")
            assert await reader.readline() == b"LS\n"
            assert firsts == [(SECRET + ending).encode()]
            await hang_up(writer)

    asyncio.run(story())


def test_a_secret_in_two_pieces_is_one(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path) as ground, meeting_point(ground) as firsts:
            reader, writer = await connect(ground)
            writer.write(SECRET[:4].encode())
            await asyncio.sleep(0.2)
            writer.write(SECRET[4:].encode())
            assert await reader.readline() == b"rendezvous\r\n"
            assert b"".join(firsts) == SECRET.encode()
            await hang_up(writer)

    asyncio.run(story())


def test_a_session_survives_quiet_times_and_reloads(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path) as ground, meeting_point(ground):
            reader, writer = await connect(ground)
            writer.write(SECRET.encode())
            await reader.readline()
            await ground.proxy.apply(up("shop", dyno))  # a reload
            await asyncio.sleep(2.5)  # longer than any of this ground's limits for apps
            writer.write(b"still there\n")
            assert await reader.readline() == b"STILL THERE\n"
            await hang_up(writer)

    asyncio.run(story())


def test_the_end_of_the_process_ends_the_connection(tmp_path: Path) -> None:
    async def bye(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b"rendezvous\r\nbye\n")
        writer.close()

    async def story() -> None:
        async with proxy(tmp_path) as ground, _listening(bye, ground):
            reader, writer = await connect(ground)
            writer.write(SECRET.encode())
            assert await reader.read() == b"rendezvous\r\nbye\n"
            await hang_up(writer)

    asyncio.run(story())


def test_http_without_alpn_is_still_http(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            reader, writer = await ground.connect("shop.localhost")
            started = time.perf_counter()
            for _ in range(3):
                assert (await exchange(reader, writer, "shop.localhost")).text == "hello\n"
            assert time.perf_counter() - started < 1, "looking at the first bytes delays nobody"
            await hang_up(writer)

    asyncio.run(story())


def test_a_client_that_connects_ahead_of_its_request_is_served(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            reader, writer = await ground.connect("shop.localhost")
            await asyncio.sleep(1.0)
            assert (await exchange(reader, writer, "shop.localhost")).text == "hello\n"
            await hang_up(writer)

    asyncio.run(story())


def test_the_plain_port_takes_no_secrets(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path) as ground, meeting_point(ground) as firsts:
            reader, writer = await ground.connect(plain=True)
            writer.write((SECRET + "\r\n\r\n").encode())
            assert (await reader.readline()).startswith(b"HTTP/1.1 400")
            assert firsts == []
            await hang_up(writer)

    asyncio.run(story())
