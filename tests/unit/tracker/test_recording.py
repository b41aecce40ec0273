"""What becomes of events in the database: issues, counts, regressions, and what is kept for how long."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from homeport.errors import Invalid, NotFound, Unavailable
from homeport.tracker import events, recording, retention, schema
from homeport.tracker.events import Source
from homeport.tracker.hidden import Hidden
from homeport.tracker.issues import Issue, Issues, Status
from homeport.tracker.recording import Arrival, Position
from homeport.tracker.retention import Retention
from tests.unit.tracker.event_samples import NOW, Raw, crash, frame, message, raised

HOUR, DAY = 3600.0, 86400.0


class Desk:
    """A tracker's database, and the time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        self.connection = schema.connect(folder)
        self.issues = Issues(folder)

    def send(self, *sent: Raw, source: Source = Source.SDK, version: str = "", **options: Any) -> int:
        arrivals = [
            Arrival(
                replace(events.read({"timestamp": self.now, **raw}, now=self.now, source=source), version=version), raw
            )
            for raw in sent
        ]
        return recording.record(self.connection, arrivals, now=self.now, **options)

    def crash(self, *, at: float | None = None, **more: Any) -> Raw:
        return crash(**{"timestamp": self.now if at is None else at, **more})

    def only(self) -> Issue:
        (issue,) = self.issues.search("", self.now)
        return issue

    def prune(self, **keep: int) -> int:
        return retention.prune(self.connection, Retention(**{"events": 1000, **keep}), self.now)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.connection.close()


def test_events_of_a_kind_are_one_issue(desk: Desk) -> None:
    desk.send(desk.crash(user={"id": 1}), desk.crash(user={"id": 2}, at=NOW - 2 * HOUR))
    desk.now += 60
    desk.send(desk.crash(user={"id": 1}, release="abc", environment="staging"))
    issue = desk.only()
    assert (issue.number, issue.count, issue.users) == (1, 3, 2)
    assert (issue.type, issue.text, issue.file, issue.line, issue.function) == (
        "KeyError",
        "'price'",
        "shop/views.py",
        12,
        "pay",
    )
    assert (issue.first_seen, issue.last_seen) == (NOW - 2 * HOUR, NOW + 60)
    assert sum(issue.hours) == 3
    detail = desk.issues.detail(1, desk.now)
    assert sum(count for _, count in detail.hours) == sum(count for _, count in detail.days) == 3
    assert [(facet.value, facet.count) for facet in detail.facets["release"]] == [("abc", 1)]
    assert [facet.value for facet in detail.facets["environment"]] == ["staging"]
    assert detail.latest is not None
    assert detail.latest.release == "abc"
    assert detail.kept == 3


def test_an_event_that_is_sent_again_is_counted_once(desk: Desk) -> None:
    raw = desk.crash()
    assert desk.send(raw, raw) == 1
    assert desk.send(raw) == 0
    assert desk.only().count == 1


def test_whom_it_met_is_not_to_be_read(desk: Desk) -> None:
    desk.send(desk.crash(user={"email": "ada@example.com"}))
    (known,) = desk.connection.execute("SELECT user FROM users").fetchone()
    assert b"ada" not in known


def test_a_storm_is_counted_and_not_all_kept(desk: Desk) -> None:
    desk.send(*(desk.crash() for _ in range(recording.WHOLE_PER_HOUR + 50)))
    assert (desk.only().count, desk.issues.detail(1, NOW).kept) == (150, 100)
    desk.now += recording.PAUSE_SECONDS
    desk.send(desk.crash(release="newest"), desk.crash(), desk.crash())
    detail = desk.issues.detail(1, desk.now)
    assert (detail.issue.count, detail.kept) == (153, 101)
    assert detail.latest is not None
    assert detail.latest.release == "newest"


def test_resolved_issues_come_back_as_regressions(desk: Desk) -> None:
    desk.send(desk.crash())
    desk.issues.judge([1], Status.RESOLVED, NOW + 10)
    desk.send(desk.crash(at=NOW + 5))  # was under way when somebody resolved it
    assert desk.only().status is Status.RESOLVED
    desk.now = NOW + 20
    desk.send(desk.crash())
    back = desk.only()
    assert (back.status, back.regressed_at) == (Status.UNRESOLVED, NOW + 20)
    assert [issue.number for issue in desk.issues.search("is:regressed", NOW)] == [1]
    desk.issues.judge([1], Status.RESOLVED, desk.now)
    assert desk.only().regressed_at is None


@pytest.mark.parametrize("by", ["release", "version"])
def test_resolved_in_the_next_release_old_code_may_go_on(desk: Desk, by: str) -> None:
    def send(name: str) -> None:
        if by == "release":
            desk.send(desk.crash(release=name))
        else:
            desk.send(desk.crash(), version=name)

    send("v1")
    send("v2")
    desk.issues.judge([1], Status.RESOLVED, desk.now, in_next_release=True)
    desk.now += 60
    for old in ("v1", "v2"):
        send(old)
        assert desk.only().status is Status.RESOLVED
        assert desk.only().in_next_release
    send("v3")
    assert desk.only().status is Status.UNRESOLVED
    assert desk.only().last_release == "v3"


def test_ignored_issues_stay_so_and_are_counted(desk: Desk) -> None:
    desk.send(desk.crash())
    desk.issues.judge([1], Status.IGNORED, NOW)
    desk.now += 60
    desk.send(desk.crash())
    assert (desk.only().status, desk.only().count) == (Status.IGNORED, 2)
    desk.issues.judge([1], Status.UNRESOLVED, desk.now)
    assert desk.only().status is Status.UNRESOLVED


def test_of_several_all_are_judged_or_none(desk: Desk) -> None:
    desk.send(desk.crash())
    with pytest.raises(NotFound):
        desk.issues.judge([1, 99], Status.RESOLVED, NOW)
    assert desk.only().status is Status.UNRESOLVED


def test_a_traceback_in_the_log_is_not_counted_beside_the_event_that_was_sent(desk: Desk) -> None:
    desk.send(desk.crash())
    assert desk.send(desk.crash(at=NOW + 1), source=Source.LOGS) == 0
    assert desk.send(desk.crash(at=NOW - 1), source=Source.LOGS) == 0  # printed before it was sent
    assert desk.only().count == 1


def test_without_an_event_it_is_counted(desk: Desk) -> None:
    assert desk.send(desk.crash(), desk.crash(), source=Source.LOGS) == 2
    assert (desk.only().count, desk.only().source) == (2, "logs")
    other = crash(raised("KeyError", "x", frame(line=99)))
    desk.send(other)
    assert desk.send(desk.crash(at=NOW + 1), source=Source.LOGS) == 1, "of another line"
    desk.send(desk.crash())
    desk.now += recording.SAME_CRASH_SECONDS + 1
    assert desk.send(desk.crash(), source=Source.LOGS) == 1, "long after"


def test_how_far_a_log_was_read_is_written_together_with_what_was_found(desk: Desk) -> None:
    assert recording.position(desk.connection, "app") is None
    desk.send(desk.crash(), position=Position("app", 17))
    assert recording.position(desk.connection, "app") == 17
    broken = Arrival(events.read(crash(), now=NOW), {"x": object()})
    with pytest.raises(TypeError):
        recording.record(desk.connection, [broken], position=Position("app", 18), now=NOW)
    assert recording.position(desk.connection, "app") == 17
    assert desk.only().count == 1


def test_what_is_written_is_scrubbed(desk: Desk) -> None:
    raw = crash(
        raised("E", "key Zk93jfX02mPq8sLw for postgres://a:pw@h"),
        extra={"password": "hunter2"},
        release="Zk93jfX02mPq8sLw",
    )
    desk.send(raw, hidden=Hidden(frozenset({"Zk93jfX02mPq8sLw"})))
    issue, detail = desk.only(), desk.issues.detail(1, NOW)
    everything = repr((issue, detail))
    assert "Zk93" not in everything
    assert "a:pw" not in everything
    assert "hunter2" not in everything
    desk.connection.close()
    assert b"Zk93" not in (desk.folder / schema.FILE).read_bytes()


def test_old_events_go_and_counts_stay(desk: Desk) -> None:
    desk.send(desk.crash(), message("old"))
    desk.now += 31 * DAY
    desk.send(desk.crash())
    assert desk.prune(days=30) == 2
    assert [issue.count for issue in desk.issues.search("", desk.now)] == [2, 1]
    assert desk.issues.detail(2, desk.now).latest is None
    assert desk.issues.detail(1, desk.now).kept == 1
    assert sum(count for _, count in desk.issues.detail(2, desk.now).days) == 1
    assert desk.issues.detail(2, desk.now).hours == ()


def test_of_one_issue_and_of_all_the_newest_are_kept(desk: Desk) -> None:
    desk.send(*(desk.crash(release=f"r{n}") for n in range(20)), *(message(f"m{c}") for c in "abcde"))
    assert desk.prune(per_issue=4) == 16
    assert [kept.release for kept in desk.issues.events(1)] == ["r19", "r18", "r17", "r16"]
    assert desk.prune(events=3) == 6
    assert desk.issues.detail(1, NOW).kept == 0
    assert desk.issues.detail(1, NOW).issue.count == 20


def test_a_file_that_is_too_large_loses_its_oldest_events(desk: Desk) -> None:
    for _ in range(40):
        desk.send(desk.crash(extra={"x": uuid.uuid4().hex * 200, "y": [uuid.uuid4().hex for _ in range(500)]}))
    before = retention.size(desk.connection)
    desk.prune(bytes=before // 2)
    assert retention.size(desk.connection) <= before // 2
    assert desk.only().count == 40
    assert desk.issues.detail(1, NOW).kept > 0


def test_room_can_be_made_at_once(desk: Desk) -> None:
    desk.send(*(desk.crash() for _ in range(10)))
    assert retention.make_room(desk.connection) == 5


def test_an_issue_s_number_is_never_another_s(desk: Desk) -> None:
    desk.send(desk.crash())
    desk.now += 400 * DAY
    desk.prune()
    assert desk.issues.search("", desk.now) == []
    desk.send(desk.crash())
    assert desk.only().number == 2


def search(desk: Desk, query: str) -> list[int]:
    return [issue.number for issue in desk.issues.search(query, NOW)]


def test_search(desk: Desk) -> None:
    desk.send(desk.crash(release="abc1", environment="production"), version="v7")
    desk.send(message("cannot reach %s", ["100% of_it"], level="warning", logger="shop.tasks", environment="staging"))
    desk.send(crash(raised("TimeoutError", "too slow", frame("blog/feed.py", "fetch"))), source=Source.LOGS)
    desk.issues.judge([3], Status.IGNORED, NOW)
    everything = [3, 2, 1]
    assert search(desk, "") == everything
    assert search(desk, "is:unresolved") == [2, 1]
    assert search(desk, "!is:unresolved") == [3]
    assert search(desk, "level:warning") == [2]
    assert search(desk, "release:v7") == search(desk, "release:abc*") == search(desk, 'release:"abc1"') == [1]
    assert search(desk, "environment:staging") == search(desk, "env:stag*") == [2]
    assert search(desk, "type:KeyError") == [1]
    assert search(desk, "type:*Error") == [3, 1]
    assert search(desk, "source:logs") == [3]
    assert search(desk, "feed") == [3]
    assert search(desk, '"too slow"') == [3]
    assert search(desk, "REACH is:unresolved") == [2]
    assert search(desk, "100%") == [2]
    assert search(desk, "%") == [2], "only * stands for anything"
    assert search(desk, "price:x") == []
    assert search(desk, "' OR 1=1 --") == []


@pytest.mark.parametrize("query", ["is:nothing", "level:loud", "source:air", "x" * 501])
def test_searches_that_mean_nothing(desk: Desk, query: str) -> None:
    with pytest.raises(Invalid):
        search(desk, query)


def test_a_damaged_file_is_told_from_a_whole_one(desk: Desk, tmp_path: Path) -> None:
    desk.send(*(desk.crash() for _ in range(50)))
    copy = tmp_path / "copy of?it#.db"
    with sqlite3.connect(copy) as target:
        desk.connection.backup(target)
    target.close()
    assert schema.complaint(copy) == ""
    content = copy.read_bytes()
    copy.write_bytes(content[: len(content) // 2])
    assert schema.complaint(copy)
    copy.write_bytes(b"")
    assert schema.complaint(copy)
    assert schema.complaint(tmp_path / "missing")
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE x (y)")
    other.close()
    assert schema.complaint(tmp_path / "other.db") == "It is no backup of an error tracker."


def test_what_cannot_be_read_is_said_without_a_path(tmp_path: Path) -> None:
    (tmp_path / schema.FILE).write_bytes(b"no database at all" * 100)
    with pytest.raises(Unavailable) as caught:
        Issues(tmp_path).search("", NOW)
    assert str(tmp_path) not in caught.value.message
