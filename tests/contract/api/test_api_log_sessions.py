"""`heroku logs`: a URL that is its own key, as events for the CLI and as plain lines for others."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeport.state import App, Database
from tests.contract.api import api_world
from tests.contract.api.api_world import World

EVENTS = {"Accept": "text/event-stream", "Authorization": ""}
LINES = {"Accept": "*/*", "Authorization": ""}


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    with api_world.opened(database, tmp_path) as world:
        yield world


@pytest.fixture
def app(world: World) -> App:
    app = world.create_app()
    world.logs.write(app.id, "app", "web.1", ["one", "two"])
    world.logs.write(app.id, "heroku", "web.2", ["State changed from starting to up"])
    world.logs.write(app.id, "app", "worker.1", ["three"])
    return app


def session(world: World, body: dict[str, object]) -> str:
    response = world.post("/apps/shop/log-sessions", body)
    assert response.status_code == 201
    url = response.json()["logplex_url"]
    assert isinstance(url, str)
    assert url.startswith("https://localhost:8443/logs/")
    return url


def texts(answer: str) -> list[str]:
    return [line.partition("]: ")[2] for line in answer.splitlines() if "]: " in line]


@pytest.mark.usefixtures("app")
def test_the_last_lines_as_events(world: World) -> None:
    response = world.get(session(world, {"lines": 2, "tail": False}), headers=EVENTS)
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert response.text.startswith("retry: 1\n\n")
    assert texts(response.text) == ["State changed from starting to up", "three"]
    assert response.text.count("\nid: ") == 2


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"dyno": "web"}, ["one", "two", "State changed from starting to up"]),
        ({"dyno": "web.1"}, ["one", "two"]),
        ({"dyno_name": "web.1"}, ["one", "two"]),
        ({"type": "worker"}, ["three"]),
        ({"source": "heroku"}, ["State changed from starting to up"]),
        ({"source": "app", "dyno": "web.2"}, []),
        ({"lines": 0}, []),
    ],
)
def test_filters_as_plain_lines(world: World, asked: dict[str, object], expected: list[str]) -> None:
    response = world.get(session(world, asked), headers=LINES)
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert texts(response.text) == expected


def test_a_tail_goes_on_with_what_comes(world: World, app: App) -> None:
    """Over the ASGI interface itself: httpx's transport gives an answer only when it has ended."""
    url = session(world, {"tail": True, "dyno": "web.1"})
    path = url.removeprefix("https://localhost:8443")
    application = world.http._transport.app  # type: ignore[attr-defined]
    seen: list[bytes] = []
    gone = asyncio.Event()

    async def receive() -> dict[str, object]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        body = message.get("body")
        seen.append(body if isinstance(body, bytes) else b"")

    async def until_seen(text: bytes) -> None:
        while text not in b"".join(seen):  # noqa: ASYNC110 - polled so that a failure is a timeout, not a hang
            await asyncio.sleep(0.01)

    async def follow() -> None:
        headers = [(b"accept", b"text/event-stream")]
        scope = {"type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
        async with asyncio.timeout(10):
            stream = asyncio.create_task(application({**scope, "headers": headers}, receive, send))
            await until_seen(b"two")
            world.logs.write(app.id, "app", "web.1", ["four"])
            await until_seen(b"four")
            gone.set()
            await stream

    world.runner.run(follow())
    assert texts(b"".join(seen).decode()) == ["one", "two", "four"]


def test_a_client_that_reconnects_gets_what_came_after(world: World, app: App) -> None:
    url = session(world, {"lines": 100})
    last = [line.seq for line in world.logs.recent(app.id)][-2]
    assert texts(world.get(url, headers={**EVENTS, "Last-Event-ID": str(last)}).text) == ["three"]


@pytest.mark.usefixtures("app")
def test_a_log_url_cannot_be_guessed_or_changed(world: World) -> None:
    url = session(world, {"lines": 100})
    for wrong in (url[:-1] + ("A" if url[-1] != "A" else "B"), url.rpartition(".")[0], url + "x"):
        assert world.get(wrong, headers=EVENTS).status_code == 404
    assert world.request("HEAD", url).status_code == 405


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "body", [{"lines": -1}, {"lines": "many"}, {"tail": "yes"}, {"dyno": 1}, {"source": "x" * 200}]
)
def test_what_cannot_be_a_log_session_is_refused(world: World, body: dict[str, object]) -> None:
    assert world.post("/apps/shop/log-sessions", body).status_code == 422
