"""Add-ons and attachments as the official CLI, its pg commands and Terraform ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homeport import accounts
from homeport.addons import Addons
from homeport.addons.fake import FakeProvider
from homeport.state import Database
from tests.contract.api import api_world
from tests.contract.api.api_world import World

POSTGRES = "heroku-postgresql"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    def addons(database: Database) -> dict[str, Any]:
        return {"addons": Addons(database, [FakeProvider(POSTGRES), FakeProvider("scheduler")])}

    with api_world.opened(database, tmp_path, addons) as world:
        world.create_app("shop")
        yield world


def create(world: World, app: str = "shop", plan: str = f"{POSTGRES}:essential-0", **body: object) -> dict[str, Any]:
    wish = {"plan": {"name": plan}, "attachment": {}, "config": {}, **body}
    response = world.post(f"/apps/{app}/addons", wish)
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def expanded(world: World, method: str, path: str, body: object = None) -> Any:
    """With the headers that the official CLI sends; the schema knows the short shapes only."""
    headers = {"Accept-Expansion": "addon_service,plan", "Accept-Inclusion": "addon:plan,config_vars"}
    response = world.runner.run(world.http.request(method, path, json=body, headers=headers))
    assert response.status_code < 300, response.text
    return response.json()


def refused(world: World, method: str, path: str, body: object = None) -> tuple[int, str]:
    response = world.request(method, path, json=body)
    assert response.status_code >= 400, response.text
    return response.status_code, response.json()["id"]


def test_what_can_be_had(world: World) -> None:
    services = world.get("/addon-services").json()
    assert [service["name"] for service in services] == [POSTGRES, "scheduler"]
    assert world.get(f"/addon-services/{services[0]['id']}").json() == services[0]
    plans = world.get(f"/addon-services/{POSTGRES}/plans").json()
    by_default = next(plan for plan in plans if plan["default"])
    assert by_default["name"] == f"{POSTGRES}:essential-0"
    assert by_default["price"] == {"cents": 0, "contract": False, "unit": "month"}
    assert f"{POSTGRES}:hobby-dev" not in [plan["name"] for plan in plans]
    assert world.get(f"/plans/{by_default['id']}").json() == by_default
    assert world.get(f"/addon-services/{POSTGRES}/plans/essential-0").json() == by_default
    assert refused(world, "GET", "/addon-services/heroku-redis") == (404, "not_found")
    missing = world.get(f"/addon-services/{POSTGRES}/plans/gigantic")
    assert missing.status_code == 404
    assert f"heroku addons:plans {POSTGRES}" in missing.json()["message"]


def test_created_as_the_cli_asks(world: World) -> None:
    made = create(world, name="main-db")
    assert made["state"] == "provisioned"
    assert made["config_vars"] == ["DATABASE_URL"]
    whole = expanded(world, "GET", "/apps/shop/addons")[0]
    assert whole["plan"]["price"]["cents"] == 0
    assert whole["addon_service"]["human_name"] == "Heroku Postgres"
    assert made["addon_service"]["name"] == POSTGRES
    assert made["billing_entity"]["name"] == made["app"]["name"] == "shop"
    assert made["provision_message"]
    assert world.get("/apps/shop/config-vars").json()["DATABASE_URL"].endswith(made["id"])
    with world.database.session() as session:
        from homeport import apps

        log = world.log(apps.find(session, "shop"))
    assert log[-2:] == [
        "Attach DATABASE (@ref:main-db) by user ada@example.com",
        "Release v2 created by user ada@example.com",
    ]
    for path in ("/addons/main-db", f"/addons/{made['id']}", "/apps/shop/addons/main-db"):
        assert world.get(path).json()["id"] == made["id"]
    assert [found["name"] for found in world.get("/apps/shop/addons").json()] == ["main-db"]
    assert [found["name"] for found in world.get("/addons").json()] == ["main-db"]
    assert world.get("/users/~/addons").json() == world.get("/addons").json()


def test_a_plan_may_be_a_string_an_object_or_an_id(world: World) -> None:
    plan_id = world.get(f"/addon-services/{POSTGRES}/plans/essential-1").json()["id"]
    for plan in (POSTGRES, {"name": f"{POSTGRES}:mini"}, {"id": plan_id}, plan_id):
        response = world.post("/apps/shop/addons", {"plan": plan})
        assert response.status_code == 201, response.text
    names = [addon["plan"]["name"].partition(":")[2] for addon in world.get("/apps/shop/addons").json()]
    assert sorted(names) == ["essential-0", "essential-1", "essential-1", "mini"]


def test_what_cannot_be_had_is_said(world: World) -> None:
    for plan in ("heroku-postgresql:gigantic", "heroku-kafka", "heroku-redis:mini"):
        status, _ = refused(world, "POST", "/apps/shop/addons", {"plan": plan})
        assert status in (404, 422)
    assert refused(world, "POST", "/apps/shop/addons", {}) == (422, "invalid_params")
    wrong = {"plan": POSTGRES, "config": {"colour": "red"}}
    assert refused(world, "POST", "/apps/shop/addons", wrong) == (422, "invalid_params")
    nested = {"plan": POSTGRES, "config": {"version": {"a": 1}}}
    assert refused(world, "POST", "/apps/shop/addons", nested) == (422, "invalid_params")
    assert world.get("/addons").json() == []


def test_overwriting_asks_first(world: World) -> None:
    assert world.patch("/apps/shop/config-vars", {"DATABASE_URL": "postgres://mine"}).status_code == 200
    wish = {"plan": POSTGRES, "attachment": {"name": "DATABASE"}}
    assert refused(world, "POST", "/apps/shop/addons", wish) == (423, "confirmation_required")
    create(world, attachment={"name": "DATABASE"}, confirm="shop")
    assert refused(world, "PATCH", "/apps/shop/config-vars", {"DATABASE_URL": "x"}) == (422, "invalid_params")


def test_resolving_as_every_pg_command_begins(world: World) -> None:
    made = create(world)
    asked = {"addon_attachment": "DATABASE_URL", "app": "shop"}
    (found,) = expanded(world, "POST", "/actions/addon-attachments/resolve", asked)
    assert found["addon"]["plan"]["name"] == f"{POSTGRES}:essential-0"
    assert found["addon"]["id"] == made["id"]
    assert found["config_vars"] == ["DATABASE_URL"]
    assert found["namespace"] is None
    (addon,) = world.post("/actions/addons/resolve", {"addon": "DATABASE", "app": "shop"}).json()
    assert addon["id"] == made["id"]
    missing = world.post("/actions/addons/resolve", {"addon": "nothing", "app": "shop"})
    assert (missing.status_code, missing.json()["resource"]) == (404, "add_on")
    (anywhere,) = world.post("/actions/addons/resolve", {"addon": made["name"], "app": None}).json()
    assert anywhere["id"] == made["id"]
    of_service = {"addon_attachment": "DATABASE", "app": "shop", "addon_service": "heroku-redis"}
    assert world.post("/actions/addon-attachments/resolve", of_service).status_code == 404


def test_attached_and_detached(world: World) -> None:
    world.create_app("jobs")
    made = create(world, name="main-db")
    wish = {"addon": {"name": "main-db"}, "app": {"name": "jobs"}, "name": "PRIMARY", "confirm": None}
    attached = world.post("/addon-attachments", wish)
    assert attached.status_code == 201
    assert attached.json()["name"] == "PRIMARY"
    assert world.get("/apps/jobs/config-vars").json().keys() == {"PRIMARY_URL"}
    assert world.post("/addon-attachments", wish).json()["id"] == attached.json()["id"]  # the CLI tries again
    assert {found["app"]["name"] for found in world.get("/addons/main-db/addon-attachments").json()} == {"shop", "jobs"}
    assert len(world.get("/addon-attachments").json()) == 2
    by_name = world.get("/apps/jobs/addon-attachments/PRIMARY").json()
    assert by_name == world.get(f"/addon-attachments/{attached.json()['id']}").json()
    assert [found["name"] for found in world.get("/apps/jobs/addons").json()] == ["main-db"]
    assert world.get("/addons/jobs%3A%3Aprimary").json()["name"] == "main-db"  # `addons:attach jobs::PRIMARY`
    again = world.post("/addon-attachments", {"addon": "jobs::PRIMARY", "app": "jobs", "name": "SECOND"})
    assert again.json()["addon"]["name"] == "main-db"
    assert world.delete(f"/addon-attachments/{again.json()['id']}").status_code == 200
    assert refused(world, "GET", "/addons/shop%3A%3APRIMARY") == (404, "not_found")

    assert refused(world, "DELETE", f"/apps/shop/addons/{made['id']}", {"force": False}) == (409, "addon_in_use")
    assert world.delete(f"/addon-attachments/{attached.json()['id']}").json()["name"] == "PRIMARY"
    assert world.get("/apps/jobs/config-vars").json() == {}


def test_an_app_whose_addon_others_use_is_not_destroyed_unawares(world: World) -> None:
    world.create_app("jobs")
    made = create(world, name="main-db")
    own = create(world, "jobs", name="jobs-db")
    attached = world.post("/addon-attachments", {"addon": "main-db", "app": "jobs", "name": "PRIMARY"}).json()
    refusal = world.delete("/apps/shop")
    assert (refusal.status_code, refusal.json()["id"]) == (422, "addon_in_use")
    said = refusal.json()["message"]
    assert "main-db is attached to jobs as PRIMARY too" in said
    assert "\n  heroku addons:detach PRIMARY -a jobs\n" in said
    assert "\n  heroku addons:destroy main-db -a shop --force\n" in said
    assert "jobs-db" not in said
    assert world.get("/apps/jobs/config-vars").json()["PRIMARY_URL"]

    assert world.delete(f"/addon-attachments/{attached['id']}").status_code == 200
    assert world.delete("/apps/shop").status_code == 200
    assert refused(world, "GET", f"/addons/{made['id']}") == (404, "not_found")
    assert world.get(f"/addons/{own['id']}").status_code == 200

    world.create_app("blog")
    world.post("/addon-attachments", {"addon": "jobs-db", "app": "blog"})
    assert world.delete("/apps/blog").status_code == 200, "an app that only uses another's add-on takes nothing along"
    assert world.get(f"/addons/{own['id']}").json()["state"] == "provisioned"
    world.create_app("news")
    world.post("/addon-attachments", {"addon": "jobs-db", "app": "news"})
    world.request("DELETE", f"/apps/jobs/addons/{own['id']}", json={"force": True})
    assert world.delete("/apps/jobs").status_code == 200


def test_upgraded_renamed_and_destroyed(world: World) -> None:
    made = create(world)
    path = f"/apps/shop/addons/{made['name']}"
    upgraded = world.patch(path, {"plan": {"name": f"{POSTGRES}:standard-0"}}).json()
    assert upgraded["plan"]["name"] == f"{POSTGRES}:standard-0"
    assert upgraded["provision_message"] == ""
    assert world.get("/apps/shop/releases").json()[-1]["addon_plan_names"] == [f"{POSTGRES}:standard-0"]
    assert world.patch(path, {"plan": "premium-0"}).json()["plan"]["name"] == f"{POSTGRES}:premium-0"
    assert world.patch(path, {"name": "main-db"}).json()["name"] == "main-db"

    gone = world.request("DELETE", f"/apps/shop/addons/{made['id']}", json={"force": False})
    assert gone.json()["state"] == "deprovisioned"
    assert gone.json()["name"] == "main-db"
    assert refused(world, "GET", "/addons/main-db") == (404, "not_found")
    assert world.get("/apps/shop/config-vars").json() == {}


def test_what_is_somebody_elses_is_not_there(world: World) -> None:
    made = create(world)
    with world.database.session() as session:
        bob = accounts.create_user(session, "bob@example.com")
        token = accounts.issue_token(session, bob)
    as_bob = {"Authorization": f"Bearer {token.secret}"}
    attachment = world.get("/addon-attachments").json()[0]
    assert world.post("/apps", {"name": "bobs"}, headers=as_bob).status_code == 201
    for method, path, body in (
        ("GET", f"/addons/{made['id']}", None),
        ("GET", f"/addons/{made['id']}/addon-attachments", None),
        ("GET", f"/addon-attachments/{attachment['id']}", None),
        ("DELETE", f"/addon-attachments/{attachment['id']}", None),
        ("PATCH", f"/apps/bobs/addons/{made['id']}", {"name": "mine"}),
        ("DELETE", f"/apps/bobs/addons/{made['id']}", None),
        ("POST", "/actions/addons/resolve", {"addon": made["name"]}),
        ("POST", "/actions/addon-attachments/resolve", {"addon_attachment": made["name"]}),
        ("POST", "/addon-attachments", {"addon": made["name"], "app": "bobs"}),
    ):
        response = world.request(method, path, json=body, headers=as_bob)
        assert response.status_code == 404, (method, path, response.text)
    assert world.get("/addons", headers=as_bob).json() == []


def test_a_read_token_sees_no_secrets_and_changes_nothing(world: World) -> None:
    made = create(world)
    with world.database.session() as session:
        token = accounts.issue_token(session, world.ada, scope=("read",))
    reading = {"Authorization": f"Bearer {token.secret}"}
    assert world.get("/addons", headers=reading).status_code == 200
    assert "secret" not in world.get(f"/addons/{made['id']}", headers=reading).text
    for method, path, body in (
        ("POST", "/apps/shop/addons", {"plan": POSTGRES}),
        ("PATCH", f"/apps/shop/addons/{made['id']}", {"name": "mine"}),
        ("DELETE", f"/apps/shop/addons/{made['id']}", None),
        ("POST", "/addon-attachments", {"addon": made["name"], "app": "shop", "name": "X"}),
    ):
        assert world.request(method, path, json=body, headers=reading).status_code == 403, path


def test_an_apps_end_takes_its_addons_along(world: World) -> None:
    made = create(world)
    assert world.delete("/apps/shop").status_code == 200
    assert world.get("/addons").json() == []
    assert refused(world, "GET", f"/addons/{made['id']}") == (404, "not_found")


def test_without_addons_lists_are_empty_and_creating_says_so(database: Database, tmp_path: Path) -> None:
    with api_world.opened(database, tmp_path) as bare:
        bare.create_app("shop")
        assert bare.get("/apps/shop/addons").json() == bare.get("/addon-attachments").json() == []
        assert refused(bare, "POST", "/apps/shop/addons", {"plan": POSTGRES}) == (422, "not_here_yet")
