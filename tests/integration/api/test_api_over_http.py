"""The API behind a real HTTP server: what a socket, a stream and a client that leaves do to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from homeport import accounts, api, apps, dynos, logs, releases, slugs
from homeport.engine import FakeEngine
from homeport.state import Database


@dataclass
class Served:
    """The API of `shop`'s owner on a port of this machine."""

    http: httpx.AsyncClient
    logs: logs.Logs
    app_id: str
    server: uvicorn.Server


@contextlib.asynccontextmanager
async def served(database: Database, folder: Path) -> AsyncIterator[Served]:
    server = uvicorn.Server(uvicorn.Config(lambda: None, port=0, lifespan="off", log_config=None, ws="none"))
    journal = logs.Logs(folder / "logs")
    outputs = dynos.Outputs(journal)
    fleet = dynos.Fleet(
        database, FakeEngine(sink=outputs), slugs.Store(folder / "slugs"), outputs,
        routes_changed=lambda: asyncio.sleep(0), hostname=lambda name: f"{name}.localhost",
    )  # fmt: skip
    with database.session() as session:
        ada = accounts.create_user(session, "ada@example.com")
        secret = accounts.issue_token(session, ada).secret
        app = apps.create(session, owner=ada, name="shop")
        releases.start(session, app, ada)
    server.config.load()
    listening = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    core = api.Core(
        database=database, fleet=fleet, logs=journal, log_sessions=logs.Sessions(b"k" * 32), version="1",
        urls=api.Urls(url, url, "localhost", port, f"localhost:{port}"), uploads=folder / "uploads",
    )  # fmt: skip
    server.config.loaded_app = api.application(core)
    try:
        async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {secret}"}) as http:
            yield Served(http, journal, app.id, server)
    finally:
        journal.hang_up()
        server.should_exit = True
        await listening
        journal.close()


def run(test: Coroutine[Any, Any, None]) -> None:
    async def within() -> None:
        async with asyncio.timeout(30):
            await test

    asyncio.run(within())


async def said(events: AsyncIterator[str]) -> str:
    """The text of the next log line."""
    async for event in events:
        if event.startswith("data: "):
            return event.partition("]: ")[2]
    return ""


def test_a_tail_brings_lines_as_they_are_written(database: Database, tmp_path: Path) -> None:
    async def test() -> None:
        async with served(database, tmp_path) as here:
            here.logs.write(here.app_id, "app", "web.1", ["one"])
            session = await here.http.post("/apps/shop/log-sessions", json={"tail": True})
            url = session.json()["logplex_url"]
            async with here.http.stream("GET", url, headers={"Accept": "text/event-stream"}) as response:
                assert response.headers["Content-Type"].startswith("text/event-stream")
                events = response.aiter_lines()
                assert await said(events) == "one"
                here.logs.write(here.app_id, "app", "web.1", ["two"])
                assert await said(events) == "two"

    run(test())


def test_a_client_that_leaves_a_tail_leaves_nothing_behind(database: Database, tmp_path: Path) -> None:
    async def test() -> None:
        async with served(database, tmp_path) as here:
            url = (await here.http.post("/apps/shop/log-sessions", json={"tail": True})).json()["logplex_url"]
            before = len(asyncio.all_tasks())
            for _ in range(5):
                async with here.http.stream("GET", url, headers={"Accept": "text/event-stream"}) as response:
                    await anext(response.aiter_lines())
            while len(asyncio.all_tasks()) > before:  # noqa: ASYNC110 - the time limit of the test ends it
                await asyncio.sleep(0.01)

    run(test())


def test_a_tail_ends_when_the_platform_stops(database: Database, tmp_path: Path) -> None:
    async def test() -> None:
        async with served(database, tmp_path) as here:
            url = (await here.http.post("/apps/shop/log-sessions", json={"tail": True})).json()["logplex_url"]
            async with here.http.stream("GET", url) as response:
                here.logs.hang_up()
                assert await response.aread() is not None

    run(test())


def test_paths_and_heads_survive_the_server(database: Database, tmp_path: Path) -> None:
    async def test() -> None:
        async with served(database, tmp_path) as here:
            assert (await here.http.get("/buildpacks/heroku%2Fpython")).json()["name"] == "python"
            for _ in range(2):  # on one connection: a body after HEAD would confuse the next answer
                head = await here.http.head("/account")
                assert (head.status_code, head.content) == (200, b"")
                assert (await here.http.get("/account")).json()["email"] == "ada@example.com"
            assert (await here.http.get("/account", headers={"Request-Id": "a" * 7000})).status_code == 200

    run(test())


def test_a_body_without_end_is_answered(database: Database, tmp_path: Path) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 65536

    async def test() -> None:
        async with served(database, tmp_path) as here:
            try:
                response = await here.http.post("/apps", content=endless())
            except httpx.WriteError:
                return  # the connection was closed while the rest was being sent, which is an answer too
            assert response.status_code == 413

    run(test())


@pytest.mark.slow
def test_a_large_source_arrives_whole(database: Database, tmp_path: Path) -> None:
    block = bytes(range(256)) * 256

    async def content() -> AsyncIterator[bytes]:
        for _ in range(320):
            yield block

    async def test() -> None:
        async with served(database, tmp_path) as here:
            url = (await here.http.post("/sources")).json()["source_blob"]["put_url"]
            assert (await here.http.put(url, content=content(), headers={"Content-Type": ""})).status_code == 200
            (kept,) = (tmp_path / "uploads").iterdir()
            assert kept.read_bytes() == block * 320

    run(test())


def test_many_at_once_are_all_answered(database: Database, tmp_path: Path) -> None:
    async def test() -> None:
        async with served(database, tmp_path) as here:
            changes = (here.http.patch("/apps/shop/config-vars", json={f"V{n}": str(n)}) for n in range(20))
            reads = (here.http.get("/apps/shop/releases") for _ in range(20))
            answers = await asyncio.gather(*changes, *reads)
            assert {answer.status_code for answer in answers} == {200}
            assert (await here.http.get("/apps/shop/config-vars")).json() == {f"V{n}": str(n) for n in range(20)}
            versions = [each["version"] for each in (await here.http.get("/apps/shop/releases")).json()]
            assert versions == list(range(1, 22))

    run(test())


def test_a_browser_at_the_platforms_address_is_told_what_to_do_and_a_program_gets_json(
    database: Database, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with served(database, tmp_path) as here:
            page = await here.http.get("/", headers={"Accept": "text/html,*/*"})
            assert page.status_code == 200
            assert page.headers["content-type"].startswith("text/html")
            assert "homeport env" in page.text
            assert (await here.http.get("/")).json()["name"] == "Homeport"

    run(scenario())
