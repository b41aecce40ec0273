"""The Data API's side of buckets, on a bucket server that really runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homeport import accounts, addons, config
from homeport.addons import Addons, Buckets, Foreign, Servers, Site
from homeport.addons.buckets.s3.store import Store
from homeport.addons.fake import FakeProvider
from homeport.api.data.buckets import size
from homeport.home import Home
from homeport.state import Database
from tests.contract.api import api_world
from tests.contract.api.api_world import World

pytestmark = pytest.mark.slow

MB = 1024**2


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    home = Home(tmp_path / "home")
    home.prepare()
    provider = Buckets(Site(home, Servers(home.run / "servers", home.logs), url=lambda: "https://localhost:8443"))

    def parts(database: Database) -> dict[str, Any]:
        return {"addons": Addons(database, [provider, FakeProvider("heroku-redis")])}

    with api_world.opened(database, tmp_path, parts) as world:
        world.create_app("shop")
        yield world
    asyncio.run(provider.stop())


def create(world: World) -> str:
    made = world.post("/apps/shop/addons", {"plan": "bucketeer", "name": "files"})
    assert made.status_code == 201, made.text
    return "/buckets/v0/buckets/files"


def rows(facts: dict[str, Any]) -> dict[str, str]:
    return {row["name"]: row["values"][0] for row in facts["info"]}


def test_a_bucket_that_is_empty(world: World) -> None:
    facts = world.get(create(world)).json()
    variables = world.get("/apps/shop/config-vars").json()
    assert facts["bucket_name"] == variables["BUCKETEER_BUCKET_NAME"]
    assert facts["endpoint"] == variables["BUCKETEER_AWS_ENDPOINT_URL"] == "https://localhost:8443/s3"
    assert facts["region"] == variables["BUCKETEER_AWS_REGION"]
    assert (facts["objects"], facts["bytes"], facts["uploads"]) == (0, 0, 0)
    assert facts["bytes_limit"] == 5 * 1024 * MB
    assert rows(facts)["Size"] == "0 B of 5 GB (0%)"
    assert facts["public"] == {
        "bytes": 0,
        "objects": 0,
        "prefix": "public/",
        "url": f"https://localhost:8443/s3/{facts['bucket_name']}/public/",
    }
    assert world.get(f"/buckets/v0/buckets/{facts['addon_id']}").json() == facts


def test_the_keys_are_not_told(world: World) -> None:
    said = world.get(create(world)).text
    variables = world.get("/apps/shop/config-vars").json()
    for name in ("BUCKETEER_AWS_ACCESS_KEY_ID", "BUCKETEER_AWS_SECRET_ACCESS_KEY"):
        assert variables[name] not in said


def test_an_upload_that_was_never_completed_is_said(world: World, tmp_path: Path) -> None:
    path = create(world)
    assert "Unfinished" not in rows(world.get(path).json())
    store = Store(tmp_path / "home/addons/bucketeer")
    try:
        store.begin(world.get(path).json()["bucket_name"], "big.bin", {}, "")
    finally:
        store.close()
    facts = world.get(path).json()
    assert facts["uploads"] == 1
    assert rows(facts)["Unfinished"] == "1 multipart upload, counted in the size"


def test_what_is_no_bucket_and_what_is_somebody_elses(world: World) -> None:
    path = create(world)
    world.post("/apps/shop/addons", {"plan": "heroku-redis", "name": "store"})
    for name in ("store", "nothing"):
        assert world.get(f"/buckets/v0/buckets/{name}").status_code == 404
    with world.database.session() as session:
        bob = accounts.create_user(session, "bob@example.com")
        token = accounts.issue_token(session, bob, description="Bob's").secret
    assert world.get(path, headers={"Authorization": f"Bearer {token}"}).status_code == 404


def test_a_bucket_at_another_s3_is_shown_and_not_measured(world: World) -> None:
    path = create(world)
    foreign = Foreign("https://s3.example.com", "their-key", "their-secret", region="eu-1")
    with world.database.session() as session:
        addon = addons.find(session, "files")
        addon.secret = config.vault(session).seal(foreign.remembered("theirs"))
    answer = world.get(path)
    facts = answer.json()
    assert (facts["bucket_name"], facts["endpoint"], facts["region"]) == ("theirs", "https://s3.example.com", "eu-1")
    assert [facts[name] for name in ("objects", "bytes", "bytes_limit", "uploads", "public")] == [None] * 5
    assert rows(facts)["Objects"].startswith("not measured")
    assert "their-secret" not in answer.text


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (1536 * MB, "1.5 GB"), (1024**6, "1048576 TB")],
)
def test_sizes_are_in_the_units_of_the_plans(count: int, shown: str) -> None:
    assert size(count) == shown
