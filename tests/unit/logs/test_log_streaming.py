"""The bytes of a log session, as the official CLI, browsers and plain HTTP clients want them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homeport.logs import EVERYTHING, Filter, Logs, Session, stream

START = datetime(2026, 1, 1, tzinfo=UTC)
TIME = "2026-01-01T00:00:00.000000+00:00"


class Clock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def logs(tmp_path: Path, clock: Clock) -> Iterator[Logs]:
    logs = Logs(tmp_path, clock=clock, keep=10)
    yield logs
    logs.close()


def session(*, tail: bool = False, lines: int = 100, filter: Filter = EVERYTHING) -> Session:
    return Session("app", lines, tail, filter, START, START + timedelta(hours=1))


def say(logs: Logs, *texts: str) -> None:
    logs.write("app", "app", "web.1", texts)


def body(logs: Logs, wanted: Session, *, last: str | None = None, sse: bool = True) -> bytes:
    async def scene() -> bytes:
        return b"".join([piece async for piece in stream(logs, wanted, last_event_id=last, sse=sse, heartbeat=0)])

    return asyncio.run(scene())


def event(seq: int, text: str) -> bytes:
    return f"id: {seq}\ndata: {TIME} app[web.1]: {text}\n\n".encode()


def test_without_tail_the_last_lines_and_the_end(logs: Logs) -> None:
    say(logs, "one", "two ☕", "three")
    assert body(logs, session(lines=2)) == b"retry: 1\n\n" + event(2, "two ☕") + event(3, "three")


def test_without_tail_an_empty_log_ends_too(logs: Logs) -> None:
    assert body(logs, session()) == b"retry: 1\n\n"
    assert body(logs, session(), sse=False) == b""


def test_blank_lines_keep_their_place(logs: Logs) -> None:
    say(logs, "", "  indented", "trailing  ")
    assert body(logs, session()) == b"retry: 1\n\n" + event(1, "") + event(2, "  indented") + event(3, "trailing  ")


def test_nothing_that_is_printed_can_forge_an_event(logs: Logs) -> None:
    say(logs, "x\rid: 999\rdata: forged\r\r", "y\n\nid: 999\ndata: forged\n\n")
    sent = body(logs, session()).removeprefix(b"retry: 1\n\n").decode()
    assert len(sent.splitlines()) == len(sent.split("\n")) - 1  # no other line breaks than ours
    for number, each in enumerate(sent.removesuffix("\n\n").split("\n\n"), 1):
        identity, data = each.split("\n")
        assert identity == f"id: {number}"
        assert data.startswith(f"data: {TIME} app[web.1]: ")


def test_plain_text_is_lines_and_nothing_else(logs: Logs) -> None:
    say(logs, "one", "two")
    assert body(logs, session(), sse=False) == f"{TIME} app[web.1]: one\n{TIME} app[web.1]: two\n".encode()


def test_a_filter_counts_matching_lines(logs: Logs) -> None:
    say(logs, "one")
    logs.write("app", "heroku", "router", ["at=info"])
    say(logs, "two")
    assert body(logs, session(lines=2, filter=Filter(dyno="web"))) == b"retry: 1\n\n" + event(1, "one") + event(
        3, "two"
    )


def test_without_tail_a_reconnect_gets_only_what_is_new(logs: Logs) -> None:
    say(logs, "one", "two", "three")
    assert body(logs, session(), last="2") == b"retry: 1\n\n" + event(3, "three")
    assert body(logs, session(), last="3") == b"retry: 1\n\n"


@pytest.mark.parametrize("last", ["", "rubbish", "-1", "1.5", "٣", "9" * 30])
def test_a_last_event_id_that_we_never_sent_is_none(logs: Logs, last: str) -> None:
    say(logs, "one")
    assert body(logs, session(), last=last) == b"retry: 1\n\n" + event(1, "one")


async def pieces(stream: AsyncIterator[bytes], count: int) -> list[bytes]:
    return [await anext(stream) for _ in range(count)]


def test_a_tail_gives_history_then_what_comes_then_signs_of_life(logs: Logs) -> None:
    async def scene() -> None:
        say(logs, "old", "one")
        tail = stream(logs, session(tail=True, lines=1), last_event_id=None, sse=True, heartbeat=0)
        assert await pieces(tail, 3) == [b"retry: 1000\n\n", event(2, "one"), b":\n\n"]
        say(logs, "two", "three")
        assert await pieces(tail, 2) == [event(3, "two") + event(4, "three"), b":\n\n"]

    asyncio.run(scene())


def test_a_tail_misses_nothing_that_is_written_while_history_is_sent(logs: Logs) -> None:
    async def scene() -> None:
        say(logs, "one")
        tail = stream(logs, session(tail=True), last_event_id=None, sse=True, heartbeat=0)
        assert await pieces(tail, 2) == [b"retry: 1000\n\n", event(1, "one")]
        say(logs, "two")
        assert await anext(tail) == event(2, "two")

    asyncio.run(scene())


def test_a_tail_resumes_without_history(logs: Logs) -> None:
    async def scene() -> None:
        say(logs, "one", "two", "three")
        tail = stream(logs, session(tail=True), last_event_id="2", sse=True, heartbeat=0)
        assert await pieces(tail, 3) == [b"retry: 1000\n\n", event(3, "three"), b":\n\n"]

    asyncio.run(scene())


def test_a_new_tail_is_not_told_of_lines_it_never_wanted(logs: Logs) -> None:
    async def scene() -> None:
        say(logs, *map(str, range(30)))  # the app has moved on long ago
        tail = stream(logs, session(tail=True, filter=Filter(dyno="worker")), last_event_id=None, sse=True, heartbeat=0)
        assert await pieces(tail, 2) == [b"retry: 1000\n\n", b":\n\n"]

    asyncio.run(scene())


@pytest.mark.parametrize(("wanted", "many"), [(EVERYTHING, "4"), (Filter(source="app"), "up to 4")])
def test_resuming_too_late_says_how_many_are_lost(logs: Logs, clock: Clock, wanted: Filter, many: str) -> None:
    async def scene() -> bytes:
        clock.time += timedelta(minutes=1)
        say(logs, *map(str, range(1, 17)))  # ten are kept
        tail = stream(logs, session(tail=True, filter=wanted), last_event_id="2", sse=True, heartbeat=0)
        return (await pieces(tail, 2))[1]

    first, *rest = asyncio.run(scene()).decode().split("\n\n")[:-1]
    assert first == (
        "id: 6\ndata: 2026-01-01T00:01:00.000000+00:00 heroku[logplex]: "
        f"Error L11 (Tail buffer overflow) -> This tail session dropped {many} messages since {TIME}."
    )
    assert [each.split("\n")[0] for each in rest] == [f"id: {seq}" for seq in range(7, 17)]


def test_a_plain_tail_has_no_signs_of_life(logs: Logs) -> None:
    async def scene() -> None:
        tail = stream(logs, session(tail=True), last_event_id=None, sse=False, heartbeat=0.001)
        coming = asyncio.ensure_future(anext(tail))
        await asyncio.sleep(0.005)
        say(logs, "one")
        assert await coming == f"{TIME} app[web.1]: one\n".encode()

    asyncio.run(scene())


def test_a_tail_ends_when_its_time_is_over(logs: Logs, clock: Clock) -> None:
    async def scene() -> None:
        tail = stream(logs, session(tail=True), last_event_id=None, sse=True, heartbeat=0)
        assert await pieces(tail, 2) == [b"retry: 1000\n\n", b":\n\n"]
        clock.time += timedelta(hours=1)
        assert [piece async for piece in tail] == []

    asyncio.run(scene())


@pytest.mark.parametrize(
    ("end", "last_words"),
    [
        (Logs.hang_up, b"retry: 3000\n\n"),  # come back when we are there again
        (Logs.close, b"retry: 3000\n\n"),
        (lambda logs: logs.forget("app"), b""),
    ],
    ids=["hang up", "close", "destroy"],
)
def test_a_tail_ends_with_its_app_and_with_the_daemon(
    logs: Logs, end: Callable[[Logs], None], last_words: bytes
) -> None:
    async def scene() -> None:
        tail = stream(logs, session(tail=True), last_event_id=None, sse=True, heartbeat=60)
        assert await anext(tail) == b"retry: 1000\n\n"
        coming = asyncio.ensure_future(anext(tail, b""))
        await asyncio.sleep(0)
        end(logs)
        assert await coming == last_words
        assert [piece async for piece in tail] == []

    asyncio.run(scene())


def test_hanging_up_gives_what_is_there_and_goes_on_taking_lines(logs: Logs) -> None:
    async def scene() -> None:
        tail = stream(logs, session(tail=True), last_event_id="0", sse=True, heartbeat=60)
        await anext(tail)
        say(logs, "last words")
        logs.hang_up()
        assert [piece async for piece in tail] == [event(1, "last words"), b"retry: 3000\n\n"]
        say(logs, "even later")
        assert logs.last_seq("app") == 2

    asyncio.run(scene())


def test_a_tail_that_hangs_up_leaves_nothing_behind(logs: Logs) -> None:
    async def scene() -> None:
        tail = stream(logs, session(tail=True), last_event_id=None, sse=True, heartbeat=60)
        await anext(tail)
        coming = asyncio.ensure_future(anext(tail))
        await asyncio.sleep(0)
        channel = logs._channels["app"]
        assert not channel.releasable  # somebody waits
        coming.cancel()
        with pytest.raises(asyncio.CancelledError):
            await coming
        assert channel.releasable

    asyncio.run(scene())
