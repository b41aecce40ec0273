"""A real PostgreSQL server with add-ons of real apps, driven through the API as the official command line does it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from homeport import api, apps, releases
from homeport.addons import Addons, Postgres, Resource, Snapshots, Transfers, Upgrades
from homeport.state import Addon, App, Database
from tests.contract.addon_worlds import PostgresWorld
from tests.contract.api import api_world
from tests.contract.api.api_world import World

Rows = list[tuple[Any, ...]]


@dataclass
class Ground:
    """`shop` is an app with a database as DATABASE. `told` are lines for apps' logs; `now` is what Transfers take it
    for."""

    machine: PostgresWorld
    world: World
    postgres: Postgres
    addons: Addons
    transfers: Transfers
    snapshots: Snapshots
    told: list[str]
    clock: list[datetime]
    shop: App
    addon: Addon = field(init=False)

    def run(self, work: Any) -> Any:
        return self.world.runner.run(work)

    def create(self, app: str = "shop", **body: object) -> Addon:
        response = self.world.post(f"/apps/{app}/addons", {"plan": "heroku-postgresql", **body})
        assert response.status_code == 201, response.text
        with self.world.database.session() as session:
            return session.get_one(Addon, response.json()["id"])

    def resource(self, addon: Addon | None = None) -> Resource:
        found: Resource = self.run(self.addons.resource(addon or self.addon))
        return found

    def url(self, addon: Addon | None = None) -> str:
        return Postgres.login(self.resource(addon)).url

    def sql(self, statement: str, *, addon: Addon | None = None, url: str | None = None) -> Rows:
        """As the app would say it."""
        with psycopg.connect(url or self.url(addon), sslmode="require", autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def admin(self, statement: str) -> Rows:
        """As superuser."""

        async def ask() -> Rows:
            place = await self.postgres.place(await self.addons.resource(self.addon))
            async with place.cluster.connect() as connection:
                cursor = await connection.execute(statement.encode())
                return await cursor.fetchall() if cursor.description else []

        found: Rows = self.run(ask())
        return found

    def leftovers(self) -> list[str]:
        """What transfers leave behind in the server, or in their folder, when they are not careful."""
        left = [row[0] for row in self.admin("SELECT datname::text FROM pg_database WHERE datname ~ '^scratch_'")]
        left += [row[0] for row in self.admin("SELECT rolname::text FROM pg_roles WHERE rolname ~ '^guest_'")]
        folder = self.transfers.folder
        return left + [path.name for path in folder.glob("*") if path.suffix != ".dump"]

    def data(self, *parts: str, addon: Addon | None = None) -> str:
        return "/".join(["/client/v11/databases", (addon or self.addon).id, *parts])

    def backup(self, addon: Addon | None = None) -> dict[str, Any]:
        response = self.world.post(self.data("backups", addon=addon))
        assert response.status_code == 201, response.text
        return self.finished(response.json()["uuid"])

    def finished(self, uuid: str) -> dict[str, Any]:
        """The transfer, once it is done."""
        deadline = time.monotonic() + 60
        while True:
            found: dict[str, Any] = self.world.get(f"/client/v11/apps/shop/transfers/{uuid}?verbose=true").json()
            if found["finished_at"]:
                return found
            assert time.monotonic() < deadline, found["logs"]
            self.run(asyncio.sleep(0.02))

    def until(self, is_so: Callable[[], object]) -> None:
        deadline = time.monotonic() + 30
        while not is_so():
            assert time.monotonic() < deadline
            self.run(asyncio.sleep(0.02))

    def history(self) -> list[str]:
        with self.world.database.session() as session:
            return [release.description for release in releases.history(session, apps.find(session, "shop"))][::-1]

    def config(self, app: str = "shop") -> dict[str, str]:
        found: dict[str, str] = self.world.get(f"/apps/{app}/config-vars").json()
        return found


@contextlib.contextmanager
def opened(machine: PostgresWorld, database: Database, folder: Path) -> Iterator[Ground]:
    """As one daemon on that machine."""
    postgres = Postgres(machine.site)
    told: list[str] = []
    clock = [datetime.now(UTC)]
    made: dict[str, Any] = {}

    def parts(database: Database) -> dict[str, Any]:
        made["addons"] = Addons(database, [postgres])
        made["transfers"] = Transfers(
            machine.home, database, made["addons"], postgres,
            tell=lambda _app_id, text: told.append(text), clock=lambda: clock[0],
        )  # fmt: skip
        upgrades = Upgrades(made["addons"], postgres, made["transfers"], tell=lambda _app_id, text: told.append(text))
        data = api.Data(postgres=postgres, transfers=made["transfers"], upgrades=upgrades)
        return {"addons": made["addons"], "data": data}

    with api_world.opened(database, folder, parts) as world:
        shop = world.create_app("shop")
        snapshots = Snapshots(database, made["addons"], postgres, made["transfers"])
        ground = Ground(
            machine, world, postgres, made["addons"], made["transfers"], snapshots, told, clock, shop
        )  # fmt: skip
        ground.addon = ground.create(name="main-db")
        try:
            yield ground
        finally:
            world.runner.run(ground.transfers.close())
