from __future__ import annotations

import logging

import pytest

from homeport.api import Urls
from homeport.api.capabilities import Capabilities
from homeport.api.errors import to_wire, wrong_method
from homeport.errors import (
    BadRequest,
    Conflict,
    Forbidden,
    HomeportError,
    Invalid,
    NotFound,
    TooLarge,
    Unauthorized,
    Unavailable,
)


@pytest.mark.parametrize(
    ("error", "status", "id"),
    [
        (BadRequest("x"), 400, "bad_request"),
        (Unauthorized(), 401, "unauthorized"),
        (Forbidden("x"), 403, "forbidden"),
        (NotFound("app"), 404, "not_found"),
        (Conflict("x"), 409, "conflict"),
        (TooLarge("x"), 413, "too_large"),
        (Invalid("x"), 422, "invalid_params"),
        (Invalid("x", id="name_taken"), 422, "name_taken"),
        (Unavailable("x"), 503, "unavailable"),
        (HomeportError("engine_start_failed", "x"), 500, "engine_start_failed"),
    ],
)
def test_each_failure_has_its_status_and_keeps_its_id(error: HomeportError, status: int, id: str) -> None:
    wire = to_wire(error, request_id="r1")
    assert (wire.status, wire.id) == (status, id)
    assert (wire.headers != {}) == (status == 401)


def test_the_message_is_what_why_and_fix() -> None:
    wire = to_wire(Invalid("What.", why="Why.", fix="Do this."), request_id="r1")
    assert wire.body() == {"id": "invalid_params", "message": "What.\nWhy.\nDo this."}


def test_what_was_not_found_is_named_for_the_cli() -> None:
    assert to_wire(NotFound("session"), request_id="r1").body() == {
        "id": "not_found",
        "message": "Couldn't find that session.",
        "resource": "session",
    }


def test_a_bug_is_told_inside_only(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "homeport.api"):
        wire = to_wire(KeyError("inside"), request_id="r1")
    assert (wire.status, wire.id) == (500, "internal_server_error")
    assert "inside" not in wire.message
    assert "r1" in wire.message
    assert "KeyError: 'inside'" in caplog.text


def test_a_wrong_method_names_the_right_ones() -> None:
    wire = wrong_method("PUT", ["GET", "POST"])
    assert (wire.status, wire.headers) == (405, {"Allow": "GET, POST"})
    assert wire.message == "PUT isn't possible here; GET and POST are."
    assert wrong_method("PUT", ["GET"]).message == "PUT isn't possible here; GET is."


def test_urls_on_one_port_and_on_the_standard_one() -> None:
    local = Urls("https://localhost:8443", "https://localhost:8443", "localhost", 8443, "localhost:8443")
    assert local.app_url("shop") == "https://shop.localhost:8443/"
    assert local.git_url("shop") == "https://localhost:8443/shop.git"
    assert local.stream("/logs/x") == "https://localhost:8443/logs/x"
    assert local.attach_url("s3cret") == "rendezvous://localhost:8443/s3cret"
    server = Urls("https://api.example.com", "https://git.example.com", "example.com", 443, "api.example.com:443")
    assert server.app_url("shop") == "https://shop.example.com/"
    assert server.stream("/logs/x") == "https://api.example.com:443/logs/x"
    assert server.attach_url("s3cret") == "rendezvous://api.example.com:443/s3cret"


def test_a_capability_is_for_one_thing_only() -> None:
    mine, other = Capabilities(), Capabilities()
    key = mine.sign("build output", "1")
    assert mine.allows(key, "build output", "1")
    assert not mine.allows(key, "build output", "2")
    assert not mine.allows(key, "source upload", "1")
    assert not mine.allows("", "build output", "1")
    assert not mine.allows("é", "build output", "1")
    assert not other.allows(key, "build output", "1")
