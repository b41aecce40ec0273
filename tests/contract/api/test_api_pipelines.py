"""Pipelines, couplings and promotions as clients meet them. How a promotion is carried out is tested elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homeport import accounts
from homeport.state import App, Database
from tests.contract.api import api_world
from tests.contract.api.api_world import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    with api_world.opened(database, tmp_path) as world:
        yield world


def pipeline(world: World, name: str = "shop") -> dict[str, Any]:
    """As the CLI creates one."""
    owner = {"id": world.ada.id, "type": "user"}
    made = world.post("/pipelines", {"name": name, "owner": owner, "generation": {"name": "cedar"}})
    assert made.status_code == 201, made.text
    return dict(made.json())


def couple(world: World, pipeline: dict[str, Any], app: App, stage: str) -> dict[str, Any]:
    made = world.post("/pipeline-couplings", {"app": app.name, "pipeline": pipeline["id"], "stage": stage})
    assert made.status_code == 201, made.text
    return dict(made.json())


def as_bob(world: World) -> dict[str, str]:
    with world.database.session() as session:
        bob = accounts.create_user(session, "bob@example.com")
        return {"Authorization": f"Bearer {accounts.issue_token(session, bob).secret}"}


def test_a_pipeline_is_made_found_renamed_and_destroyed(world: World) -> None:
    made = pipeline(world)
    assert made["owner"] == {"id": world.ada.id, "type": "user"}
    assert world.get("/pipelines").json() == [made]
    assert world.get("/pipelines", params={"eq[name]": "shop"}).json() == [made]
    assert world.get("/pipelines", params={"eq[name]": "other"}).json() == []
    assert world.get("/pipelines/shop").json() == world.get(f"/pipelines/{made['id']}").json() == made
    assert world.patch(f"/pipelines/{made['id']}", {"name": "store"}).json()["name"] == "store"
    assert world.delete(f"/pipelines/{made['id']}", json={"name": "store"}).json()["id"] == made["id"]
    assert world.get("/pipelines").json() == []
    assert world.get("/pipelines/store").json()["resource"] == "pipeline"


@pytest.mark.parametrize("name", ["", "ab", "Shop", "1shop", "a" * 31, "shop_1", "shop\n"])
def test_names_are_herokus(world: World, name: str) -> None:
    assert world.post("/pipelines", {"name": name}).status_code == 422


def test_a_name_is_used_once_by_each_person(world: World) -> None:
    pipeline(world)
    again = world.post("/pipelines", {"name": "shop"})
    assert (again.status_code, "there already" in again.json()["message"]) == (422, True)
    assert world.post("/pipelines", {"name": "shop"}, headers=as_bob(world)).status_code == 201


def test_an_app_has_one_place_that_changes(world: World) -> None:
    shop, app = pipeline(world), world.create_app("shop-staging")
    assert world.get("/apps/shop-staging/pipeline-couplings").json()["resource"] == "pipeline_coupling"
    made = couple(world, shop, app, "staging")
    assert (made["app"]["id"], made["pipeline"]["name"], made["stage"]) == (app.id, "shop", "staging")
    assert world.get("/apps/shop-staging/pipeline-couplings").json() == made
    for path in (f"/pipelines/{shop['id']}/pipeline-couplings", "/pipeline-couplings", "/users/~/pipeline-couplings"):
        assert world.get(path).json() == [made]
    path = f"/pipeline-couplings/{made['id']}"
    assert world.patch(path, {"stage": "production"}).json()["stage"] == "production"
    assert world.patch(path, {"stage": "moon"}).status_code == 422
    again = world.post("/pipeline-couplings", {"app": app.id, "pipeline": shop["id"], "stage": "staging"})
    assert (again.status_code, "in the pipeline shop already" in again.json()["message"]) == (422, True)
    assert world.get(f"/pipelines/{shop['id']}/pipeline-stack").json()["stack"]["name"] == "heroku-24"
    assert world.delete(path).json()["id"] == made["id"]
    assert world.get(path).status_code == 404
    assert world.get(f"/pipelines/{shop['id']}/pipeline-stack").json() == {"stack": None}


def test_what_goes_with_what(world: World) -> None:
    """A pipeline goes without its apps, an app takes its place with it."""
    shop, app, other = pipeline(world), world.create_app("shop"), world.create_app("other")
    couple(world, shop, app, "staging")
    couple(world, shop, other, "production")
    world.delete("/apps/shop")
    assert [found["app"]["id"] for found in world.get("/pipeline-couplings").json()] == [other.id]
    world.delete(f"/pipelines/{shop['id']}")
    assert world.get("/pipeline-couplings").json() == []
    assert world.get("/apps/other").status_code == 200


def promotion(world: World, source: App, *to: App, **more: object) -> Any:
    found = world.get(f"/apps/{source.name}/pipeline-couplings").json()
    body = {
        "pipeline": {"id": found["pipeline"]["id"]},
        "source": {"app": {"id": source.id}, **more},
        "targets": [{"app": {"id": app.id}} for app in to],
    }
    return world.post("/pipeline-promotions", body)


def staged(world: World) -> tuple[App, App]:
    """A pipeline with an app that has something to promote, and one that has nothing."""
    shop, staging, production = pipeline(world), world.create_app("shop-staging"), world.create_app("shop")
    couple(world, shop, staging, "staging")
    couple(world, shop, production, "production")
    world.release(staging)
    return staging, production


def test_a_promotion_is_written_down(world: World) -> None:
    staging, production = staged(world)
    made = promotion(world, staging, production)
    assert (made.status_code, made.json()["status"]) == (201, "pending")
    assert world.get(f"/pipeline-promotions/{made.json()['id']}").json() == made.json()
    targets = world.get(f"/pipeline-promotions/{made.json()['id']}/promotion-targets").json()
    assert [(found["app"]["id"], found["status"], found["release"]) for found in targets] == [
        (production.id, "pending", None)
    ]


def test_what_cannot_be_promoted(world: World) -> None:
    staging, production = staged(world)
    stranger = world.create_app("stranger")
    assert promotion(world, staging).status_code == 422
    assert "to itself" in promotion(world, staging, staging).json()["message"]
    assert "not in the pipeline" in promotion(world, staging, stranger).json()["message"]
    assert promotion(world, production, staging).json()["id"] == "nothing_to_promote"
    assert promotion(world, staging, production, release={"id": "nope"}).json()["resource"] == "release"
    assert promotion(world, staging, *[production] * 51).status_code == 422


def test_a_given_release_is_promoted(world: World) -> None:
    staging, production = staged(world)
    first = world.get("/apps/shop-staging/releases/2").json()["id"]
    world.release(staging, code="two")
    made = promotion(world, staging, production, release={"id": first}).json()
    assert made["source"]["release"]["id"] == first


def test_others_see_and_do_nothing(world: World) -> None:
    staging, production = staged(world)
    bob = as_bob(world)
    made = promotion(world, staging, production).json()
    shop = made["pipeline"]["id"]
    coupling = world.get("/apps/shop/pipeline-couplings").json()["id"]
    assert world.get("/pipelines", headers=bob).json() == []
    for method, path, body in (
        ("GET", f"/pipelines/{shop}", None),
        ("PATCH", f"/pipelines/{shop}", {"name": "mine"}),
        ("DELETE", f"/pipelines/{shop}", None),
        ("GET", f"/pipelines/{shop}/pipeline-couplings", None),
        ("GET", f"/pipelines/{shop}/latest-releases", None),
        ("GET", f"/pipeline-couplings/{coupling}", None),
        ("DELETE", f"/pipeline-couplings/{coupling}", None),
        ("POST", "/pipeline-couplings", {"app": "shop", "pipeline": shop, "stage": "staging"}),
        ("GET", f"/pipeline-promotions/{made['id']}", None),
        ("GET", f"/pipeline-promotions/{made['id']}/promotion-targets", None),
        ("POST", "/pipeline-promotions", {"pipeline": {"id": shop}, "source": {"app": "shop"}, "targets": []}),
    ):
        assert world.request(method, path, json=body, headers=bob).status_code == 404, (method, path)


def test_a_narrow_token_promotes_nothing(world: World) -> None:
    staging, production = staged(world)
    with world.database.session() as session:
        secret = accounts.issue_token(session, world.ada, scope=("write",)).secret
    body = {"pipeline": "shop", "source": {"app": staging.id}, "targets": [{"app": production.id}]}
    assert world.post("/pipeline-promotions", body, headers={"Authorization": f"Bearer {secret}"}).status_code == 403


def test_the_latest_of_each_app(world: World) -> None:
    staged(world)
    releases = world.get("/pipelines/shop/latest-releases").json()
    assert sorted((found["app"]["name"], found["version"]) for found in releases) == [("shop", 1), ("shop-staging", 2)]
    deployed = world.get("/pipelines/shop/latest-deployments").json()
    assert [(found["app"]["name"], found["version"]) for found in deployed] == [("shop-staging", 2)]
    assert world.get("/pipelines/shop/latest-builds").json() == []


def test_what_isnt_here(world: World) -> None:
    shop = pipeline(world)
    body = {"pipeline": {"id": shop["id"]}, "new_owner": {"id": world.ada.id, "type": "user"}}
    assert world.post("/pipeline-transfers", body).json()["id"] == "not_here_yet"
    team = {"name": "other", "owner": {"id": world.ada.id, "type": "team"}}
    assert "no teams" in world.post("/pipelines", team).json()["message"]


def test_a_slug_may_be_released_on_another_app_of_ones_own(world: World) -> None:
    """https://devcenter.heroku.com/articles/platform-api-copying-slugs"""
    shop, other = world.create_app("shop"), world.create_app("other")
    slug = world.release(shop).slug_id
    assert world.get(f"/apps/other/slugs/{slug}").status_code == 404
    made = world.post("/apps/other/releases", {"slug": slug, "description": "Copy"})
    assert (made.status_code, made.json()["slug"]["id"]) == (201, slug)
    assert world.get(f"/apps/other/slugs/{slug}").json()["id"] == slug
    bob = as_bob(world)
    world.request("POST", "/apps", json={"name": "bobs"}, headers=bob)
    assert world.post("/apps/bobs/releases", {"slug": slug}, headers=bob).json()["resource"] == "slug"
    world.delete("/apps/shop")
    assert world.get(f"/apps/{other.name}/slugs/{slug}").json()["id"] == slug, "it outlives the app it was built for"
