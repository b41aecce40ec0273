"""Homeport's own part of the API: an app's issues, on a tracker that really runs; and what the platform tells it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest

from homeport import accounts, addons, releases, tracker
from homeport.addons import Addons, Errors, ErrorWatch, Servers, Site
from homeport.addons.fake import FakeProvider
from homeport.daemon.tracker import PROGRAM
from homeport.errors import HomeportError
from homeport.home import Home
from homeport.state import App, Database
from tests.contract.api import api_world
from tests.contract.api.api_world import World
from tests.unit.tracker.event_samples import Raw, crash, frame, message, raised

pytestmark = pytest.mark.slow

ISSUES = "/apps/shop/errors"


@dataclass
class Scene:
    world: World
    provider: Errors
    app: App

    @property
    def resource(self) -> addons.Resource:
        with self.world.database.session() as session:
            (addon,) = [found for found in addons.of_app(session, self.app) if found.service == "sentry"]
            assert self.world.core.addons is not None
        return self.world.runner.run(self.world.core.addons.resource(addon))

    def send(self, *events: Raw) -> None:
        now = time.time()
        sent = [{**raw, "timestamp": now} for raw in events]
        with contextlib.closing(tracker.connect(self.provider.folder(self.resource.id))) as connection:
            arrivals = [tracker.Arrival(tracker.read_event(raw, now=now), raw) for raw in sent]
            tracker.record(connection, arrivals, now=now)

    def listed(self, query: str = "") -> list[dict[str, Any]]:
        response = self.world.get(ISSUES, params={"query": query})
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()
        return found

    def known(self) -> tracker.Knowledge:
        """What the tracker is told."""
        folder = self.provider.folder(self.resource.id)
        if not (folder / tracker.KNOWLEDGE).exists():
            return tracker.Knowledge()
        return tracker.Knowledge.of(
            tracker.unseal(self.provider.knowledge_key(), (folder / tracker.KNOWLEDGE).read_text())
        )


@pytest.fixture
def scene(database: Database, tmp_path: Path) -> Iterator[Scene]:
    home = Home(tmp_path / "home")
    home.prepare()
    provider = Errors(Site(home, Servers(home.run / "servers", home.logs)), PROGRAM)

    def parts(database: Database) -> dict[str, Any]:
        return {"addons": Addons(database, [provider, FakeProvider("heroku-redis")])}

    with api_world.opened(database, tmp_path, parts) as world:
        app = world.create_app("shop")
        made = world.post("/apps/shop/addons", {"plan": "sentry"})
        assert made.status_code == 201, made.text
        yield Scene(world, provider, app)
    asyncio.run(provider.stop())


def test_an_add_on_and_where_it_leads(scene: Scene) -> None:
    world = scene.world
    dsn = world.get("/apps/shop/config-vars").json()["SENTRY_DSN"]
    assert dsn.startswith("http://")
    assert dsn.endswith("@localhost:8080/1")
    (addon,) = world.get("/apps/shop/addons").json()
    page = world.get(addon["web_url"].removeprefix("https://localhost:8443"), headers={"Accept": "text/html"})
    assert "homeport errors" in page.text
    assert dsn not in page.text


def test_issues(scene: Scene) -> None:
    scene.send(crash(user={"id": 1}, release="abc", environment="staging"), crash(), message("cold", level="warning"))
    found = {issue["id"]: issue for issue in scene.listed()}
    issue = found[1]
    assert (issue["short_id"], issue["type"], issue["message"]) == ("SHOP-1", "KeyError", "'price'")
    assert issue["culprit"] == {"file": "shop/views.py", "function": "pay", "line": 12}
    assert (issue["count"], issue["users"], issue["status"], issue["source"]) == (2, 1, "unresolved", "sdk")
    assert len(issue["hours"]) == 24
    assert found[2]["type"] is None
    assert [issue["id"] for issue in scene.listed("level:warning")] == [2]
    for name in ("1", "SHOP-1", "shop-1"):
        whole = scene.world.get(f"{ISSUES}/{name}").json()
        assert whole["kept_events"] == 2
        assert whole["latest_event"]["event"]["exception"]["values"][0]["type"] == "KeyError"
        assert [facet["value"] for facet in whole["releases"]] == ["abc"]
        assert sum(hour["count"] for hour in whole["counts"]["hours"]) == 2
    kept = scene.world.get(f"{ISSUES}/1/events").json()
    assert len(kept) == 2
    one = scene.world.get(f"{ISSUES}/1/events/{kept[0]['id']}").json()
    assert one == kept[0]


def test_long_lists_come_in_parts(scene: Scene) -> None:
    scene.send(*(crash(raised(f"E{n}", "x")) for n in range(7)))
    first = scene.world.get(ISSUES, headers={"Range": "last_seen ..; max=3, order=desc"})
    assert first.status_code == 206
    rest = scene.world.get(ISSUES, headers={"Range": first.headers["Next-Range"]}).json()
    assert len({issue["id"] for issue in [*first.json(), *rest]}) == 6


def test_issues_are_settled(scene: Scene) -> None:
    scene.send(crash(release="one"))
    patch = scene.world.patch
    assert patch(f"{ISSUES}/1", {"status": "resolved"}).json()["status"] == "resolved"
    scene.send(crash(release="one"))
    assert scene.listed()[0]["regressed_at"]
    answer = patch(f"{ISSUES}/SHOP-1", {"status": "resolved", "in_next_release": True}).json()
    assert answer["in_next_release"]
    scene.send(crash(release="one"))
    assert scene.listed()[0]["status"] == "resolved"
    assert patch(f"{ISSUES}/1", {"status": "ignored"}).json()["status"] == "ignored"
    assert patch(f"{ISSUES}/1", {"status": "unresolved"}).json()["regressed_at"] is None


IMPOSSIBLE: tuple[tuple[str, str, object, int], ...] = (
    ("GET", f"{ISSUES}/9", None, 404),
    ("GET", f"{ISSUES}/BLOG-1", None, 404),
    ("GET", f"{ISSUES}/one", None, 404),
    ("GET", f"{ISSUES}/{'9' * 400}", None, 404),
    ("GET", f"{ISSUES}/1/events/nothing", None, 404),
    ("GET", f"{ISSUES}?query=is:odd", None, 422),
    ("GET", f"{ISSUES}?addon=nothing", None, 404),
    ("PATCH", f"{ISSUES}/1", {"status": "odd"}, 422),
    ("PATCH", f"{ISSUES}/1", {}, 422),
    ("PATCH", f"{ISSUES}/1", {"status": "ignored", "in_next_release": True}, 422),
    ("PATCH", f"{ISSUES}/9", {"status": "ignored"}, 404),
)


def test_what_cannot_be(scene: Scene) -> None:
    scene.send(crash())
    for method, path, body, status in IMPOSSIBLE:
        answer = scene.world.request(method, path, json=body)
        assert answer.status_code == status, (method, path, body)


def test_without_the_add_on_it_is_said_how_to_have_it(scene: Scene) -> None:
    scene.world.create_app("blog")
    answer = scene.world.get("/apps/blog/errors")
    assert answer.status_code == 404
    assert "addons:create sentry -a blog" in answer.json()["message"]


def test_the_platform_tells_of_config_vars_and_releases(scene: Scene) -> None:
    world = scene.world
    assert world.core.addons is not None
    watch = ErrorWatch(world.database, scene.provider, world.logs)
    world.patch("/apps/shop/config-vars", {"API_KEY": "first-value", "DEBUG": "true"})
    world.release(scene.app, code="two")
    world.runner.run(watch.sync())
    with world.database.session() as session:
        version = releases.current(session, session.get_one(App, scene.app.id)).version
    known = scene.known()
    assert "first-value" in known.hidden.values
    assert "true" not in known.hidden.values
    assert (known.current, known.version("c0ffeetwo")) == (f"v{version}", f"v{version}")
    kept = _contents(scene.provider.folder(scene.resource.id))
    assert kept
    assert b"first-value" not in kept
    world.patch("/apps/shop/config-vars", {"API_KEY": "second-value"})
    world.runner.run(watch.sync())
    assert {"first-value", "second-value"} <= scene.known().hidden.values, "old dynos still have the old one"
    world.create_app("jobs")
    world.post("/addon-attachments", {"addon": scene.resource.name, "app": "jobs"})
    world.patch("/apps/jobs/config-vars", {"JOBS_TOKEN": "of-the-other"})
    world.runner.run(watch.sync())
    assert "of-the-other" in scene.known().hidden.values
    assert scene.known().current == "", "whose release would it be?"
    world.runner.run(_end(watch))


PRINTED = """Traceback (most recent call last):
  File "/x/dynos/1/app/shop/views.py", line 12, in pay
    charge("first-value")
ValueError: no first-value here"""


def test_tracebacks_in_the_log_become_issues_once(scene: Scene) -> None:
    world, app = scene.world, scene.app
    world.patch("/apps/shop/config-vars", {"API_KEY": "first-value"})
    world.create_app("blog")

    async def scenario() -> None:
        watch = ErrorWatch(world.database, scene.provider, world.logs, hold=0.0)
        running = asyncio.create_task(watch.run())
        await _until(lambda: _position(scene) is not None)
        for app_id in (app.id, "another-app"):
            world.logs.write_output(app_id, "web.1", [line.encode() for line in PRINTED.split("\n")])
        world.logs.write(app.id, "heroku", "web.1", PRINTED.split("\n"))
        await _until(lambda: [issue["count"] for issue in _search(scene)] == [1])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

        world.logs.write_output(app.id, "web.1", [b"one more", *(line.encode() for line in PRINTED.split("\n"))])
        again = asyncio.create_task(ErrorWatch(world.database, scene.provider, world.logs, hold=0.0).run())
        await _until(lambda: [issue["count"] for issue in _search(scene)] == [2])
        again.cancel()
        await asyncio.gather(again, return_exceptions=True)

    world.runner.run(scenario())
    (issue,) = scene.listed("source:logs")
    assert (issue["type"], issue["message"], issue["count"]) == ("ValueError", "no [Filtered] here", 2)
    assert "first-value" not in world.get(f"{ISSUES}/1").text


def test_one_that_is_sent_and_printed_is_counted_once(scene: Scene) -> None:
    world, app = scene.world, scene.app

    async def scenario() -> None:
        watch = ErrorWatch(world.database, scene.provider, world.logs, hold=1.0)
        running = asyncio.create_task(watch.run())
        await _until(lambda: _position(scene) is not None)
        lines = PRINTED.replace("first-value", "x").split("\n")
        world.logs.write_output(app.id, "web.1", [line.encode() for line in lines])
        same = crash(raised("ValueError", "no x here", frame()))
        await asyncio.to_thread(_send, scene, same)
        other = PRINTED.replace("ValueError", "KeyError").split("\n")
        world.logs.write_output(app.id, "web.1", [line.encode() for line in other])
        await _until(lambda: len(_search(scene)) == 2)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    world.runner.run(scenario())
    assert {issue["type"]: (issue["count"], issue["source"]) for issue in scene.listed()} == {
        "ValueError": (1, "sdk"),
        "KeyError": (1, "logs"),
    }


def test_a_larger_plan_holds_for_tracebacks_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    world, app, kept = scene.world, scene.app, scene.world.core.addons
    assert kept is not None
    monkeypatch.setitem(kept.plan("sentry:f1").limits, "per_minute", 1)

    async def scenario() -> None:
        watch = ErrorWatch(world.database, scene.provider, world.logs, hold=0.0)
        running = asyncio.create_task(watch.run())
        await _until(lambda: _position(scene) is not None)
        for plan, expected in (("sentry:f1", 1), ("sentry:team", 2)):
            addon = await world.database.run(lambda session: addons.of_app(session, session.get_one(App, app.id))[0])
            await kept.change_plan(addon, kept.plan(plan), by=app.owner)
            await watch.sync()
            world.logs.write_output(app.id, "web.1", [line.encode() for line in PRINTED.split("\n")])
            await _until(lambda expected=expected: [issue["count"] for issue in _search(scene)] == [expected])
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    world.runner.run(scenario())


def test_a_log_that_cannot_be_read_is_told_of_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    world, tries = scene.world, 0

    def broken(_app_id: str, _after: int) -> NoReturn:
        nonlocal tries
        tries += 1
        raise HomeportError("log_unreadable", "The disk can't be read.")

    monkeypatch.setattr(world.logs, "reader", broken)
    monkeypatch.setattr("homeport.addons.errors.watch.RETRY_SECONDS", 0.0)

    async def scenario() -> None:
        running = asyncio.create_task(ErrorWatch(world.database, scene.provider, world.logs).run())
        await _until(lambda: tries >= 3)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    world.runner.run(scenario())
    assert caplog.text.count("could not be read for tracebacks: The disk can't be read.") == 1


def test_another_s_errors_are_not_found(scene: Scene) -> None:
    scene.send(crash())
    with scene.world.database.session() as session:
        bob = accounts.create_user(session, "bob@example.com")
        token = accounts.issue_token(session, bob, description="Bob's").secret
    for path in (ISSUES, f"{ISSUES}/1", f"{ISSUES}/1/events"):
        assert scene.world.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 404


def _folder(scene: Scene) -> Path:
    (folder,) = [path.parent for path in scene.provider.folder("x").parent.glob(f"*/{tracker.FILE}")]
    return folder


def _contents(folder: Path) -> bytes:
    """Of all files at one time. The watch's threads open and close the database beside us, and with its last
    connection SQLite puts the journal into the database and removes it."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return b"".join(path.read_bytes() for path in sorted(folder.iterdir(), reverse=True))
        except FileNotFoundError:
            assert time.monotonic() < deadline


def _search(scene: Scene) -> list[dict[str, Any]]:
    return [{"count": issue.count} for issue in tracker.Issues(_folder(scene)).search("", time.time())]


def _position(scene: Scene) -> int | None:
    with contextlib.closing(tracker.connect(_folder(scene))) as connection:
        return tracker.position(connection, scene.app.id)


def _send(scene: Scene, raw: Raw) -> None:
    now = time.time()
    with contextlib.closing(tracker.connect(_folder(scene))) as connection:
        tracker.record(
            connection, [tracker.Arrival(tracker.read_event({**raw, "timestamp": now}, now=now), raw)], now=now
        )


async def _until(is_so: Any, seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 - what it waits for has no event
            await asyncio.sleep(0.05)


async def _end(watch: ErrorWatch) -> None:
    running = asyncio.create_task(watch.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
