"""The whole API in this process: real database, logs and fleet; only the engine, which would start processes, is the
fake. Every answer is held against Heroku's schema on its way."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from homeport import accounts, api, apps, dynos, logs, releases, scheduler, slugs
from homeport.api.routes import ROUTES
from homeport.api.table import Match, Table
from homeport.dynos.probe import Health, Verdict
from homeport.dynos.situation import Gate
from homeport.engine import Address, FakeEngine
from homeport.errors import NotFound
from homeport.state import App, Build, Database, Release, User
from tests.contract.api import platform_schema

T = TypeVar("T")

URLS = api.Urls(
    api="https://localhost:8443",
    git="https://localhost:8443",
    domain="localhost",
    port=8443,
    rendezvous="localhost:8443",
)
TABLE = Table(ROUTES)


@dataclass
class Deployer:
    """Notes what it was to deploy; a build's output is what `said` has for it."""

    database: Database
    orders: list[tuple[str, str | Path, str | None]] = field(default_factory=list)
    said: dict[str, list[bytes]] = field(default_factory=dict)

    async def deploy_source(
        self, app_id: str, *, by: str, source: str | Path, version: str | None, only_test: bool = False
    ) -> Build:
        self.orders.append((app_id, source, version))
        return await self.database.run(_build, app_id, by, version)

    async def output(self, build_id: str) -> AsyncIterator[bytes]:
        if build_id not in self.said:
            raise NotFound("build")
        for piece in self.said[build_id]:
            yield piece


def _build(session: Any, app_id: str, user_id: str, version: str | None) -> Build:
    build = Build(app_id=app_id, user_id=user_id, commit=version)
    build.user = session.get_one(User, user_id)
    session.add(build)
    session.flush()
    return build


@dataclass
class World:
    """`ada` owns what there is; `client` speaks as her."""

    runner: asyncio.Runner
    database: Database
    logs: logs.Logs
    engine: FakeEngine
    store: slugs.Store
    fleet: dynos.Fleet
    deployer: Deployer
    core: api.Core
    ada: User
    token: accounts.IssuedToken
    http: httpx.AsyncClient

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        """As Ada, unless `headers` or `auth` say otherwise. Fails when the schema has something against the answer."""
        response = self.runner.run(self.http.request(method, path, **arguments))
        hold_against_schema(response)
        return response

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("GET", path, **arguments)

    def post(self, path: str, body: object = None, **arguments: Any) -> httpx.Response:
        return self.request("POST", path, json=body, **arguments)

    def patch(self, path: str, body: object, **arguments: Any) -> httpx.Response:
        return self.request("PATCH", path, json=body, **arguments)

    def put(self, path: str, body: object, **arguments: Any) -> httpx.Response:
        return self.request("PUT", path, json=body, **arguments)

    def delete(self, path: str, **arguments: Any) -> httpx.Response:
        return self.request("DELETE", path, **arguments)

    def create_app(self, name: str = "shop") -> App:
        assert self.post("/apps", {"name": name}).status_code == 201
        with self.database.session() as session:
            return apps.find(session, name)

    def release(self, app: App, *, code: str = "one", **process_types: str) -> Release:
        """A release of a slug with these process types (a web, if none are given)."""
        for layer in (code, "deps"):
            self.store.keep(layer, self.store.draft(layer))
        with self.database.session() as session:
            slug = slugs.record(
                session, app, code=code, layers=["deps"], profile={}, commit="c0ffee" + code, buildpack="Python",
                process_types=process_types or {"web": "gunicorn app:app"}, size=1234,
            )  # fmt: skip
            release = releases.create(
                session, apps.find(session, app.name), by=self.ada, description=f"Deploy {code}", slug=slug
            )
            dynos.align_formation(session, app, slug)
            return release

    def until(self, is_so: Callable[[], bool], seconds: float = 10) -> None:
        """Let the loops run until it is so."""

        async def wait() -> None:
            async with asyncio.timeout(seconds):
                while not is_so():  # noqa: ASYNC110 - what it waits for has no event
                    await asyncio.sleep(0.01)

        self.runner.run(wait())

    def dynos_up(self, app: App) -> dict[str, str]:
        """Names and ids."""
        with self.database.session() as session:
            return {dyno.name: dyno.id for dyno in dynos.running(session, app) if dyno.state == "up"}

    def log(self, app: App) -> list[str]:
        """What the app's log has from the API."""
        return [line.text for line in self.logs.recent(app.id) if line.dyno == "api"]


def hold_against_schema(response: httpx.Response) -> None:
    path = response.request.url.raw_path.decode().partition("?")[0]
    match = TABLE.find(response.request.method, path)
    if response.request.method == "HEAD":
        assert response.content == b""
    elif response.status_code >= 400:
        body = response.json()
        assert body["id"], body
        assert body["message"], body
        assert set(body) <= {"id", "message", "resource", "url"}
    elif isinstance(match, Match) and not match.route.streams and response.content:
        wrong = platform_schema.complaints(match.route.method, match.route.path, response.json())
        assert wrong == [], f"{match.route.method} {match.route.path}: {wrong}"


@contextlib.contextmanager
def opened(
    database: Database, folder: Path, more: Callable[[Database], Mapping[str, Any]] = lambda _: {}
) -> Iterator[World]:
    """`more` are parts of the `api.Core` that a world has only if it is given them."""
    with asyncio.Runner() as runner:
        world = runner.run(_make(runner, database, folder, more))
        loop = runner.get_loop().create_task(world.fleet.run())
        try:
            yield world
        finally:
            runner.run(_end(world, loop))


async def _make(
    runner: asyncio.Runner, database: Database, folder: Path, more: Callable[[Database], Mapping[str, Any]]
) -> World:
    journal = logs.Logs(folder / "logs")
    outputs = dynos.Outputs(journal)
    engine = FakeEngine(sink=outputs)
    store = slugs.Store(folder / "slugs")
    fleet = dynos.Fleet(
        database, engine, store, outputs,
        routes_changed=_nothing, hostname=URLS.app_host, until_ready=_at_once, on_end=scheduler.ended,
    )  # fmt: skip
    database.on_touch = fleet.wake
    with database.session() as session:
        ada = accounts.create_user(session, "ada@example.com", name="Ada")
        token = accounts.issue_token(session, ada, description="First token")
    deployer = Deployer(database)
    core = api.Core(
        database=database, fleet=fleet, logs=journal, log_sessions=logs.Sessions(b"k" * 32), urls=URLS,
        version="1.2.3", deploys=deployer, uploads=folder / "uploads",
        scheduler=scheduler.Scheduler(database, journal), **more(database),
    )  # fmt: skip
    http = httpx.AsyncClient(
        transport=httpx.ASGITransport(api.application(core)),
        base_url=URLS.api,
        headers={
            "Accept": "application/vnd.heroku+json; version=3",
            "Authorization": f"Bearer {token.secret}",
        },
    )
    return World(runner, database, journal, engine, store, fleet, deployer, core, ada, token, http)


async def _end(world: World, loop: asyncio.Task[None]) -> None:
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    await world.http.aclose()
    world.logs.close()


async def _nothing() -> None:
    """There is no router."""


async def _at_once(_address: Address, _within: float, _health: Health | None) -> Verdict:
    return Verdict(Gate.READY)
