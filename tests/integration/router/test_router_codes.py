"""Every H code: the status and page that the visitor gets, and the router line that the owner gets."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homeport.router import AppRoute, AppState, RouteTable, Server
from homeport.router.process import find
from tests.integration.router.proxy_ground import (
    QUICK,
    Behaviour,
    Dyno,
    Request,
    app,
    exchange,
    hello,
    only,
    proxy,
    read_answer,
    up,
)

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("state", "code", "description", "says"),
    [
        (AppState.CRASHED, "H10", "App crashed", "heroku logs --tail -a shop"),
        (AppState.NO_WEB, "H14", "No web processes running", "heroku ps:scale web=1 -a shop"),
        (AppState.MAINTENANCE, "H80", "Maintenance mode", "maintenance"),
    ],
)
def test_an_app_that_cannot_answer_gets_its_page(
    tmp_path: Path, state: AppState, code: str, description: str, says: str
) -> None:
    async def story() -> None:
        async with proxy(tmp_path, only("shop", state)) as ground:
            page = await ground.get("shop.localhost", "/some?q=1", plain=True)
            assert page.status == 503
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert page.headers["cache-control"] == "no-store"
            assert says in page.text
            asked_for_json = await ground.get("shop.localhost", headers="Accept: application/json\r\n", plain=True)
            assert asked_for_json.status == 503
            assert json.loads(asked_for_json.body)["code"] == code
            line = await ground.line('path="/some?q=1"')
            level = "info" if code == "H80" else "error"
            assert line.startswith(f'at={level} code={code} desc="{description}" method=GET path="/some?q=1" ')
            assert line.endswith(' fwd="127.0.0.1" dyno= connect= service= status=503 bytes= protocol=http')

    asyncio.run(story())


async def slow(request: Request) -> None:
    await asyncio.sleep(3)
    await request.answer(b"late")


async def closes(request: Request) -> None:
    """Ends without an answer."""


async def garbage(request: Request) -> None:
    request.writer.write(b"this is not HTTP at all\r\n\r\n")
    await request.writer.drain()


async def half(request: Request) -> None:
    request.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    await request.writer.drain()


async def stalls(request: Request) -> None:
    request.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")
    await request.writer.drain()
    await asyncio.sleep(6)


@pytest.mark.parametrize(
    ("behaviour", "code", "description", "says"),
    [
        (slow, "H12", "Request timeout", "too long"),
        (closes, "H13", "Connection closed without response", "broke off"),
        (garbage, "H17", "Poorly formatted HTTP response", "broke off"),
    ],
)
def test_an_app_that_misbehaves_before_its_answer(
    tmp_path: Path, behaviour: Behaviour, code: str, description: str, says: str
) -> None:
    async def story() -> None:
        async with Dyno.running(behaviour) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            page = await ground.get("shop.localhost")
            assert page.status == 503
            assert says in page.text
            assert "heroku logs --tail -a shop" in page.text
            assert page.headers["cache-control"] == "no-store"
            line = await ground.line(f"code={code}")
            assert line.startswith(
                f'at=error code={code} desc="{description}" method=GET path="/" host=shop.localhost '
            )
            assert " dyno=web.1 connect=" in line
            assert " status=503 " in line

    asyncio.run(story())


def test_the_time_to_the_first_byte_is_what_the_line_says(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(slow) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            await ground.get("shop.localhost")
            line = await ground.line("code=H12")
            service = int(line.split("service=")[1].split("ms")[0])
            assert 900 <= service <= 2500  # the time limit of these tests is a second

    asyncio.run(story())


@pytest.mark.parametrize(("behaviour", "code"), [(half, "H18"), (stalls, "H15")])
def test_an_app_that_breaks_off_in_the_middle_of_its_answer(tmp_path: Path, behaviour: Behaviour, code: str) -> None:
    async def story() -> None:
        async with Dyno.running(behaviour) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await ground.get("shop.localhost")
            line = await ground.line("at=error ")
            blames_the_client = code == "H15" and find().version >= (2, 9) and "code=H27 " in line
            assert f"code={code} " in line or blames_the_client
            assert " dyno=web.1 " in line
            assert " status=503 " in line or blames_the_client

    asyncio.run(story())


def test_a_status_of_the_app_s_own_is_left_alone(tmp_path: Path) -> None:
    async def unwell(request: Request) -> None:
        await request.answer(b"mine", status=request.path[1:] + " Whatever")

    async def story() -> None:
        async with Dyno.running(unwell) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            for status in (404, 500, 502, 503, 504):
                answer = await ground.get("shop.localhost", f"/{status}", plain=True)
                assert (answer.status, answer.text) == (status, "mine")
                assert (await ground.line(f"status={status} ")).startswith("at=info method=GET ")

    asyncio.run(story())


def test_a_refused_connection_is_h21(tmp_path: Path) -> None:
    async def story() -> None:
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))  # bound, but nobody listens
            gone = Server("1" * 36, "web.1", "127.0.0.1", held.getsockname()[1])
            async with proxy(tmp_path, RouteTable((app("shop", AppState.UP, gone),))) as ground:
                page = await ground.get("shop.localhost")
                assert page.status == 503
                assert "does not take connections" in page.text
                assert " dyno=web.1 connect= service= status=503 " in await ground.line("code=H21")

    asyncio.run(story())


def test_a_connection_that_nobody_accepts_is_h19(tmp_path: Path) -> None:
    async def story() -> None:
        with socket.socket() as full:
            full.bind(("127.0.0.1", 0))
            full.listen(0)
            address = full.getsockname()
            fillers = [socket.socket() for _ in range(4)]
            try:
                for filler in fillers:
                    filler.setblocking(False)
                    filler.connect_ex(address)
                await asyncio.sleep(0.1)
                stuck = Server("1" * 36, "web.1", "127.0.0.1", address[1])
                async with proxy(tmp_path, RouteTable((app("shop", AppState.UP, stuck),))) as ground:
                    assert (await ground.get("shop.localhost")).status == 503
                    assert 'desc="Backend connection timeout"' in await ground.line("code=H19")
            finally:
                for filler in fillers:
                    filler.close()

    asyncio.run(story())


def test_a_client_that_leaves_is_h27(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(slow) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            _, writer = await ground.connect("shop.localhost", "http/1.1")
            writer.write(b"GET /impatient HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
            await writer.drain()
            await dyno.asked()
            writer.transport.abort()
            line = await ground.line("code=H27")
            assert line.startswith('at=error code=H27 desc="Client Request Interrupted" method=GET path="/impatient" ')
            assert " status=499 " in line

    asyncio.run(story())


def test_one_dyno_gone_is_no_error_while_another_serves(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello, name="web.1") as one, Dyno.running(hello, name="web.2") as two:
            await two.stop()
            async with proxy(tmp_path, up("shop", one, two)) as ground:
                answers = [await ground.get("shop.localhost", plain=True) for _ in range(10)]
                assert [answer.status for answer in answers] == [200] * 10

    asyncio.run(story())


def test_quotes_in_a_path_cannot_break_a_line(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            await ground.get("shop.localhost", '/"\\x', plain=True)
            assert 'path="/\\"\\\\x" host=' in await ground.line("method=GET")

    asyncio.run(story())


def test_keep_alive_clients_get_pages_and_answers_on_one_connection(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path) as ground:
            await ground.proxy.apply(RouteTable((app("shop", AppState.UP, dyno.server), app("shut", AppState.CRASHED))))
            reader, writer = await ground.connect(plain=True)
            for _ in range(3):
                assert (await exchange(reader, writer, "shop.localhost")).status == 200
                assert (await exchange(reader, writer, "shut.localhost")).status == 503
            writer.close()

    asyncio.run(story())


# Requests for an app that is starting


def test_a_request_waits_for_an_app_that_is_starting(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, only("shop", AppState.STARTING)) as ground:
            get = asyncio.create_task(ground.get("shop.localhost"))
            post = asyncio.create_task(ground.get("shop.localhost", method="POST", body=b"x" * 300_000))
            await asyncio.sleep(0.4)
            assert not get.done()
            await ground.proxy.apply(up("shop", dyno))
            assert (await get).text == "hello\n"
            assert (await post).text == "hello\n"
            service = int((await ground.line("method=GET")).split("service=")[1].split("ms")[0])
            assert service < 400, "waiting is not the app's service time"

    asyncio.run(story())


def test_a_request_that_waited_too_long_is_h20(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path, only("shop", AppState.STARTING)) as ground:
            started = asyncio.get_running_loop().time()
            page = await ground.get("shop.localhost")
            assert 2.5 < asyncio.get_running_loop().time() - started < 6
            assert page.status == 503
            assert "still starting" in page.text
            assert 'at=error code=H20 desc="App boot timeout" method=GET' in await ground.line("code=H20")

    asyncio.run(story())


def test_waiting_ends_at_once_when_the_app_crashes(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path, only("shop", AppState.STARTING)) as ground:
            get = asyncio.create_task(ground.get("shop.localhost"))
            await asyncio.sleep(0.3)
            await ground.proxy.apply(only("shop", AppState.CRASHED))
            assert "has crashed" in (await get).text
            await ground.line("code=H10")

    asyncio.run(story())


def test_waiting_holds_nobody_else_up(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path) as ground:
            both = RouteTable((app("slow", AppState.STARTING), app("shop", AppState.UP, dyno.server)))
            await ground.proxy.apply(both)
            waiting = [asyncio.create_task(ground.get("slow.localhost", plain=True)) for _ in range(50)]
            await asyncio.sleep(0.2)
            started = asyncio.get_running_loop().time()
            for _ in range(10):
                assert (await ground.get("shop.localhost", plain=True)).status == 200
            assert asyncio.get_running_loop().time() - started < 1
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(story())


# Requests for an app that sleeps


def test_a_request_for_an_app_that_sleeps_knocks_and_waits_until_it_is_up(tmp_path: Path) -> None:
    async def story() -> None:
        knocks: list[str] = []
        settings = {"knock": knocks.append, "timeouts": replace(QUICK, boot=60.0)}
        async with Dyno.running(hello) as dyno, proxy(tmp_path, only("shop", AppState.ASLEEP), **settings) as ground:
            posts = [ground.get("shop.localhost", method="POST", body=b"x" * 300_000) for _ in range(5)]
            waiting = [asyncio.create_task(post) for post in posts]
            async with asyncio.timeout(30):
                while not knocks:  # noqa: ASYNC110 - a few milliseconds, in a test
                    await asyncio.sleep(0.01)
            assert set(knocks) == {only("shop", AppState.ASLEEP).apps[0].app_id}
            await ground.proxy.apply(only("shop", AppState.STARTING))
            assert not any(task.done() for task in waiting)
            await ground.proxy.apply(up("shop", dyno))
            assert [(await task).text for task in waiting] == ["hello\n"] * 5
            assert len(dyno.requests) == 5
            assert "at=info method=POST" in await ground.line("method=POST")

    asyncio.run(story())


def test_who_waits_knocks_again_and_again_until_it_is_h20(tmp_path: Path) -> None:
    async def story() -> None:
        knocks: list[str] = []
        async with proxy(tmp_path, only("shop", AppState.ASLEEP), knock=knocks.append) as ground:
            page = await ground.get("shop.localhost")
            assert page.status == 503
            assert "still starting" in page.text
            assert 'at=error code=H20 desc="App boot timeout" method=GET' in await ground.line("code=H20")
            assert len(knocks) > 1, "a knock may get lost"

    asyncio.run(story())


def test_a_request_that_waited_for_a_sleeping_app_survives_one_reload_after_another(tmp_path: Path) -> None:
    async def story() -> None:
        knocks: list[str] = []

        async def knocked() -> None:
            knocks.clear()
            async with asyncio.timeout(30):
                while not knocks:  # noqa: ASYNC110 - the lobby of the worker that has the request now
                    await asyncio.sleep(0.01)

        asleep, patient = only("shop", AppState.ASLEEP), replace(QUICK, boot=60.0)
        async with (
            Dyno.running(hello) as dyno,
            proxy(tmp_path, asleep, timeouts=patient, knock=knocks.append) as ground,
        ):
            waiting = asyncio.create_task(ground.get("shop.localhost"))
            others: tuple[AppRoute, ...] = ()
            for number in range(4):
                await knocked()
                # Each a backend that the worker does not have.
                others = (*others, app(f"other-{number}", AppState.UP, dyno.server))
                await ground.proxy.apply(RouteTable((*asleep.apps, *others)))
            await knocked()
            await ground.proxy.apply(RouteTable((*up("shop", dyno).apps, *others)))
            assert (await waiting).text == "hello\n"

    asyncio.run(story())


def test_the_proxy_remembers_when_each_app_was_asked_last(tmp_path: Path) -> None:
    async def story() -> None:
        release = asyncio.Event()

        async def slow(request: Request) -> None:
            await release.wait()
            await request.answer(b"slow\n")

        patient = replace(QUICK, first_byte=30.0)
        async with (
            Dyno.running(slow) as busy,
            Dyno.running(hello) as quick,
            proxy(tmp_path, timeouts=patient) as ground,
        ):
            shop, blog = app("shop", AppState.UP, busy.server), app("blog", AppState.UP, quick.server)
            await ground.proxy.apply(RouteTable((shop, blog, app("idle", AppState.UP, quick.server))))
            assert await ground.proxy.last_requests() == {}
            under_way = asyncio.create_task(ground.get("shop.localhost"))
            await busy.asked()
            assert (await ground.get("blog.localhost")).status == 200
            await asyncio.sleep(1.5)  # HAProxy counts in whole seconds
            asked, now = await ground.proxy.last_requests(), datetime.now(UTC)
            release.set()
            assert (await under_way).status == 200
            assert asked.keys() == {shop.app_id, blog.app_id}
            assert now - asked[shop.app_id] < timedelta(seconds=1), "it is being answered"
            assert timedelta(seconds=1) <= now - asked[blog.app_id] < timedelta(seconds=20)

    asyncio.run(story())


def test_read_answer_understands_chunks() -> None:
    async def story() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        assert (await read_answer(reader)).body == b"abc"

    asyncio.run(story())
