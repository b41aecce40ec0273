from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from homeport.router.access import AccessLog, knocks_at, parse

REQUEST = 'method=GET path="/x?q=1" host=shop.localhost request_id=abc fwd="127.0.0.1"'


def line(
    route: str = "up/id/shop",
    termination: str = "--",
    status: int = 200,
    server: str = "web.1:0a1b2c3d",
    connect: int = 1,
    wait: int = 0,
    total: int = 18,
    size: int = 131,
) -> str:
    return f"{route} {termination} {status} {server} {connect} {wait} {total} {size} https {REQUEST}"


def text(raw: str) -> str:
    parsed = parse(raw)
    assert parsed is not None
    assert parsed.app_id == "id"
    return parsed.text


def test_a_request_in_herokus_words() -> None:
    assert text(line()) == f"at=info {REQUEST} dyno=web.1 connect=1ms service=17ms status=200 bytes=131 protocol=https"


@pytest.mark.parametrize(
    ("termination", "status", "said"),
    [
        ("sH", 504, 'at=error code=H12 desc="Request timeout"'),
        ("SH", 502, 'at=error code=H13 desc="Connection closed without response"'),
        ("sD", 200, 'at=error code=H15 desc="Idle connection"'),
        ("PH", 502, 'at=error code=H17 desc="Poorly formatted HTTP response"'),
        ("SD", 200, 'at=error code=H18 desc="Server Request Interrupted"'),
        ("sC", 503, 'at=error code=H19 desc="Backend connection timeout"'),
        ("SC", 503, 'at=error code=H21 desc="Backend connection refused"'),
        ("RC", 503, 'at=error code=H99 desc="Platform error"'),
    ],
)
def test_errors_of_the_app(termination: str, status: int, said: str) -> None:
    told = text(line(termination=termination, status=status))
    assert told.startswith(f"{said} {REQUEST} dyno=web.1 ")
    assert " status=503 " in told


@pytest.mark.parametrize("termination", ["CD", "CH", "CC", "CR"])
def test_a_client_that_left(termination: str) -> None:
    told = text(line(termination=termination))
    assert told.startswith('at=error code=H27 desc="Client Request Interrupted" ')
    assert " status=499 " in told


@pytest.mark.parametrize("termination", ["cD", "cH"])
def test_a_client_that_fell_silent(termination: str) -> None:
    assert text(line(termination=termination)).startswith('at=error code=H28 desc="Client Connection Idle" ')


@pytest.mark.parametrize("termination", ["CD", "SD", "--"])
def test_either_side_may_end_a_websocket(termination: str) -> None:
    assert text(line(termination=termination, status=101)).startswith("at=info method=GET ")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("H10", 'at=error code=H10 desc="App crashed"'),
        ("H14", 'at=error code=H14 desc="No web processes running"'),
        ("H20", 'at=error code=H20 desc="App boot timeout"'),
        ("asleep", 'at=error code=H20 desc="App boot timeout"'),
        ("starting", 'at=error code=H20 desc="App boot timeout"'),
        ("H80", 'at=info code=H80 desc="Maintenance mode"'),
    ],
)
def test_requests_that_no_dyno_saw(state: str, said: str) -> None:
    raw = line(route=f"{state}/id/shop", termination="LR", status=503, server="<NOSRV>", connect=-1, wait=-1)
    assert text(raw) == f"{said} {REQUEST} dyno= connect= service= status=503 bytes= protocol=https"


@pytest.mark.parametrize(
    ("raw", "app_id"),
    [
        ("knock asleep/id/shop", "id"),
        (line(route="asleep/id/shop", termination="LR", status=503, server="<NOSRV>"), "id"),  # there was no lobby
        (line(), None),
        (line(route="H20/id/shop", termination="LR", status=503, server="<NOSRV>"), None),
        ("knock asleep/", None),
        ("knock", None),
        ("", None),
    ],
)
def test_who_asks_for_an_app_that_sleeps_knocks(raw: str, app_id: str | None) -> None:
    assert knocks_at(raw) == app_id


def test_a_knock_is_no_router_line() -> None:
    assert parse("knock asleep/id/shop") is None


def test_an_app_that_sleeps_is_knocked_at_once_for_many_requests(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "run").mkdir()
        knocks: list[str] = []
        log = AccessLog(tmp_path, lambda *_: None, knocks.append, pause=0)
        log.start()
        os.write(log.open(), b"knock asleep/one/a\n" * 20 + b"knock asleep/two/b\n")
        for _ in range(200):
            if len(knocks) == 2:
                break
            await asyncio.sleep(0)
        log.close()
        assert sorted(knocks) == ["one", "two"]

    asyncio.run(story())


def test_an_app_that_is_up_without_a_server_is_our_fault() -> None:
    assert text(line(termination="SC", status=503, server="<NOSRV>", connect=-1)).startswith("at=error code=H99 ")


def test_a_page_of_ours_does_not_count_as_the_dynos_bytes() -> None:
    assert " bytes=0 " in text(line(termination="sH", status=504, size=1969))
    assert " bytes=60 " in text(line(termination="SD", status=200, size=60))


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "Proxy https stopped (cumulated conns: FE: 0, BE: 0).",
        "Server app-id/web.1:0a1b2c3d is going DOWN for maintenance. 1 active and 0 backup servers left. 0 sessions",
        line(route="-"),
        line(route="api"),
        f"up/id/shop -- 200 web.1:x 0 0 1 5 https {'-'}",
    ],
)
def test_what_is_no_request_for_an_app_is_no_line(raw: str) -> None:
    assert parse(raw) is None


def test_lines_arrive_whole_however_they_are_cut(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "run").mkdir()
        heard: list[tuple[str, str]] = []
        log = AccessLog(tmp_path, lambda app_id, told: heard.extend((app_id, text) for text in told), pause=0)
        log.start()
        with open(log.open(), "wb", buffering=0, closefd=False) as pipe:  # noqa: ASYNC230 - a pipe, without waiting
            data = "".join(line(size=number) + "\n" for number in range(50)).encode()
            for start in range(0, len(data), 100):
                pipe.write(data[start : start + 100])
                await asyncio.sleep(0)
        for _ in range(200):
            if len(heard) == 50:
                break
            await asyncio.sleep(0)
        log.close()
        assert [told.split("bytes=")[1] for _, told in heard] == [f"{number} protocol=https" for number in range(50)]
        assert log.lines == 50

    asyncio.run(story())


def test_lines_that_came_while_nobody_read_are_read_by_the_next(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "run").mkdir()
        haproxy = os.dup(AccessLog(tmp_path, lambda *_: None).open())
        heard: list[str] = []
        os.write(haproxy, (line() + "\n").encode())
        log = AccessLog(tmp_path, lambda _, told: heard.extend(told), pause=0)
        log.start()
        for _ in range(10):
            await asyncio.sleep(0)
        log.close()
        os.close(haproxy)
        assert len(heard) == 1

    asyncio.run(story())
