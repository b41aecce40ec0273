"""What the official CLI and the client libraries ask, resource by resource."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from homeport.state import Database
from tests.contract.api import api_world
from tests.contract.api.api_world import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    with api_world.opened(database, tmp_path) as world:
        yield world


# Account


def test_whoami_is_the_person_behind_the_token(world: World) -> None:
    assert world.get("/account").json()["email"] == "ada@example.com"
    assert world.get("/users/~").json() == world.get("/users/ada%40example.com").json() == world.get("/account").json()


def test_one_may_change_ones_name(world: World) -> None:
    assert world.patch("/account", {"name": "Ada Lovelace"}).json()["name"] == "Ada Lovelace"
    assert world.get("/account").json()["name"] == "Ada Lovelace"
    assert world.patch("/account", {"name": None}).json()["name"] is None


# Apps


def test_an_app_is_created_named_and_found_by_name_and_id(world: World) -> None:
    app = world.post("/apps", {"name": "shop", "region": "eu", "stack": "heroku-22"}).json()
    assert app["web_url"] == "https://shop.localhost:8443/"
    assert app["git_url"] == "https://localhost:8443/shop.git"
    assert (app["region"]["name"], app["stack"]["name"], app["generation"]["name"]) == ("eu", "heroku-22", "cedar")
    assert world.get("/apps/shop").json() == world.get(f"/apps/{app['id']}").json() == app
    assert [each["name"] for each in world.get("/apps").json()] == ["shop"]
    assert [each["name"] for each in world.get("/users/~/apps").json()] == ["shop"]


def test_an_app_without_a_name_gets_one(world: World) -> None:
    assert world.post("/apps").json()["name"]
    assert world.post("/apps", {"name": None}).json()["name"]


def test_cedar_is_the_default_stack(world: World) -> None:
    assert world.post("/apps", {"name": "shop", "stack": "cedar"}).json()["stack"]["name"] == "heroku-24"


def test_a_name_that_is_taken_is_refused_as_heroku_does(world: World) -> None:
    world.create_app("shop")
    response = world.post("/apps", {"name": "shop"})
    assert response.status_code == 422
    assert response.json()["id"] == "invalid_params"
    assert response.json()["message"].startswith("Name shop is already taken")


def test_rename_maintenance_and_stack(world: World) -> None:
    app = world.create_app("shop")
    assert world.patch("/apps/shop", {"maintenance": True}).json()["maintenance"] is True
    assert world.patch("/apps/shop", {"build_stack": "heroku-22"}).json()["build_stack"]["name"] == "heroku-22"
    renamed = world.patch("/apps/shop", {"name": "store"}).json()
    assert renamed["web_url"] == "https://store.localhost:8443/"
    assert world.get("/apps/shop").status_code == 404
    assert world.patch("/apps/store", {"maintenance": False}).json()["maintenance"] is False
    assert world.log(app)[2:] == [
        "Enable maintenance mode by user ada@example.com",
        "Set stack to heroku-22 by user ada@example.com",
        "Rename shop to store by user ada@example.com",
        "Disable maintenance mode by user ada@example.com",
    ]


def test_a_destroyed_app_is_gone_with_its_log(world: World) -> None:
    app = world.create_app("shop")
    assert world.delete("/apps/shop").json()["name"] == "shop"
    response = world.get("/apps/shop")
    assert (response.status_code, response.json()["resource"]) == (404, "app")
    assert world.log(app) == []


def test_apps_are_filtered_by_id_and_name(world: World) -> None:
    ids = [world.create_app(name).id for name in ("one", "two", "six")]
    found = world.post("/filters/apps", {"in": {"id": ids[:2]}}, headers={"Range": "id ..; max=1000;"})
    assert sorted(app["name"] for app in found.json()) == ["one", "two"]
    assert [app["name"] for app in world.post("/filters/apps", {"in": {"name": ["six"]}}).json()] == ["six"]


# Config vars


def test_config_vars_are_set_unset_and_released(world: World) -> None:
    app = world.create_app()
    assert world.patch("/apps/shop/config-vars", {"A": "1", "B": "2"}).json() == {"A": "1", "B": "2"}
    assert world.patch("/apps/shop/config-vars", {"A": None}).json() == {"B": "2"}
    assert world.get("/apps/shop/config-vars").json() == {"B": "2"}
    newest = world.get("/apps/shop/releases", headers={"Range": "version ..; order=desc,max=1"})
    assert newest.status_code == 206
    assert [(each["version"], each["description"]) for each in newest.json()] == [(3, "Remove A config vars")]
    assert world.get("/apps/shop/releases/v2/config-vars").json() == {"A": "1", "B": "2"}
    assert world.log(app)[2:] == [
        "Set A, B config vars by user ada@example.com",
        "Release v2 created by user ada@example.com",
        "Remove A config vars by user ada@example.com",
        "Release v3 created by user ada@example.com",
    ]


def test_setting_what_is_set_says_nothing(world: World) -> None:
    app = world.create_app()
    world.patch("/apps/shop/config-vars", {"A": "1"})
    before = world.log(app)
    assert world.patch("/apps/shop/config-vars", {"A": "1"}).json() == {"A": "1"}
    assert world.log(app) == before


@pytest.mark.parametrize("body", [{"A": ["1"]}, {"A": {}}, {"": "1"}, {"A=B": "1"}, {"A": "x\x00"}, {"PORT": "1"}])
def test_what_cannot_be_a_config_var_is_refused(world: World, body: object) -> None:
    world.create_app()
    response = world.patch("/apps/shop/config-vars", body)
    assert (response.status_code, response.json()["id"]) == (422, "invalid_params")
    assert world.get("/apps/shop/config-vars").json() == {}


# Releases and slugs


def test_releases_are_listed_and_shown(world: World) -> None:
    app = world.create_app()
    world.release(app)
    listed = world.get("/apps/shop/releases", headers={"Range": "version ..; max=15, order=desc"}).json()
    assert [(each["version"], each["current"], each["eligible_for_rollback"]) for each in listed] == [
        (2, True, True),
        (1, False, False),
    ]
    assert [each["version"] for each in world.get("/apps/shop/releases").json()] == [1, 2]
    shown = world.get("/apps/shop/releases/2").json()
    assert shown == world.get("/apps/shop/releases/v2").json() == world.get(f"/apps/shop/releases/{shown['id']}").json()
    slug = world.get(f"/apps/shop/slugs/{shown['slug']['id']}").json()
    assert (slug["process_types"], slug["commit"]) == ({"web": "gunicorn app:app"}, "c0ffeeone")


@pytest.mark.parametrize("ref", ["id", "version"])
def test_rollback_brings_back_code_and_config(world: World, ref: str) -> None:
    app = world.create_app()
    good = world.release(app, code="one")
    world.patch("/apps/shop/config-vars", {"A": "1"})
    world.release(app, code="two")
    response = world.post("/apps/shop/releases", {"release": good.id if ref == "id" else "v2"})
    assert response.status_code == 201
    assert (response.json()["version"], response.json()["description"]) == (5, "Rollback to v2")
    assert response.json()["slug"]["id"] == good.slug_id
    assert world.get("/apps/shop/config-vars").json() == {}
    assert world.log(app)[-2:] == [
        "Rollback to v2 by user ada@example.com",
        "Release v5 created by user ada@example.com",
    ]


def test_a_release_without_a_slug_cannot_be_returned_to(world: World) -> None:
    world.create_app()
    response = world.post("/apps/shop/releases", {"release": "v1"})
    assert response.status_code == 422
    assert "It has no slug to run." in response.json()["message"]


def test_a_slug_is_released_once_more(world: World) -> None:
    app = world.create_app()
    slug_id = world.release(app).slug_id
    again = world.post("/apps/shop/releases", {"slug": slug_id, "description": "Retry of v2"}).json()
    assert (again["version"], again["description"], again["slug"]) == (3, "Retry of v2", {"id": slug_id})


@pytest.mark.parametrize("body", [{}, {"oci_image": "x"}, {"release": ["v1"]}, {"slug": 3}])
def test_a_release_needs_something_to_release(world: World, body: object) -> None:
    world.create_app()
    assert world.post("/apps/shop/releases", body).status_code == 422


# Formation and dynos


def test_the_formation_is_scaled_absolutely_relatively_and_by_size(world: World) -> None:
    app = world.create_app()
    world.release(app, web="serve", worker="work")
    listed = {each["type"]: each for each in world.get("/apps/shop/formation").json()}
    assert [(each["type"], each["quantity"], each["command"]) for each in listed.values()] == [
        ("web", 1, "serve"),
        ("worker", 0, "work"),
    ]
    updates = [{"type": "web", "quantity": "2"}, {"type": "worker", "quantity": "+1", "size": "standard-2x"}]
    changed = world.patch("/apps/shop/formation", {"updates": updates}).json()
    assert [(each["type"], each["quantity"], each["size"]) for each in changed] == [
        ("web", 2, "Basic"),
        ("worker", 1, "Standard-2X"),
    ]
    one = world.patch("/apps/shop/formation/web", {"quantity": 1, "dyno_size": {"name": "standard-1x"}}).json()
    assert (one["quantity"], one["size"]) == (1, "Standard-1X")
    assert world.get(f"/apps/shop/formation/{one['id']}").json() == one
    by_id = {"updates": [{"type": one["id"], "quantity": "-1"}]}
    assert world.patch("/apps/shop/formation", by_id).json()[0]["quantity"] == 0
    assert [text for text in world.log(app) if "Scaled" in text] == [
        "Scaled to web@2:Basic worker@1:Standard-2X by user ada@example.com",
        "Scaled to web@1:Standard-1X by user ada@example.com",
        "Scaled to web@0:Standard-1X by user ada@example.com",
    ]


@pytest.mark.parametrize(
    ("updates", "status"),
    [
        ([{"type": "nosuch", "quantity": "1"}], 404),
        ([{"type": "web", "quantity": "many"}], 422),
        ([{"type": "web", "quantity": True}], 422),
        ([{"type": "web", "quantity": {}}], 422),
        ([{"type": "web", "quantity": 2.5}], 422),
        ([{"type": "web", "size": "huge"}], 422),
        ([{"quantity": 1}], 422),
        (["web=1"], 422),
        ("web=1", 422),
    ],
)
def test_what_cannot_be_scaled_changes_nothing(world: World, updates: object, status: int) -> None:
    app = world.create_app()
    world.release(app)
    assert world.patch("/apps/shop/formation", {"updates": updates}).status_code == status
    assert [each["quantity"] for each in world.get("/apps/shop/formation").json()] == [1]


def test_dynos_are_listed_restarted_and_stopped(world: World) -> None:
    app = world.create_app()
    world.release(app, web="serve", worker="work")
    world.patch("/apps/shop/formation", {"updates": [{"type": "worker", "quantity": 1}]})
    world.until(lambda: sorted(world.dynos_up(app)) == ["web.1", "worker.1"])
    listed = {each["name"]: each for each in world.get("/apps/shop/dynos").json()}
    assert listed["web.1"]["state"] == "up"
    assert listed["web.1"]["release"]["version"] == 2
    assert world.get("/apps/shop/dynos/web.1").json() == listed["web.1"]
    assert world.get(f"/apps/shop/dynos/{listed['web.1']['id']}").json() == listed["web.1"]
    for method, path in [
        ("DELETE", "/dynos/web.1"),
        ("DELETE", "/formations/worker"),
        ("DELETE", "/dynos"),
        ("POST", "/dynos/worker.1/actions/stop"),
        ("POST", "/formations/web/actions/stop"),
    ]:
        before = world.dynos_up(app)
        assert world.request(method, f"/apps/shop{path}").status_code == 202
        world.until(lambda before=before: len(now := world.dynos_up(app)) == 2 and now != before)  # type: ignore[misc]
    assert world.delete("/apps/shop/dynos/web.9").status_code == 404
    assert world.delete("/apps/shop/formations/nosuch").status_code == 404


def test_a_one_off_dyno_is_run_attached(world: World) -> None:
    app = world.create_app()
    world.release(app)
    body = {"attach": True, "command": "bash", "env": {"TERM": "xterm", "COLUMNS": 0, "LINES": 33}, "size": "basic"}
    response = world.post("/apps/shop/dynos", body)
    assert response.status_code == 201
    dyno = response.json()
    assert dyno["attach_url"].startswith("rendezvous://localhost:8443/")
    assert (dyno["type"], dyno["command"], dyno["size"]) == ("run", "bash", "Basic")
    assert "Starting process with command `bash` by user ada@example.com" in world.log(app)
    assert dyno["attach_url"].rpartition("/")[2] not in "".join(world.log(app))


def test_a_one_off_dyno_is_run_detached(world: World) -> None:
    app = world.create_app()
    world.release(app)
    dyno = world.post("/apps/shop/dynos", {"attach": False, "command": "echo hi"}).json()
    assert dyno["attach_url"] is None
    assert dyno["name"].startswith("run.")


@pytest.mark.parametrize(
    "body", [{}, {"command": ""}, {"command": ["ls"]}, {"command": "ls", "env": "A=1"}, {"command": "ls", "attach": 2}]
)
def test_what_cannot_be_run_is_refused(world: World, body: object) -> None:
    world.release(world.create_app())
    assert world.post("/apps/shop/dynos", body).status_code == 422


def test_sizes_are_herokus(world: World) -> None:
    names = [size["name"] for size in world.get("/dyno-sizes").json()]
    assert {"Eco", "Basic", "Standard-1X", "Performance-L"} <= set(names)
    basic = world.get("/dyno-sizes/basic").json()
    assert (basic["name"], basic["memory"]) == ("Basic", 0.5)
    assert world.get(f"/dyno-sizes/{basic['id']}").json() == basic
    world.create_app()
    assert [size["name"] for size in world.get("/apps/shop/available-dyno-sizes").json()] == names
    assert world.get("/dyno-sizes/huge").status_code == 404


# Domains, buildpacks, features, access


def test_domains(world: World) -> None:
    app = world.create_app()
    added = world.post("/apps/shop/domains", {"hostname": "www.example.com", "sni_endpoint": None})
    assert (added.status_code, added.json()["cname"], added.json()["status"]) == (201, "shop.localhost", "none")
    listed = world.get("/apps/shop/domains", headers={"Range": "id ..; max=1000;"}).json()
    assert sorted((each["hostname"], each["kind"]) for each in listed) == [
        ("shop.localhost", "heroku"),
        ("www.example.com", "custom"),
    ]
    assert world.get("/apps/shop/domains/WWW.example.com").json() == added.json()
    assert world.get("/apps/shop/domains/shop.localhost").json()["kind"] == "heroku"
    assert world.patch("/apps/shop/domains/www.example.com", {"sni_endpoint": None}).json() == added.json()
    assert world.patch("/apps/shop/domains/www.example.com", {"sni_endpoint": "foo"}).status_code == 422
    assert world.delete("/apps/shop/domains/www.example.com").status_code == 200
    assert world.delete("/apps/shop/domains/www.example.com").status_code == 404
    assert world.delete("/apps/shop/domains/shop.localhost").status_code == 422
    assert [text for text in world.log(app) if "domains" in text] == [
        "Add www.example.com to domains by user ada@example.com",
        "Remove www.example.com from domains by user ada@example.com",
    ]


def test_buildpacks_by_name_url_and_registry(world: World) -> None:
    world.create_app()
    blob = world.get("/buildpacks/heroku%2Fpython").json()["blob_url"]
    body = {"updates": [{"buildpack": "heroku/python"}, {"buildpack": "https://github.com/x/y"}]}
    listed = world.put("/apps/shop/buildpack-installations", body, headers={"Range": ""}).json()
    assert [each["buildpack"] for each in listed] == [
        {"url": blob, "name": "heroku/python"},
        {"url": "https://github.com/x/y", "name": "https://github.com/x/y"},
    ]
    assert world.get("/apps/shop/buildpack-installations").json() == listed
    twice = {"updates": [{"buildpack": "heroku/python"}, {"buildpack": blob}]}
    assert world.put("/apps/shop/buildpack-installations", twice).status_code == 422
    nameless = world.put("/apps/shop/buildpack-installations", {"updates": [{}]})  # the CLI, for an unknown name
    assert nameless.status_code == 422
    assert "heroku/python" in nameless.json()["message"]
    assert world.put("/apps/shop/buildpack-installations", {"updates": []}).json() == []


def test_the_registry_needs_no_token(world: World) -> None:
    anonymous = {"Authorization": ""}
    assert world.get("/buildpacks/heroku%2Fnosuch", headers=anonymous).status_code == 404
    assert world.get("/buildpacks/heroku%2Fpython/revisions", headers=anonymous).json()[0]["release"] == "1.2.3"
    assert world.get("/buildpacks/heroku%2Fpython/readme", headers=anonymous).json()["encoding"] == "base64"

    def search(query: str) -> list[str]:
        return [each["name"] for each in world.get(f"/buildpacks?{query}", headers=anonymous).json()]

    assert search("in[namespace][]=heroku")[:3] == ["python", "nodejs", "procfile"]
    assert search("in[namespace][]=homeport") == ["conda"]
    assert search("in[name][]=python") == ["python"]
    assert search("like[description]=pip") == ["python"]
    assert search("in[name][]=cobol") == []


def test_features(world: World) -> None:
    world.create_app()
    listed = {each["name"]: each for each in world.get("/apps/shop/features").json()}
    assert listed["preboot"]["enabled"] is True
    assert listed["preboot"]["state"] == "general"
    changed = world.patch("/apps/shop/features/runtime-dyno-metadata", {"enabled": True}).json()
    assert changed["enabled"] is True
    assert world.get(f"/apps/shop/features/{changed['id']}").json()["enabled"] is True
    refused = world.patch("/apps/shop/features/preboot", {"enabled": False})
    assert refused.json()["enabled"] is True
    assert refused.headers["X-Heroku-Warning"] == "preboot is always on with Homeport."
    assert world.patch("/apps/shop/features/preboot", {}).status_code == 422
    assert world.patch("/apps/shop/features/nosuch", {"enabled": True}).status_code == 404
    assert world.get("/account/features").json() == []
    assert world.get("/account/features/preboot").json()["resource"] == "feature"


def test_access_is_the_owners(world: World) -> None:
    world.create_app()
    (owner,) = world.get("/apps/shop/collaborators").json()
    assert (owner["user"]["email"], owner["role"]) == ("ada@example.com", "owner")
    assert world.get("/apps/shop/collaborators/ada%40example.com").json() == owner
    assert world.get("/apps/shop/collaborators/bob%40example.com").status_code == 404
    assert world.post("/apps/shop/collaborators", {"user": "bob@example.com"}).json()["id"] == "not_here_yet"
    assert world.delete("/apps/shop/collaborators/ada%40example.com").status_code == 422


# Places


def test_regions_stacks_and_generations(world: World) -> None:
    world.create_app()
    assert [each["name"] for each in world.get("/regions").json()] == ["us", "eu"]
    assert world.get("/regions/eu").json() == world.get(f"/regions/{world.get('/regions/eu').json()['id']}").json()
    assert [(each["name"], each["default"]) for each in world.get("/stacks").json()] == [
        ("heroku-24", True),
        ("heroku-22", False),
    ]
    assert world.get("/stacks/heroku-22").json()["state"] == "public"
    assert world.get("/stacks/cedar-14").status_code == 404
    assert len(world.get("/apps/shop/available-stacks").json()) == 2
    assert world.get("/generations").json()[0] == world.get("/generations/cedar").json()


# Builds and sources


def test_builds_are_made_from_an_uploaded_source(world: World) -> None:
    app = world.create_app()
    source = world.post("/sources").json()["source_blob"]
    put = world.request(
        "PUT", source["put_url"], content=b"a tarball", headers={"Content-Type": "", "Authorization": ""}
    )
    assert put.status_code == 200
    body = {"source_blob": {"url": source["get_url"], "version": "v1"}}
    build = world.post("/apps/shop/builds", body).json()
    assert (build["status"], build["source_blob"]["version"], build["generation"]) == ("pending", "v1", "cedar")
    ((app_id, path, version),) = world.deployer.orders
    assert isinstance(path, Path)
    assert (app_id, path.read_bytes(), version) == (app.id, b"a tarball", "v1")
    assert world.get(f"/apps/shop/builds/{build['id']}").json() == world.get("/apps/shop/builds").json()[0]
    world.deployer.said[build["id"]] = [b"-----> Building\n", b"done\n"]
    assert world.get(build["output_stream_url"], headers={"Authorization": ""}).text == "-----> Building\ndone\n"


def test_a_build_of_a_source_elsewhere_is_passed_on(world: World) -> None:
    world.create_app()
    world.post("/apps/shop/builds", {"source_blob": {"url": "https://example.com/x.tgz"}})
    assert world.deployer.orders[0][1:] == ("https://example.com/x.tgz", None)


def test_source_and_output_urls_cannot_be_guessed(world: World) -> None:
    world.create_app()
    source = world.post("/sources").json()["source_blob"]["put_url"]
    assert world.request("PUT", source[:-1] + "x", content=b"a").status_code == 404
    assert world.request("PUT", source.replace("/sources/", "/sources/%2e%2e%2f"), content=b"a").status_code == 404
    assert world.post("/apps/shop/builds", {"source_blob": {"url": source}}).json()["id"] == "source_missing"
    build = world.post("/apps/shop/builds", {"source_blob": {"url": "https://example.com/x.tgz"}}).json()
    other = world.post("/apps/shop/builds", {"source_blob": {"url": "https://example.com/x.tgz"}}).json()
    key = build["output_stream_url"].rpartition("/")[2]
    assert world.get(f"/builds/{other['id']}/output/{key}").status_code == 404
    assert world.get(build["output_stream_url"]).status_code == 404  # nothing said yet
    assert world.post("/apps/shop/builds", {"source_blob": {}}).status_code == 422
    assert world.get("/apps/shop/builds/nosuch").status_code == 404


def test_an_app_that_is_asked_for_again_after_a_broken_connection_is_there_once(world: World) -> None:
    """The CLI sends a request again, under the same newest Request-Id, when no answer comes."""
    first, second = "0b7a3d5e-8a43-4c1e-9d0c-2f6b8d1f3a55", "6f2c1b0a-3d5e-4f7a-8b9c-0d1e2f3a4b5c"
    for body in ({"name": "shop"}, {}):
        made = world.post("/apps", body, headers={"Request-Id": first})
        again = world.post("/apps", body, headers={"Request-Id": f"{first},{second}"})
        assert (made.status_code, again.status_code, again.json()["id"]) == (201, 201, made.json()["id"])
    assert len(world.get("/apps").json()) == 2
    assert world.post("/apps", {"name": "shop"}, headers={"Request-Id": second}).status_code == 422
    assert world.post("/apps", {"name": "other"}, headers={"Request-Id": first}).json()["name"] == "other"
    assert len(world.get("/apps/shop/releases").json()) == 1
