"""Whether a dyno takes requests, asked of real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from homeport.dynos import sockets
from homeport.dynos.probe import UNHEARD, Health, Verdict, until_ready
from homeport.dynos.situation import Gate
from homeport.engine import Address

LINUX = pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the kernel does not tell")


@contextlib.contextmanager
def bound(host: str = "127.0.0.1", family: int = socket.AF_INET, *, listening: bool = True) -> Iterator[Address]:
    with socket.socket(family) as listener:
        listener.bind((host, 0))
        if listening:
            listener.listen()
        yield Address("127.0.0.1", listener.getsockname()[1])


@contextlib.asynccontextmanager
async def server(answer: Callable[[bytes], bytes | None], seen: list[bytes] | None = None) -> AsyncIterator[Address]:
    """An HTTP server of a kind: None leaves the connection open, for a while."""

    conversations: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversations.add(asyncio.current_task())  # type: ignore[arg-type]
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            if seen is not None:
                seen.append(request)
            reply = answer(request)
            if reply is None:
                await asyncio.sleep(10)
            else:
                writer.write(reply)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with running:
        yield Address("127.0.0.1", running.sockets[0].getsockname()[1])
        for conversation in conversations:
            conversation.cancel()
        await asyncio.gather(*conversations)


def ready(address: Address, within: float = 0.3, health: Health | None = None) -> Gate:
    return asyncio.run(until_ready(address, within, health)).gate


@LINUX
@pytest.mark.parametrize(
    ("host", "family"),
    [
        ("127.0.0.1", socket.AF_INET),
        ("0.0.0.0", socket.AF_INET),
        ("::", socket.AF_INET6),
        ("::ffff:127.0.0.1", socket.AF_INET6),
    ],
)
def test_who_listens_where_the_router_dials_is_seen(host: str, family: int) -> None:
    with bound(host, family) as address:
        assert sockets.listens(address)
    assert not sockets.listens(address)


@LINUX
def test_who_listens_elsewhere_or_not_yet_is_not() -> None:
    with bound("127.0.0.2") as address:
        assert not sockets.listens(address)
    with bound("::1", socket.AF_INET6) as address:
        assert not sockets.listens(address)
    with bound(listening=False) as address:
        assert not sockets.listens(address)


@LINUX
def test_connections_to_a_dyno_are_counted_also_those_it_has_not_taken_yet() -> None:
    with bound() as address:
        assert sockets.connections(address) == 0
        with (
            socket.create_connection((address.host, address.port)),
            socket.create_connection((address.host, address.port)),
        ):
            assert sockets.connections(address) == 2


@LINUX
def test_a_connection_counts_as_taken_when_somebody_has_it() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        address = Address(*listener.getsockname())
        with socket.create_connection((address.host, address.port)) as client:
            port = client.getsockname()[1]
            assert not sockets.accepted(address, port)
            taken, _ = listener.accept()
            with taken:
                assert sockets.accepted(address, port)
                client.shutdown(socket.SHUT_WR)
                assert sockets.accepted(address, port)


def test_nobody_there() -> None:
    with bound(listening=False) as address:
        assert ready(address, 0.05) is Gate.UNBOUND
        assert ready(address, -1) is Gate.UNBOUND


def test_somebody_who_was_there_before_we_looked_is_ready_however_late_we_are() -> None:
    async def story() -> None:
        async with server(lambda _request: b"") as address:
            assert (await until_ready(address, -5, None)).gate is Gate.READY

    asyncio.run(story())


def test_a_server_that_takes_connections_is_ready_and_sees_no_request() -> None:
    async def story() -> None:
        seen: list[bytes] = []
        async with server(lambda _request: b"", seen) as address:
            began = asyncio.get_running_loop().time()
            assert (await until_ready(address, 10, None)).gate is Gate.READY
            assert asyncio.get_running_loop().time() - began < 2
        assert seen == []

    asyncio.run(story())


@LINUX
def test_a_server_that_listens_before_it_can_take_requests_is_waited_for() -> None:
    """gunicorn's master listens while its workers still import the app."""

    async def story() -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            address = Address(*listener.getsockname())
            waiting = asyncio.create_task(until_ready(address, 10, None))
            await asyncio.sleep(0.3)
            assert not waiting.done()
            taken, _ = listener.accept()
            with taken:  # not even closed, as by servers that keep connections whose client says nothing more
                assert (await waiting).gate is Gate.READY

    asyncio.run(story())


def test_a_server_that_goes_away_again_was_not_ready() -> None:
    """gunicorn's master again, whose workers could not import the app."""

    async def story() -> None:
        with bound() as address:
            waiting = asyncio.create_task(until_ready(address, 1.0, None))
            await asyncio.sleep(0.1)
            assert not waiting.done()
        assert (await waiting).gate is Gate.UNBOUND

    asyncio.run(story())


def test_a_server_that_takes_nobody_in_time_is_as_ready_as_on_heroku() -> None:
    """But not without a word."""
    with bound() as address:
        assert asyncio.run(until_ready(address, 0.3, None)) == Verdict(Gate.READY, UNHEARD)


@pytest.mark.parametrize(
    ("reply", "gate"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", Gate.READY),
        (b"HTTP/1.0 204 No Content\r\n\r\n", Gate.READY),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", Gate.READY),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", Gate.UNHEALTHY),
        (b"HTTP/1.1 500 Oh\r\n\r\n", Gate.UNHEALTHY),
        (b"SSH-2.0-OpenSSH\r\n", Gate.UNHEALTHY),
        (b"HTTP/1.1 two hundred\r\n\r\n", Gate.UNHEALTHY),
        (b"x" * 100_000, Gate.UNHEALTHY),
        (b"", Gate.UNHEALTHY),
        (None, Gate.UNHEALTHY),
    ],
)
def test_a_health_path_must_answer_well(reply: bytes | None, gate: Gate) -> None:
    async def story() -> None:
        async with server(lambda _request: reply) as address:
            verdict = await until_ready(address, 0.3, Health("/up", "demo.localhost"))
            assert verdict.gate is gate
            assert (gate is Gate.READY) == (verdict.detail == "")

    asyncio.run(story())


def test_a_health_path_may_need_some_time() -> None:
    async def story() -> None:
        seen: list[bytes] = []

        def answer(_request: bytes) -> bytes:
            return b"HTTP/1.1 503 Not yet\r\n\r\n" if len(seen) < 3 else b"HTTP/1.1 200 OK\r\n\r\n"

        async with server(answer, seen) as address:
            assert (await until_ready(address, 10, Health("/up", "demo.localhost"))).gate is Gate.READY
        assert len(seen) == 3
        assert seen[0].startswith(b"GET /up HTTP/1.1\r\nHost: demo.localhost\r\nX-Forwarded-Proto: https\r\n")

    asyncio.run(story())


def test_a_health_path_may_hold_anything() -> None:
    assert Health.of("up", "h").path == "/up"
    assert Health.of(" //up?deep=1 ", "h").path == "/up?deep=1"
    assert Health.of("/a b\r\nX-Evil: 1", "h").path == "/a%20b%0D%0AX-Evil:%201"
