"""The Data API's side of key-value stores, on real ones: the fields and types that the official CLI's redis commands
read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from homeport import accounts, router
from homeport.addons import Addons, Redis, Servers, Site
from homeport.addons.fake import FakeProvider
from homeport.home import Home
from homeport.state import Database
from tests.contract.api import api_world
from tests.contract.api.api_world import World

pytestmark = pytest.mark.slow


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    home = Home(tmp_path / "home")
    home.prepare()
    authority = router.Authority(home.tls)
    provider = Redis(
        Site(home, Servers(home.run / "servers", home.logs), certificate=lambda host: authority.leaf(host).read_bytes())
    )

    def addons(database: Database) -> dict[str, Any]:
        return {"addons": Addons(database, [provider, FakeProvider("heroku-postgresql")])}

    with api_world.opened(database, tmp_path, addons) as world:
        world.create_app("shop")
        yield world
    asyncio.run(provider.stop())


def create(world: World, plan: str = "heroku-redis:mini", **config: object) -> str:
    response = world.post("/apps/shop/addons", {"plan": plan, "name": "store", "config": config})
    assert response.status_code == 201, response.text
    assert response.json()["state"] == "provisioned"
    return "/redis/v0/databases/store"


def test_a_store(world: World) -> None:
    store = create(world)
    facts = world.get(store).json()
    assert {
        "addon_id": str,
        "name": str,
        "plan": str,
        "created_at": str,
        "metaas_source": str,
        "port": int,
    }.items() <= {name: type(value) for name, value in facts.items()}.items()
    assert set(facts["formation"]) == {"id", "primary"}
    assert all(isinstance(row["name"], str) and isinstance(row["values"], list) for row in facts["info"])
    assert facts["resource_url"] == world.get("/apps/shop/config-vars").json()["REDIS_URL"]
    assert urlsplit(facts["resource_url"]).port == facts["port"]
    assert facts["prefer_native_tls"] is False
    by_id = world.get(f"/redis/v0/databases/{facts['addon_id']}").json()
    assert by_id["resource_url"] == facts["resource_url"]


def test_a_store_with_tls_only(world: World) -> None:
    facts = world.get(create(world, "heroku-redis:premium-0")).json()
    assert facts["prefer_native_tls"] is True
    assert facts["resource_url"].startswith("rediss://")
    assert not facts["plan"].startswith("hobby"), "the CLI talks to these in clear"


def test_settings(world: World) -> None:
    store = create(world)
    before = world.get(f"{store}/config").json()
    assert (before["maxmemory_policy"]["value"], before["timeout"]["value"]) == ("noeviction", 300)
    assert len(before["maxmemory_policy"]["values"]) == 8
    after = world.patch(f"{store}/config", {"timeout": 60}).json()
    assert (after["maxmemory_policy"]["value"], after["timeout"]["value"]) == ("noeviction", 60)
    world.patch(f"{store}/config", {"maxmemory_policy": "allkeys-lru", "notify_keyspace_events": "AKE"})
    world.patch(f"{store}/config", {"notify_keyspace_events": ""})
    now = world.get(f"{store}/config").json()
    assert [now[name]["value"] for name in ("maxmemory_policy", "timeout", "notify_keyspace_events")] == [
        "allkeys-lru", 60, "",
    ]  # fmt: skip
    assert [release["version"] for release in world.get("/apps/shop/releases").json()] == [1, 2], "no release for that"


@pytest.mark.parametrize(
    "body",
    [
        {"maxmemory_policy": "sometimes"},
        {"timeout": -1},
        {"timeout": "soon"},
        {"notify_keyspace_events": "q"},
        {"maxmemory_policy": 3},
    ],
)
def test_nonsense_is_refused_and_changes_nothing(world: World, body: dict[str, object]) -> None:
    store = create(world)
    before = world.get(f"{store}/config").json()
    assert world.patch(f"{store}/config", body).status_code == 422
    assert world.get(f"{store}/config").json() == before


def test_settings_at_creation(world: World) -> None:
    store = create(world, timeout=60, maxmemory_policy="volatile-ttl")
    now = world.get(f"{store}/config").json()
    assert (now["timeout"]["value"], now["maxmemory_policy"]["value"]) == (60, "volatile-ttl")


@pytest.mark.parametrize(
    "config", [{"timeout": "soon"}, {"version": "1.0"}, {"fork": "OTHER"}, {"maxmemory_policy": "sometimes"}]
)
def test_what_cannot_be_had_is_refused_and_leaves_nothing(world: World, config: dict[str, object]) -> None:
    wish = {"plan": "heroku-redis:mini", "config": config}
    assert world.post("/apps/shop/addons", wish).status_code == 422
    assert world.get("/apps/shop/addons").json() == []


def test_the_version_that_is_installed_may_be_asked_for(world: World) -> None:
    version = world.get(create(world)).json()["version"]
    wish = {"plan": "heroku-redis:mini", "config": {"version": version.rpartition(".")[0]}}
    assert world.post("/apps/shop/addons", wish).status_code == 201


def test_another_password_is_a_release(world: World) -> None:
    store = create(world)
    before = world.get(store).json()["resource_url"]
    assert world.post(f"{store}/credentials_rotation").status_code == 200
    after = world.get(store).json()["resource_url"]
    assert after != before
    assert world.get("/apps/shop/config-vars").json()["REDIS_URL"] == after
    assert world.get("/apps/shop/releases").json()[-1]["description"] == "Update REDIS by heroku-redis"


def test_waiting_resetting_and_the_rest(world: World) -> None:
    store = create(world)
    assert world.get(f"{store}/wait").json() == {"message": "available", "waiting?": False}
    version = world.get(store).json()["version"]
    for method, path, body in (
        ("POST", "stats/reset", {}),
        ("POST", "upgrade", {"version": version}),
        ("GET", "maintenance", None),
    ):
        assert isinstance(world.request(method, f"{store}/{path}", json=body).json()["message"], str)
    assert world.post(f"{store}/upgrade", {"version": "99"}).status_code == 422


def test_what_is_no_store_is_not_found(world: World) -> None:
    world.post("/apps/shop/addons", {"plan": "heroku-postgresql:essential-0", "name": "database"})
    for name in ("database", "nothing"):
        assert world.get(f"/redis/v0/databases/{name}").status_code == 404


def test_a_stranger_sees_nothing_of_it(world: World) -> None:
    store = create(world)
    with world.database.session() as session:
        mallory = accounts.create_user(session, "mallory@example.com")
        secret = accounts.issue_token(session, mallory).secret
    headers = {"Authorization": f"Bearer {secret}"}
    for method, path in (("GET", ""), ("GET", "/config"), ("PATCH", "/config"), ("POST", "/credentials_rotation")):
        body = {"timeout": 1} if method == "PATCH" else None
        assert world.request(method, store + path, json=body, headers=headers).status_code in (403, 404)
