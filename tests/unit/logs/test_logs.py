"""One ordered stream per app: kept, bounded, followed, and nobody's flood is anybody else's trouble."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from homeport.logs import Filter, Line, Logs

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reopen(tmp_path: Path, clock: Clock) -> Iterator[Callable[[], Logs]]:
    """A new `Logs` over the same folder, as after a crash: the one before is not closed first."""
    opened: list[Logs] = []

    def reopen() -> Logs:
        opened.append(Logs(tmp_path / "logs", clock=clock))
        return opened[-1]

    yield reopen
    for each in opened:
        each.close()


@pytest.fixture
def logs(reopen: Callable[[], Logs]) -> Logs:
    return reopen()


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def test_lines_of_all_sources_are_one_stream(logs: Logs) -> None:
    logs.write("app", "heroku", "router", ['at=info method=GET path="/"'])
    logs.write_output("app", "web.1", [b"hello", b"world\r"], 0)
    logs.write("app", "app", "api", ["Release v2 created by user me@example.com"], at=START + timedelta(seconds=9))
    assert [line.format() for line in logs.recent("app", 10, Filter())] == [
        '2026-01-01T00:00:00.000000+00:00 heroku[router]: at=info method=GET path="/"',
        "2026-01-01T00:00:00.000000+00:00 app[web.1]: hello",
        "2026-01-01T00:00:00.000000+00:00 app[web.1]: world",
        "2026-01-01T00:00:09.000000+00:00 app[api]: Release v2 created by user me@example.com",
    ]
    assert [line.seq for line in logs.recent("app")] == [1, 2, 3, 4]


def test_apps_do_not_see_each_other(logs: Logs) -> None:
    logs.write("one", "app", "api", ["first"])
    logs.write("two", "app", "api", ["second"])
    assert texts(logs.recent("one")) == ["first"]
    assert texts(logs.recent("two")) == ["second"]
    assert logs.last_seq("two") == 1


def test_one_text_may_be_many_lines_and_a_string_is_one_text(logs: Logs) -> None:
    logs.write("app", "app", "api", ["a\nb", "c"])
    logs.write("app", "app", "api", "not letters")  # a str is an Iterable[str]: easily done
    assert texts(logs.recent("app")) == ["a", "b", "c", "not letters"]


def test_the_last_1500_lines_are_kept_across_restarts(reopen: Callable[[], Logs]) -> None:
    logs = reopen()
    for number in range(1, 4001):
        logs.write("app", "heroku", "web.1", [f"line {number}"])
    for same in (logs, reopen(), reopen()):
        kept = same.recent("app", 5000)
        assert [line.seq for line in kept] == list(range(2501, 4001))
        assert all(line.text == f"line {line.seq}" for line in kept)
    reopen().write("app", "heroku", "web.1", ["after"])
    assert reopen().recent("app", 1)[0] == Line(4001, START, "heroku", "web.1", "after")


def test_limits_count_matching_lines(logs: Logs) -> None:
    for number in range(100):
        logs.write("app", "app", f"web.{number % 2 + 1}", [f"{number}"])
    assert texts(logs.recent("app", 3, Filter(dyno="web.1"))) == ["94", "96", "98"]
    assert texts(logs.recent("app", 2, Filter(source="app"))) == ["98", "99"]
    assert logs.recent("app", 3, Filter(dyno="worker")) == []
    assert logs.recent("app", 0) == []


def test_a_flood_is_limited_counted_and_said(logs: Logs, clock: Clock) -> None:
    offered = 0
    for _ in range(1000):  # 200,000 lines in a second
        logs.write_output("app", "web.1", [b"flood"] * 200, 0)
        offered += 200
        clock.forward(0.001)
    logs.write("app", "app", "api", ["Scaled to web@0:Basic"])
    logs.write_output("app", "web.1", [b"calm again"], 0)
    logs.flush()
    clock.forward(10)
    lines = logs.recent("app", 1500)
    notices = [line for line in lines if line.dyno == "logplex"]
    assert notices[-1].source == "heroku"
    assert notices[-1].text.startswith("Error L10 (output buffer overflow): ")
    assert "Scaled to web@0:Basic" in texts(lines)
    assert 9_000 < logs.last_seq("app") < 11_000  # a burst of a second's worth, and a second's worth
    assert offered == 200_000


def test_every_dropped_line_is_counted(tmp_path: Path, clock: Clock) -> None:
    logs = Logs(tmp_path, clock=clock, keep=100_000)
    for _ in range(300):
        logs.write_output("app", "web.1", [b"flood"] * 100, 0)
        clock.forward(0.01)
    logs.write_output("app", "web.1", [b"more"], dropped=7)
    lines = logs.recent("app", 100_000)
    said = sum(int(line.text.split(": ")[1].split()[0]) for line in lines if line.dyno == "logplex")
    came = sum(line.dyno == "web.1" for line in lines)
    assert came + said == 300 * 100 + 1 + 7
    assert said > 10_000
    assert len(lines) - came <= 5  # not one notice for every batch
    logs.close()


def test_lines_lost_on_the_way_are_said_before_the_ones_that_came(logs: Logs, clock: Clock) -> None:
    logs.write_output("app", "web.1", [b"before"], 0)
    clock.forward(5)
    logs.write_output("app", "web.1", [b"after"], 42)
    assert texts(logs.recent("app")) == [
        "before",
        "Error L10 (output buffer overflow): 42 messages dropped since 2026-01-01T00:00:00.000000+00:00.",
        "after",
    ]


def test_what_the_platform_says_is_never_dropped_by_an_apps_flood(tmp_path: Path, clock: Clock) -> None:
    logs = Logs(tmp_path, clock=clock, keep=100_000)
    for _ in range(20):
        logs.write_output("app", "web.1", [b"flood"] * 1000, 0)
        logs.write("app", "heroku", "router", ["at=info"] * 20)
        logs.write("app", "heroku", "web.1", ["State changed from up to crashed"])
    lines = logs.recent("app", 100_000)
    logs.close()
    assert sum(line.dyno == "router" for line in lines) == 20 * 20
    assert sum(line.text.startswith("State changed") for line in lines) == 20


def test_a_flood_of_requests_is_limited_too(logs: Logs) -> None:
    logs.write("app", "heroku", "router", ["at=info"] * 12_000)
    assert logs.recent("app", 1)[0].text.startswith("Error L10 (output buffer overflow): 2000 messages dropped")


def test_one_apps_flood_costs_other_apps_nothing(logs: Logs) -> None:
    logs.write_output("quiet", "web.1", [b"precious"], 0)
    logs.write_output("loud", "web.1", [b"flood"] * 50_000, 0)
    logs.write_output("quiet", "web.1", [b"still heard"], 0)
    assert texts(logs.recent("quiet")) == ["precious", "still heard"]


def test_follow_gives_what_comes(logs: Logs) -> None:
    async def scene() -> list[str]:
        logs.write("app", "app", "api", ["old", "kept"])
        following = logs.follow("app", 1, Filter(source="app"))
        heard = texts(await anext(following))
        for number in range(3):
            coming = asyncio.ensure_future(anext(following))
            await asyncio.sleep(0)
            assert not coming.done()
            logs.write("app", "heroku", "router", ["not asked for"])
            logs.write("app", "app", "web.1", [f"new {number}"])
            heard += texts(await coming)
        logs.forget("app")
        assert [lines async for lines in following] == []
        return heard

    assert asyncio.run(scene()) == ["kept", "new 0", "new 1", "new 2"]


def test_a_slow_follower_skips_and_is_told(tmp_path: Path, clock: Clock) -> None:
    logs = Logs(tmp_path, clock=clock, keep=10)

    async def scene() -> list[Line]:
        following = logs.follow("app", 0, Filter())
        logs.write("app", "app", "api", ["seen"])
        heard = await anext(following)
        for number in range(2, 101):  # while the follower is busy with the first
            logs.write("app", "app", "api", [f"{number}"])
        heard += await anext(following)
        logs.write("app", "app", "api", ["101"])
        return heard + await anext(following)

    heard = asyncio.run(scene())
    assert texts(heard) == [
        "seen",
        "Error L11 (Tail buffer overflow) -> This tail session dropped 89 messages since "
        "2026-01-01T00:00:00.000000+00:00.",
        *map(str, range(91, 102)),
    ]
    assert [line.seq for line in heard] == [1, *range(90, 102)]  # the notice stands in for the last line lost
    logs.close()


def test_a_reader_gets_bounded_pieces(logs: Logs) -> None:
    logs.write("app", "app", "api", [f"{number}" for number in range(1000)])
    reader = logs.reader("app", 0)
    pieces = list(iter(reader.take, []))
    assert max(map(len, pieces)) <= 200
    assert [line.seq for piece in pieces for line in piece] == list(range(1, 1001))


def test_a_number_from_the_future_means_all_there_is(logs: Logs) -> None:
    logs.write("app", "app", "api", ["old"])
    reader = logs.reader("app", 999)
    assert reader.take() == []
    logs.write("app", "app", "api", ["new"])
    assert texts(reader.take()) == ["new"]


def test_holes_that_damage_left_make_no_duplicates(reopen: Callable[[], Logs], tmp_path: Path) -> None:
    reopen().write("app", "app", "api", ["1", "2", "3", "4", "5", "6"])
    file = tmp_path / "logs" / "app" / "current.log"
    file.write_bytes(file.read_bytes().replace(b"\n3 ", b"\n\0 ").replace(b"\n5 ", b"\n\0 "))
    logs = reopen()
    for after, rest in ((0, ["1", "2", "4", "6"]), (2, ["4", "6"]), (3, ["4", "6"]), (4, ["6"]), (6, [])):
        assert texts(logs.reader("app", after).take()) == rest


def test_a_tail_hears_of_drops_though_nothing_more_is_written(logs: Logs, clock: Clock) -> None:
    async def scene() -> list[Line] | None:
        logs.write_output("app", "web.1", [b"flood"] * 5010, 0)  # said at once
        logs.write_output("app", "web.1", [b"flood"] * 30, 0)  # to be said later
        reader = logs.reader("app", logs.last_seq("app"))
        assert await reader.next(0) == []
        clock.forward(1)
        return await reader.next(0)

    (line,) = asyncio.run(scene()) or []
    assert line.text.startswith("Error L10 (output buffer overflow): 30 messages dropped")


def test_forgetting_deletes_and_late_words_do_not_come_back(logs: Logs, tmp_path: Path) -> None:
    logs.write("gone", "app", "api", ["secret"])
    logs.write("stays", "app", "api", ["kept"])
    logs.forget("gone")
    logs.write("gone", "heroku", "web.1", ["Process exited with status 143"])
    logs.write_output("gone", "web.1", [b"bye"], 0)
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["stays"]
    assert logs.recent("gone") == []


def test_forgetting_needs_no_loading(reopen: Callable[[], Logs], tmp_path: Path) -> None:
    reopen().write("gone", "app", "api", ["secret"])
    reopen().forget("gone")
    assert list((tmp_path / "logs").iterdir()) == []


def test_pruning_deletes_what_no_app_has(reopen: Callable[[], Logs], tmp_path: Path) -> None:
    before = reopen()
    for app in ("one", "two", "three"):
        before.write(app, "app", "api", ["line"])
    after = reopen()
    after.prune(["one"])  # they are young: their apps may have been made since somebody asked which there are
    assert len([*(tmp_path / "logs").iterdir()]) == 3
    after.prune(["one"], grace=0)
    assert [path.name for path in (tmp_path / "logs").iterdir()] == ["one"]
    assert texts(after.recent("one")) == ["line"]
    Logs(tmp_path / "never made").prune([])


@pytest.mark.parametrize("app_id", ["", "..", "../other", "a/b", "/etc", "a\0b", ".hidden", "a" * 65])
def test_ids_cannot_lead_out_of_the_folder(logs: Logs, tmp_path: Path, app_id: str) -> None:
    (tmp_path / "other").mkdir()
    logs.write(app_id, "app", "api", ["line"])
    logs.forget(app_id)
    assert logs.recent(app_id) == []
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_more_apps_than_may_be_open(tmp_path: Path, clock: Clock) -> None:
    logs = Logs(tmp_path, clock=clock, open_apps=3)
    for number in range(10):
        for app in range(10):
            logs.write(f"app-{app}", "app", "api", [f"{app} {number}"])
    for app in range(10):
        assert texts(logs.recent(f"app-{app}")) == [f"{app} {number}" for number in range(10)]
    assert len(logs._channels) == 3
    logs.close()


def test_a_followed_app_stays_open(tmp_path: Path, clock: Clock) -> None:
    logs = Logs(tmp_path, clock=clock, open_apps=2)

    async def scene() -> list[Line]:
        following = logs.follow("followed", 0)
        waiting = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        for number in range(10):
            logs.write(f"app-{number}", "app", "api", ["line"])
        logs.write("followed", "app", "api", ["heard"])
        return await waiting

    assert texts(asyncio.run(scene())) == ["heard"]
    logs.close()


def test_a_disk_that_fails_costs_nothing_once_it_works_again(
    reopen: Callable[[], Logs], clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logs = reopen()
    assert logs.recent("app") == []
    in_the_way = tmp_path / "logs" / "app"
    in_the_way.parent.mkdir()
    in_the_way.write_text("a file where the folder should be")
    with caplog.at_level(logging.INFO, "homeport.logs"):
        for number in range(5):
            logs.write("app", "app", "api", [f"{number}"])
            clock.forward(0.1)
        assert texts(logs.recent("app")) == ["0", "1", "2", "3", "4"]
        in_the_way.unlink()
        clock.forward(1)
        logs.write("app", "app", "api", ["5"])
        logs.write("app", "app", "api", ["6"])
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert texts(reopen().recent("app")) == ["0", "1", "2", "3", "4", "5", "6"]


def test_a_log_that_cannot_be_read_is_not_overwritten(
    reopen: Callable[[], Logs], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reopen().write("app", "app", "api", ["kept"])
    file = tmp_path / "logs" / "app" / "current.log"
    aside = file.rename(tmp_path / "aside")
    file.mkdir()
    logs = reopen()
    logs.write("app", "app", "api", ["cannot be taken"])
    logs.write("app", "app", "api", ["cannot be taken"])
    assert logs.recent("app") == []
    assert len(caplog.records) == 1
    file.rmdir()
    aside.rename(file)
    logs.write("app", "app", "api", ["taken"])
    assert texts(logs.recent("app")) == ["kept", "taken"]


def test_after_closing_nothing_happens(logs: Logs) -> None:
    async def scene() -> list[Line] | None:
        reader = logs.reader("app", 0)
        waiting = asyncio.ensure_future(reader.next(None))
        await asyncio.sleep(0)
        logs.close()
        return await waiting

    assert asyncio.run(scene()) is None
    logs.write("app", "app", "api", ["too late"])
    assert logs.recent("app") == []
