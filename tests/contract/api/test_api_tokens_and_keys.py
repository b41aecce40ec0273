"""Logging in and out, API tokens, SSH keys."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from homeport.state import Database
from tests.contract.api import api_world
from tests.contract.api.api_world import World

AUTHORIZATIONS = "/oauth/authorizations"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    with api_world.opened(database, tmp_path) as world:
        yield world


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def log_in(world: World) -> tuple[str, str]:
    """As `heroku login -i` does; returns the new token's id and secret."""
    credentials = base64.b64encode(f"ada@example.com:{world.token.secret}".encode()).decode()
    body = {"description": "Heroku CLI login from laptop", "expires_in": 2592000, "scope": ["global"]}
    response = world.post(AUTHORIZATIONS, body, headers={"Authorization": f"Basic {credentials}"})
    assert response.status_code == 201
    made = response.json()
    assert made["user"]["email"] == "ada@example.com"
    assert 2591990 <= made["access_token"]["expires_in"] <= 2592000
    return made["id"], made["access_token"]["token"]


def test_login_makes_a_token_that_works(world: World) -> None:
    _, secret = log_in(world)
    assert world.get("/account", headers=bearer(secret)).json()["email"] == "ada@example.com"


def test_logout_finds_its_own_token_and_no_other(world: World) -> None:
    """The CLI's own steps: it compares what is listed, shortened by ten stars, with what it has."""
    own, secret = log_in(world)
    log_in(world)
    session = world.delete("/oauth/sessions/~", headers=bearer(secret))
    assert (session.status_code, session.json()["resource"]) == (404, "session")
    listed = world.get(AUTHORIZATIONS, headers=bearer(secret)).json()
    shown = {each["id"]: each["access_token"].get("token", "") for each in listed}
    assert len(shown) == 3
    prefix, stars, suffix = shown[own].partition("*" * 10)
    assert stars
    assert secret.startswith(prefix)
    assert secret.endswith(suffix)
    assert secret not in shown.values()
    assert [text for each, text in shown.items() if each != own] == ["", ""]
    default = world.get(f"{AUTHORIZATIONS}/~", headers=bearer(secret)).json()
    assert default["id"] == world.token.token.id  # the account's own key, which logging out must leave alone
    assert world.delete(f"{AUTHORIZATIONS}/{own}", headers=bearer(secret)).status_code == 200
    assert world.get("/account", headers=bearer(secret)).status_code == 401
    assert world.get("/account").status_code == 200


def test_authorizations_are_made_shown_described_rotated_and_revoked(world: World) -> None:
    made = world.post(AUTHORIZATIONS, {"description": "ci", "expires_in": "3600", "scope": ["identity"]}).json()
    secret, path = made["access_token"]["token"], f"{AUTHORIZATIONS}/{made['id']}"
    assert (made["description"], made["scope"]) == ("ci", ["identity"])
    shown = world.get(path)
    assert "token" not in shown.json()["access_token"]
    assert secret not in shown.text
    assert world.patch(path, {"description": "cd"}).json()["description"] == "cd"
    rotated = world.post(f"{path}/actions/regenerate-tokens").json()
    assert rotated["id"] == made["id"]
    assert world.get("/account", headers=bearer(secret)).status_code == 401
    assert world.get("/account", headers=bearer(rotated["access_token"]["token"])).status_code == 200
    assert world.delete(path).json()["description"] == "cd"
    assert world.get("/account", headers=bearer(rotated["access_token"]["token"])).status_code == 401
    assert world.get(path).json()["resource"] == "authorization"


def test_without_a_wish_a_token_may_everything_for_ever(world: World) -> None:
    made = world.post(AUTHORIZATIONS, {"description": "x"}).json()
    assert (made["scope"], made["access_token"]["expires_in"]) == (["global"], None)


@pytest.mark.parametrize(
    "body",
    [
        {"scope": ["everything"]},
        {"scope": "global"},
        {"scope": [1]},
        {"expires_in": 0},
        {"expires_in": -1},
        {"expires_in": "soon"},
        {"expires_in": 10**15},
        {"expires_in": True},
        {"description": 1},
    ],
)
def test_what_cannot_be_a_token_is_refused(world: World, body: object) -> None:
    assert world.post(AUTHORIZATIONS, body).status_code == 422


def public_key(comment: str = "ada@laptop") -> str:
    key = Ed25519PrivateKey.generate().public_key()
    return f"{key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()} {comment}"


def test_ssh_keys_are_added_listed_and_removed(world: World) -> None:
    line = public_key()
    added = world.post("/account/keys", {"public_key": line + "\n"})
    assert added.status_code == 201
    key = added.json()
    assert (key["public_key"], key["comment"], key["email"]) == (line, "ada@laptop", "ada@example.com")
    assert key["fingerprint"].startswith("SHA256:")
    assert world.post("/account/keys", {"public_key": line}).status_code == 422
    assert world.get("/account/keys").json() == [key]
    assert world.get(f"/account/keys/{key['id']}").json() == key
    assert world.delete(f"/account/keys/{key['id']}").status_code == 200
    assert world.get("/account/keys").json() == []
    assert world.delete(f"/account/keys/{key['id']}").json()["resource"] == "key"


@pytest.mark.parametrize(
    "text",
    ["", "ssh-ed25519", "ssh-ed25519 AAAA", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n", "ssh-rsa é x", "a b\nc d"],
)
def test_what_is_no_public_key_is_refused_and_not_repeated(world: World, text: str) -> None:
    response = world.post("/account/keys", {"public_key": text})
    assert response.status_code == 422
    assert "AAAA" not in response.text
