"""The endpoint that SDKs talk to, as an application in this process."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import sqlite3
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import brotli  # type: ignore[import-untyped] # it has no types
import httpx
import pytest

from homeport import tracker
from homeport.errors import Unavailable
from homeport.tracker import ingest, quota, schema, writer
from homeport.tracker.hidden import Hidden, new_key, seal
from tests.unit.tracker.event_samples import NOW, Raw, crash, raised

KEY = "0123456789abcdef0123456789abcdef"
AUTH = {"X-Sentry-Auth": f"Sentry sentry_version=7, sentry_client=test/1.0, sentry_key={KEY}"}
SEALING = new_key()


@dataclass
class Scene:
    """A tracker with one project, number 7."""

    root: Path
    client: httpx.AsyncClient
    writer: tracker.Writer
    project: tracker.Project
    seconds: float = 0.0

    async def post(self, body: bytes, path: str = "/api/7/envelope/", **headers: str) -> httpx.Response:
        return await self.client.post(path, content=body, headers={**AUTH, **headers})

    async def send(self, *events: Raw, **headers: str) -> httpx.Response:
        return await self.post(envelope(*(("event", json.dumps(raw).encode()) for raw in events)), **headers)

    def install(self, project: tracker.Project) -> None:
        project.folder.mkdir(parents=True, exist_ok=True)
        (project.folder / tracker.PROJECT).write_text(project.written())

    def issues(self) -> list[tracker.Issue]:
        return tracker.Issues(self.project.folder).search("", NOW)

    def tallies(self) -> dict[str, int]:
        with sqlite3.connect(self.project.folder / tracker.FILE) as connection:
            found = dict(connection.execute("SELECT category, sum(count) FROM tallies GROUP BY 1"))
        connection.close()
        return found


Play = Callable[[Callable[[Scene], Awaitable[None]]], None]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    def run(scenario: Callable[[Scene], Awaitable[None]]) -> None:
        async def whole() -> None:
            project = tracker.Project(7, KEY, tmp_path / "addon", 600, tracker.Retention(1000))
            projects = tracker.Projects(tmp_path, SEALING)
            scribe = tracker.Writer(projects, spare=0, clock=lambda: NOW)
            scene = Scene(tmp_path, None, scribe, project)  # type: ignore[arg-type] # in a moment
            application = tracker.Ingest(projects, scribe, clock=lambda: scene.seconds)
            transport = httpx.ASGITransport(application)
            async with httpx.AsyncClient(transport=transport, base_url="http://tracker") as client:
                scene.client = client
                scene.install(project)
                await scenario(scene)
            await scribe.close()

        asyncio.run(whole())

    return run


def envelope(*items: tuple[str, bytes], **headers: str) -> bytes:
    lines = [json.dumps(headers).encode()]
    for type_, content in items:
        lines += [json.dumps({"type": type_, "length": len(content)}).encode(), content]
    return b"\n".join(lines) + b"\n"


def test_an_event_is_there_when_it_is_acknowledged(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        raw = crash()
        answer = await scene.send(raw)
        assert (answer.status_code, answer.json()) == (200, {"id": raw["event_id"]})
        assert [issue.count for issue in scene.issues()] == [1]

    play(scenario)


@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("br", brotli.compress)]
)
def test_bodies_may_be_compressed(play: Play, encoding: str, encode: Callable[[bytes], bytes]) -> None:
    async def scenario(scene: Scene) -> None:
        body = envelope(("event", json.dumps(crash()).encode()))
        assert (await scene.post(encode(body), **{"Content-Encoding": encoding})).status_code == 200
        assert len(scene.issues()) == 1

    play(scenario)


def test_the_key_may_come_in_several_ways(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        body = envelope(("event", json.dumps(crash()).encode()))
        post = scene.client.post
        assert (await post(f"/api/7/envelope/?sentry_key={KEY}&sentry_version=7", content=body)).status_code == 200
        assert (await post("/api/7/envelope", content=body, headers=AUTH)).status_code == 200
        other = {"Authorization": AUTH["X-Sentry-Auth"]}
        assert (await post("/api/7/envelope/", content=body, headers=other)).status_code == 200
        with_dsn = envelope(("event", json.dumps(crash()).encode()), dsn=f"https://{KEY}@localhost/7")
        assert (await post("/api/7/envelope/", content=with_dsn)).status_code == 200

    play(scenario)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/7/envelope/", {"X-Sentry-Auth": "Sentry sentry_key=" + "f" * 32}),
        ("/api/7/envelope/", {"X-Sentry-Auth": "Sentry sentry_key="}),
        ("/api/7/envelope/", {"X-Sentry-Auth": "Bearer x"}),
        ("/api/7/envelope/", {}),
        ("/api/8/envelope/", AUTH),
        ("/api/8/envelope/", {}),
        ("/api/7/store/", {}),
        ("/api/7/envelope/?sentry_key=%FF", {}),
    ],
)
def test_a_wrong_key_is_refused(play: Play, path: str, headers: dict[str, str]) -> None:
    async def scenario(scene: Scene) -> None:
        answer = await scene.client.post(path, content=envelope(("event", b"{}")), headers=headers)
        assert answer.status_code == 403
        assert "detail" in answer.json()
        assert not (scene.project.folder / tracker.FILE).exists()

    play(scenario)


def test_the_endpoint_of_old_sdks(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        body = gzip.compress(json.dumps(crash()).encode())
        answer = await scene.post(body, "/api/7/store/", **{"Content-Encoding": "gzip"})
        assert answer.status_code == 200
        assert len(scene.issues()) == 1

    play(scenario)


def test_what_is_no_error_is_taken_and_counted(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        kinds = "transaction check_in session sessions client_report attachment user_report profile statsd".split()
        kinds += ["feedback", "span", "log", "metric_buckets", "replay_event", "never_heard_of", ""]
        answer = await scene.post(envelope(*((kind, b"\x00 not even JSON") for kind in kinds)))
        assert answer.status_code == 200
        assert scene.issues() == []
        assert sum(scene.tallies().values()) == len(kinds)
        with_event = envelope(("attachment", b"x" * 100_000), ("event", json.dumps(crash()).encode()))
        assert (await scene.post(with_event)).status_code == 200
        assert len(scene.issues()) == 1

    play(scenario)


def test_invented_kinds_are_one_kind(play: Play) -> None:
    """Whoever has the key, which is no secret, must not be able to fill the database by names."""

    async def scenario(scene: Scene) -> None:
        invented = envelope(*((f"invented-{number}", b"") for number in range(500)), ("span", b"{}"))
        assert (await scene.post(invented)).status_code == 200
        assert scene.tallies() == {"unknown": 500, "span": 1}

    play(scenario)


def test_strangers_who_send_slowly_are_not_waited_for(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "STRANGERS_SECONDS", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    async def scenario(scene: Scene) -> None:
        answer = await scene.client.post("/api/7/envelope/", content=slow())
        assert answer.status_code == 400
        assert "slowly" in answer.text

    play(scenario)


def test_strangers_do_not_crowd_out_whoever_has_a_key(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MAX_OF_STRANGERS_AT_ONCE", 1000)
    begun = asyncio.Event()
    ended = asyncio.Event()

    async def waiting() -> AsyncIterator[bytes]:
        yield b" " * 900
        begun.set()
        await ended.wait()
        yield b" "

    async def scenario(scene: Scene) -> None:
        first = asyncio.create_task(scene.client.post("/api/7/envelope/", content=waiting()))
        await begun.wait()
        assert (await scene.client.post("/api/7/envelope/", content=b" " * 900)).status_code == 503
        assert (await scene.send(crash())).status_code == 200
        ended.set()
        await first

    play(scenario)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"no envelope", 400),
        (envelope(("event", b"no JSON")), 400),
        (envelope(("event", b"[]")), 400),
        (envelope(("event", b'{"a":' * 5000)), 400),
        (envelope(("event", b"1" * 10_000)), 400),
        (envelope(("event", b'{"message": "' + b"x" * ingest.MAX_EVENT + b'"}')), 413),
        (envelope(("event", b"{}")), 200),
        (envelope(("event", b'{"exception": 7, "timestamp": {}, "user": [1], "tags": 3, "event_id": "\\ud800"}')), 200),
        (envelope(("event", b'{"message": "\\ud800\\u0000", "level": NaN}')), 200),
    ],
)
def test_whatever_comes_gets_its_answer(play: Play, body: bytes, status: int) -> None:
    async def scenario(scene: Scene) -> None:
        answer = await scene.post(body)
        assert answer.status_code == status, answer.text
        if status >= 400:
            assert answer.headers["X-Sentry-Error"] == answer.json()["detail"]

    play(scenario)


def test_bombs_are_refused(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        for encoding, encode in (("gzip", gzip.compress), ("br", lambda data: brotli.compress(data, quality=1))):
            answer = await scene.post(encode(bytes(ingest.MAX_AT_ONCE)), **{"Content-Encoding": encoding})
            assert answer.status_code == 413
        small_bomb = gzip.compress(bytes(ingest.MAX_OF_STRANGERS + 1))
        for headers, status in ((AUTH, 400), ({}, 413)):
            sent = {**headers, "Content-Encoding": "gzip"}
            answer = await scene.client.post("/api/7/envelope/", content=small_bomb, headers=sent)
            assert answer.status_code == status, "of strangers less is read"

    play(scenario)


def test_other_paths_and_methods(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        assert (await scene.client.post("/api/7/minidump/")).status_code == 404
        assert (await scene.client.get("/api/7/envelope/", headers=AUTH)).status_code == 405
        asked = await scene.client.options("/api/7/envelope/")
        assert asked.status_code == 200
        assert asked.headers["Access-Control-Allow-Origin"] == "*"

    play(scenario)


def test_more_than_the_plan_takes_is_told_to_wait(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        scene.install(replace(scene.project, per_minute=6))
        for _ in range(6):
            assert (await scene.send(crash())).status_code == 200
        answer = await scene.send(crash())
        assert answer.status_code == 429
        assert answer.headers["X-Sentry-Rate-Limits"] == "10:error;default;security:project"
        assert answer.headers["Retry-After"] == "10"
        assert scene.tallies() == {"rate_limited": 1}
        assert (await scene.post(envelope(("session", b"{}")))).status_code == 200, "only errors are held back"
        scene.seconds += 10
        assert (await scene.send(crash())).status_code == 200

    play(scenario)


def test_floods_of_transactions_are_held_back_at_the_sdk(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        body = envelope(*[("transaction", b"{}")] * 900)
        answers = [await scene.post(body) for _ in range(7)]
        assert {answer.status_code for answer in answers} == {200}
        assert "X-Sentry-Rate-Limits" not in answers[0].headers
        assert answers[-1].headers["X-Sentry-Rate-Limits"].startswith("60:transaction;")
        assert "error" not in answers[-1].headers["X-Sentry-Rate-Limits"]
        assert scene.tallies() == {"transaction": 6300}

    play(scenario)


def test_a_project_that_changes_goes_or_comes_is_noticed_at_once(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        assert (await scene.send(crash())).status_code == 200
        scene.install(replace(scene.project, key="f" * 32))
        assert (await scene.send(crash())).status_code == 403
        scene.install(scene.project)
        assert (await scene.send(crash())).status_code == 200
        shutil.rmtree(scene.project.folder)
        assert (await scene.send(crash())).status_code == 403
        scene.install(replace(scene.project, folder=scene.root / "again"))
        assert (await scene.send(crash())).status_code == 200
        await scene.writer.tidy()
        assert len(tracker.Issues(scene.root / "again").search("", NOW)) == 1

    play(scenario)


def test_events_grow_too_old_where_no_more_arrive(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        assert (await scene.send(crash())).status_code == 200
        at = [NOW]
        later = tracker.Writer(tracker.Projects(scene.root, SEALING), spare=0, clock=lambda: at[0])
        await later.tidy()
        (issue,) = scene.issues()
        assert len(tracker.Issues(scene.project.folder).events(issue.number)) == 1
        at[0] += (scene.project.retention.days + 1) * 86400
        await later.tidy()
        assert tracker.Issues(scene.project.folder).events(issue.number) == []
        assert [found.count for found in scene.issues()] == [1], "counts stay"
        await later.close()

    play(scenario)


def test_what_the_platform_knows_of_apps_is_used(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        knowledge = tracker.Knowledge(Hidden(frozenset({"Zk93jfX02mPq8s"})), {"c0ffee": "v11"}, "v12")
        (scene.project.folder / tracker.KNOWLEDGE).write_text(seal(SEALING, knowledge.plain()))
        await scene.send(crash(raised("E", "key Zk93jfX02mPq8s"), release="c0ffee"))
        (issue,) = scene.issues()
        assert (issue.text, issue.last_release) == ("key [Filtered]", "v11")
        await scene.send(crash(raised("E", "other"), release="1.0"))
        assert scene.issues()[0].last_release == "v12"

    play(scenario)


def test_a_full_disk_is_said_and_passes(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit on pages makes SQLite fail just as a full disk does (SQLITE_FULL)."""

    async def scenario(scene: Scene) -> None:
        assert (await scene.send(crash())).status_code == 200
        connect = schema.connect
        pages = 1

        def limited(folder: Path) -> sqlite3.Connection:
            connection = connect(folder)
            connection.execute(f"PRAGMA max_page_count = {pages}")
            return connection

        monkeypatch.setattr(schema, "connect", limited)
        fresh = tracker.Writer(tracker.Projects(scene.root, SEALING), spare=0, clock=lambda: NOW)
        events = [crash(raised(f"E{n}", "x"), extra={"x": "y" * 8000 + str(n)}) for n in range(200)]
        with pytest.raises(Unavailable) as caught:
            await fresh.write(scene.project, events, {}, 0)
        assert caught.value.id == "tracker_unwritable"
        assert len(scene.issues()) == 1, "all of it or nothing"
        pages = 1_000_000
        await fresh.write(scene.project, events, {}, 0)
        assert len(scene.issues()) == 201
        await fresh.close()

    play(scenario)


def test_what_is_spare_of_the_disk_is_left_to_others(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        greedy = tracker.Writer(tracker.Projects(scene.root, SEALING), spare=2**62)
        application = tracker.Ingest(tracker.Projects(scene.root, SEALING), greedy)
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://tracker") as client:
            body = envelope(("event", json.dumps(crash()).encode()))
            answer = await client.post("/api/7/envelope/", content=body, headers=AUTH)
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
            assert (await client.post("/api/7/envelope/", content=envelope(), headers=AUTH)).status_code == 503
        await greedy.close()

    play(scenario)


def test_too_much_at_once_is_refused_before_memory_is_short(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        with pytest.raises(Unavailable):
            await scene.writer.write(scene.project, [], {}, writer.MOST_WAITING_BYTES + 1)
        with pytest.raises(Unavailable):
            await scene.writer.write(scene.project, [crash()] * (writer.MOST_WAITING + 1), {}, 0)

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(1000):
                yield bytes(1024**2)

        answer = await scene.client.post("/api/7/envelope/", content=endless(), headers=AUTH)
        assert answer.status_code == 413

    play(scenario)


def test_many_at_once_are_written_together(play: Play) -> None:
    async def scenario(scene: Scene) -> None:
        answers = await asyncio.gather(*(scene.send(crash()) for _ in range(300)))
        assert {answer.status_code for answer in answers} == {200}
        assert [issue.count for issue in scene.issues()] == [300]

    play(scenario)


def test_a_bucket_is_filled_evenly() -> None:
    now = 0.0
    bucket = quota.Bucket(60, lambda: now)
    assert all(bucket.take() for _ in range(60))
    assert not bucket.take()
    assert bucket.wait == 6
    now = 2.0
    assert [bucket.take() for _ in range(3)] == [True, True, False]
    now = 1.0
    assert not bucket.take(), "a clock that goes back gives nothing"
    now = 1000.0
    assert bucket.take(60)
    assert not bucket.take()
