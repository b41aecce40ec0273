"""What every request meets, whatever it asks: credentials, scopes, bodies, paths, caching, errors."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from homeport import accounts, apps
from homeport.api.resources import account
from homeport.api.routes import ROUTES
from homeport.api.table import Access
from homeport.state import App, Build, Database
from tests.contract.api import api_world
from tests.contract.api.api_world import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    with api_world.opened(database, tmp_path) as world:
        yield world


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def token_of(world: World, *, scope: str = "global", email: str | None = None, expires_in: int | None = None) -> str:
    with world.database.session() as session:
        user = accounts.create_user(session, email) if email else world.ada
        return accounts.issue_token(session, user, scope=(scope,), expires_in=expires_in).secret


# Credentials


@pytest.mark.parametrize(
    "form", ["Bearer {}", "bearer  {}", "Basic :{}", "Basic ada@example.com:{}", "Basic heroku:{}"]
)
def test_a_token_is_taken_in_every_form_that_clients_send(world: World, form: str) -> None:
    header = form.format(world.token.secret)
    if header.startswith("Basic "):
        header = basic(header.removeprefix("Basic "))
    assert world.get("/account", headers={"Authorization": header}).json()["email"] == "ada@example.com"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer undefined",
        "Bearer",
        "Bearer \xe9",
        "Basic",
        "Basic !!!",
        "Basic /w==",
        "Digest x",
        basic("ada:wrong"),
    ],
)
def test_without_a_valid_token_nothing_is_told(world: World, header: str) -> None:
    world.create_app()
    for path in ("/account", "/apps", "/apps/shop", "/apps/nosuch"):
        response = world.get(path, headers={b"Authorization": header.encode("latin-1")})
        assert (response.status_code, response.json()["id"]) == (401, "unauthorized")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_an_expired_token_is_worth_nothing(world: World) -> None:
    secret = token_of(world, expires_in=0)
    assert world.get("/account", headers={"Authorization": f"Bearer {secret}"}).status_code == 401


def test_every_route_but_the_public_ones_wants_a_token(world: World) -> None:
    for route in ROUTES:
        path = route.path.replace("{", "").replace("}", "")
        response = world.request(route.method, path, headers={"Authorization": ""})
        if route.needs is Access.PUBLIC:
            assert response.status_code in (200, 404, 422), route
        else:
            assert response.status_code == 401, route


def test_somebody_elses_app_is_not_found_whatever_is_asked_of_it(world: World) -> None:
    world.create_app("shop")
    bob = {"Authorization": f"Bearer {token_of(world, email='bob@example.com')}"}
    for route in ROUTES:
        if "{app}" in route.path:
            path = route.path.replace("{app}", "shop").replace("{", "").replace("}", "")
            response = world.request(route.method, path, headers=bob)
            assert (response.status_code, response.json().get("resource")) == (404, "app"), route
    assert world.get("/apps", headers=bob).json() == []
    assert world.get("/users/ada%40example.com", headers=bob).status_code == 404


def test_a_scope_reaches_as_far_as_it_says(world: World) -> None:
    world.create_app("shop")
    asked = {
        "identify": ("GET", "/account", 200),
        "account": ("GET", "/oauth/authorizations", 200),
        "view": ("GET", "/apps/shop", 200),
        "reveal": ("GET", "/apps/shop/config-vars", 200),
        "operate": ("PATCH", "/apps/shop/formation", 422),  # it comes as far as the body
        "manage": ("PATCH", "/apps/shop", 422),
    }
    bodies = {"manage": b'{"name": "-"}'}
    reach = {
        "identity": {"identify"},
        "read": {"view"},
        "write": {"view", "operate", "manage"},
        "read-protected": {"view", "reveal"},
        "write-protected": {"view", "reveal", "operate", "manage"},
        "global": set(asked),
    }
    for scope, allowed in reach.items():
        headers = {"Authorization": f"Bearer {token_of(world, scope=scope)}"}
        for what, (method, path, code) in asked.items():
            body = {"content": bodies[what]} if what in bodies else {}
            answer = world.request(method, path, headers=headers, **body).status_code
            assert answer == (code if what in allowed else 403), (scope, what)
    for scope, code in (("write", 403), ("write-protected", 200)):
        headers = {"Authorization": f"Bearer {token_of(world, scope=scope)}"}
        assert world.patch("/apps/shop/config-vars", {"A": "1"}, headers=headers).status_code == code, scope


# Paths and methods


def test_paths_are_split_before_they_are_decoded(world: World) -> None:
    assert world.get("/buildpacks/heroku%2Fpython").status_code == 200
    assert world.get("/buildpacks/heroku/python").status_code == 404
    world.create_app()
    drain = world.delete("/apps/shop/log-drains/syslog%2Btls%3A%2F%2Flogs.example.test%3A1234")
    assert drain.json()["resource"] == "drain"


@pytest.mark.parametrize(
    "path",
    ["/nope", "/apps/shop/nope", "/apps//dynos", "/apps/%00", "/apps/%ff", "/apps/a%0Ab", "/%2e%2e"],
)
def test_an_unknown_path_is_not_found(world: World, path: str) -> None:
    response = world.get(path)
    assert (response.status_code, response.json()["id"]) == (404, "not_found")


def test_a_slash_at_the_end_is_forgiven(world: World) -> None:
    world.create_app()
    assert world.get("/apps/shop/").json() == world.get("/apps/shop").json()


def test_a_wrong_method_says_which_are_right(world: World) -> None:
    for method in ("PUT", "OPTIONS", "TRACE"):
        response = world.request(method, "/apps")
        assert (response.status_code, response.headers["Allow"]) == (405, "GET, POST")


def test_head_is_get_without_a_body(world: World) -> None:
    got, headed = world.get("/account"), world.request("HEAD", "/account")
    assert (headed.status_code, headed.content) == (200, b"")
    assert headed.headers["Content-Length"] == str(len(got.content))
    assert headed.headers["ETag"] == got.headers["ETag"]


# Bodies


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"{'name': 'x'}",
        b'{"name": "x"',
        b"\xff\xfe",
        b'{"name": "\\ud800"}',
        b'{"n": ' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'["name"]',
        b'"name"',
        b"null",
        b"name=shop",
    ],
)
def test_a_body_that_is_no_json_object_is_a_bad_request(world: World, body: bytes) -> None:
    response = world.request("POST", "/apps", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["id"]) == (400, "bad_request")
    assert world.get("/apps").json() == []


@pytest.mark.parametrize("body", [b"", b"   ", b"\n"])
def test_no_body_is_an_empty_one(world: World, body: bytes) -> None:
    assert world.request("POST", "/apps", content=body).status_code == 201


def test_a_wrong_type_is_refused_by_the_fields_name(world: World) -> None:
    for body in ({"name": 4}, {"name": ["shop"]}, {"name": "a\x00b"}, {"region": {"id": 3}}):
        response = world.post("/apps", body)
        assert (response.status_code, response.json()["id"]) == (422, "invalid_params")
        assert response.json()["message"].startswith(next(iter(body)))


def test_a_body_of_megabytes_is_not_read_to_its_end(world: World) -> None:
    response = world.request("POST", "/apps", content=b" " * (1024 * 1024 + 1))
    assert (response.status_code, response.json()["id"]) == (413, "too_large")


def test_a_delete_may_have_a_body(world: World) -> None:
    world.create_app()
    assert world.request("DELETE", "/apps/shop", json={"force": False}).status_code == 200


# Answers


def test_every_accept_gets_the_same_shape(world: World) -> None:
    world.create_app()
    plain = world.get("/apps/shop").json()
    for variant in ("application/vnd.heroku+json; version=3.sdk", "application/json", "*/*", "text/html", ""):
        assert world.get("/apps/shop", headers={"Accept": variant}).json() == plain


def test_an_answer_that_the_client_has_is_not_sent_again(world: World) -> None:
    world.create_app()
    first = world.get("/apps/shop")
    for known in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}', "*"):
        again = world.get("/apps/shop", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
    world.patch("/apps/shop", {"maintenance": True})
    assert world.get("/apps/shop", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_the_newest_request_id_is_given_back(world: World) -> None:
    ids = "11111111-1111-1111-1111-111111111111,22222222-2222-2222-2222-222222222222"
    assert world.get("/account", headers={"Request-Id": ids}).headers["Request-Id"] == ids[:36]
    for strange in ("", "a b", "x" * 7000, "<script>"):
        given = world.get("/account", headers={"Request-Id": strange}).headers["Request-Id"]
        assert given != strange
        assert len(given) == 36
    assert "Request-Id" in world.get("/nope").headers


def test_lists_are_walked_by_ranges(world: World) -> None:
    for name in ("one", "two", "six"):
        world.create_app(name)
    seen, wanted = [], "name ..; max=2, order=desc"
    while wanted:
        response = world.get("/apps", headers={"Range": wanted})
        seen.append([app["name"] for app in response.json()])
        wanted = response.headers.get("Next-Range", "")
        assert response.status_code == (206 if wanted else 200)
    assert seen == [["two", "six"], ["one"]]
    assert world.get("/apps").headers["Accept-Ranges"] == "name, id, created_at, updated_at"


@pytest.mark.parametrize(
    "header", ["", "bytes=0-10", "nosuch ..; ;", "id ..; max=-1", "id ]..", "version a..b", ";;;", "…"]
)
def test_no_range_is_refused(world: World, header: str) -> None:
    world.create_app()
    response = world.get("/apps/shop/releases", headers={b"Range": header.encode()})
    assert response.status_code in (200, 206)
    assert len(response.json()) == 1


# Failures of our own


def test_a_crash_tells_nothing_outside_and_everything_but_secrets_inside(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    secret = "hunter" + "2"  # in two pieces: tracebacks show source lines

    def crash(session: Session) -> None:
        session.execute(text("SELECT :secret FROM nosuchtable"), {"secret": secret})

    monkeypatch.setattr(account, "oneself", lambda _call, session: crash(session))
    with caplog.at_level(logging.ERROR, "homeport.api"):
        response = world.get("/account")
    assert (response.status_code, response.json()["id"]) == (500, "internal_server_error")
    assert "nosuchtable" not in response.text
    assert response.headers["Request-Id"] in response.json()["message"]
    assert response.headers["Request-Id"] in caplog.text
    assert "nosuchtable" in caplog.text
    assert secret not in caplog.text
    assert world.token.secret not in caplog.text


def test_an_app_that_is_destroyed_while_a_request_is_under_way_is_not_found(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Between the transaction that lets somebody in and the one that does what was asked."""
    world.create_app()
    deploy = world.deployer.deploy_source

    async def late(app_id: str, **more: Any) -> Build:
        await world.database.run(lambda session: apps.destroy(session, session.get_one(App, app_id)))
        return await deploy(app_id, **more)

    monkeypatch.setattr(world.deployer, "deploy_source", late)
    response = world.post("/apps/shop/builds", {"source_blob": {"url": "https://example.com/app.tgz"}})
    assert (response.status_code, response.json()["id"]) == (404, "not_found")
    assert response.json()["resource"] == "app"
    assert "crashed" not in caplog.text


def test_a_change_that_crashes_half_way_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("homeport.releases.start", crash)
    assert world.post("/apps", {"name": "shop"}).status_code == 500
    assert world.get("/apps").json() == []


def test_a_client_that_goes_away_while_it_sends_is_no_failure(world: World, caplog: pytest.LogCaptureFixture) -> None:
    application = world.http._transport.app  # type: ignore[attr-defined]
    sent: list[object] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        sent.append(message)

    headers = [(b"authorization", f"Bearer {world.token.secret}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/apps", "raw_path": b"/apps", "query_string": b""}
    world.runner.run(application({**scope, "headers": headers}, receive, send))
    assert sent == []
    assert caplog.records == []


def test_what_isnt_here_yet_says_so(world: World) -> None:
    world.create_app()
    response = world.post("/oauth/clients", {"name": "c"})
    assert (response.status_code, response.json()["id"]) == (422, "not_here_yet")
    assert response.json()["message"] == "OAuth clients aren't here yet."
    assert world.get("/teams").json() == []
    assert world.get("/teams/acme").json()["resource"] == "team"
