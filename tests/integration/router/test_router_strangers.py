"""Somebody who opens many connections and is slow on them keeps nobody else waiting."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from homeport.router import Timeouts
from homeport.router.paths import BUCKETS_SOCKET, ERRORS_SOCKET
from tests.integration.router.proxy_ground import (
    QUICK,
    Answer,
    Dyno,
    Ground,
    Request,
    Streams,
    exchange,
    hello,
    proxy,
    read_answer,
    up,
)

pytestmark = pytest.mark.slow

STRANGER, OTHER = "127.0.0.2", "127.0.0.3"
PATIENT = Timeouts(headers=20.0)
EVENT = "/api/1/envelope/"


@contextlib.asynccontextmanager
async def listening(ground: Ground, path: str) -> AsyncIterator[list[str]]:
    """A server of the platform's, which reads bodies to their end; the paths that it was asked for whole."""
    whole: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines if line)]
            request = Request(first.split(" ")[0], first.split(" ")[1], headers, reader, writer)
            if request.path.endswith("stuck"):
                await reader.read()
            async for _ in request.body():
                pass
            whole.append(request.path)
            await request.answer(b"taken")
        writer.close()

    server = await asyncio.start_unix_server(serve, ground.home.root / path, backlog=1000)
    async with server:
        yield whole


async def come(ground: Ground, address: str) -> Streams:
    return await asyncio.open_connection("127.0.0.1", ground.proxy.http_port, local_addr=(address, 0))


async def ask(ground: Ground, address: str, path: str, *, host: str = "localhost", body: bytes = b"") -> Answer:
    reader, writer = await come(ground, address)
    try:
        return await exchange(reader, writer, host, path, method="POST" if body else "GET", body=body)
    finally:
        writer.close()


async def begin(ground: Ground, address: str, path: str, *, sent: int, of: int) -> Streams:
    """Send a part of a request and fall silent."""
    reader, writer = await come(ground, address)
    writer.write(f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {of}\r\n\r\n".encode() + b"x" * sent)
    await writer.drain()
    return reader, writer


async def say_nothing(ground: Ground) -> None:
    """Keep a connection, for as long as it is let."""
    with contextlib.suppress(ConnectionError):
        reader, writer = await come(ground, STRANGER)
        try:
            await reader.read(1)
        finally:
            writer.close()


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not happened():  # noqa: ASYNC110 - HAProxy tells nobody
            await asyncio.sleep(0.05)


async def statuses(streams: list[Streams], count: int) -> list[int]:
    """Of the first answers that come."""
    answers = [asyncio.create_task(read_answer(reader)) for reader, _ in streams]
    found = []
    async with asyncio.timeout(30):
        for answer in asyncio.as_completed(answers):
            found.append((await answer).status)
            if len(found) == count:
                break
    for task in answers:
        task.cancel()
    await asyncio.gather(*answers, return_exceptions=True)
    return found


def test_who_sends_large_events_slowly_has_some_of_the_tracker_s_places(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path, timeouts=PATIENT) as ground, listening(ground, ERRORS_SOCKET):
            slow = [await begin(ground, STRANGER, EVENT, sent=40_000, of=900_000) for _ in range(130)]
            assert await statuses(slow, 110) == [429] * 110
            for address in (OTHER, "127.0.0.1"):
                assert (await ask(ground, address, EVENT, body=b"an event")).body == b"taken"
            for _, writer in slow:
                writer.close()

    asyncio.run(story())


def test_small_events_have_a_place_once_they_are_whole(tmp_path: Path) -> None:
    """Even of this machine, which may have as many places as there are: dynos speak for many."""

    async def story() -> None:
        async with (
            proxy(tmp_path, timeouts=Timeouts(headers=4.0)) as ground,
            listening(ground, ERRORS_SOCKET) as whole,
        ):
            slow = [await begin(ground, "127.0.0.1", EVENT, sent=10, of=2000) for _ in range(200)]
            assert (await ask(ground, "127.0.0.1", EVENT, body=b"an event")).body == b"taken"
            assert await statuses(slow, 200) == [408] * 200
            assert whole == [EVENT]
            for _, writer in slow:
                writer.close()

    asyncio.run(story())


def test_nobody_has_more_than_a_part_of_the_places_for_buckets(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path, timeouts=PATIENT) as ground, listening(ground, BUCKETS_SOCKET):
            slow = [await begin(ground, STRANGER, "/s3/stuck", sent=1, of=2) for _ in range(550)]
            assert await statuses(slow, 450) == [503] * 450
            refused = await ask(ground, STRANGER, "/s3/photo")
            assert b"<Code>SlowDown</Code>" in refused.body
            assert refused.headers["retry-after"] == "1"
            for address in (OTHER, "127.0.0.1"):
                assert (await ask(ground, address, "/s3/photo")).body == b"taken"
            for _, writer in slow:
                writer.close()
            async with asyncio.timeout(30):
                while (await ask(ground, STRANGER, "/s3/photo")).status != 200:  # noqa: ASYNC110 - places come free
                    await asyncio.sleep(0.1)

    asyncio.run(story())


def test_one_address_cannot_take_all_connections(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (900, 900))  # 200 connections, of which 50 for one address

    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno), timeouts=PATIENT) as ground:
            silent = [asyncio.create_task(say_nothing(ground)) for _ in range(120)]
            await until(lambda: sum(task.done() for task in silent) == 70)
            assert (await ask(ground, OTHER, "/", host="shop.localhost")).body == b"hello\n"
            assert (await ask(ground, "127.0.0.1", "/", host="shop.localhost", body=b"form")).body == b"hello\n"
            assert sum(task.done() for task in silent) == 70
            for task in silent:
                task.cancel()
            await asyncio.gather(*silent, return_exceptions=True)

    asyncio.run(story())


def test_full_doors_leave_room_for_requests_that_must_be_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They pass the router twice."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (900, 900))

    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno), timeouts=QUICK) as ground:
            reader, writer = await ground.connect(plain=True)
            assert (await exchange(reader, writer, "shop.localhost")).status == 200
            crowd = [await ground.connect(plain=True) for _ in range(150)]
            crowd += [await asyncio.open_connection("127.0.0.1", ground.proxy.https_port) for _ in range(150)]
            for _ in range(5):
                async with asyncio.timeout(10):
                    answer = await exchange(reader, writer, "shop.localhost", method="POST", body=b"form")
                assert answer.body == b"hello\n"
            writer.close()
            for _, other in crowd:
                other.close()

    asyncio.run(story())
