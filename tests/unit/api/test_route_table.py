from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.api.routes import ROUTES
from homeport.api.table import Access, Match, Table, route

TABLE = Table(
    [
        route("GET /users/~", print, Access.ANYONE, "self"),
        route("GET /users/{user}", print, Access.ANYONE, "user"),
        route("PATCH /users/{user}", print, Access.ANYONE, "user"),
        route("GET /users/{user}/apps", print, Access.ANYONE, "apps"),
    ]
)


def found(method: str, path: str) -> tuple[str, dict[str, str]]:
    match = TABLE.find(method, path)
    assert isinstance(match, Match)
    return match.route.command, match.params


def test_a_literal_part_goes_before_a_parameter() -> None:
    assert found("GET", "/users/~") == ("self", {})
    assert found("GET", "/users/ada") == ("user", {"user": "ada"})
    assert found("PATCH", "/users/~") == ("user", {"user": "~"})
    assert found("GET", "/users/~/apps") == ("apps", {"user": "~"})


def test_head_is_get_and_a_slash_at_the_end_is_forgiven() -> None:
    assert found("HEAD", "/users/ada/") == ("user", {"user": "ada"})


@given(st.text(min_size=1).filter(lambda text: all(ord(c) >= 32 for c in text)))
def test_any_name_comes_back_from_its_encoded_form(name: str) -> None:
    match = TABLE.find("GET", f"/users/{quote(name, safe='')}")
    assert isinstance(match, Match)
    assert match.params.get("user", "~") == name


@given(st.sampled_from(["GET", "PUT", "HEAD", "get", ""]), st.text())
def test_no_path_is_a_crash(method: str, path: str) -> None:
    TABLE.find(method, path)


def test_what_a_path_has_is_told_for_a_wrong_method() -> None:
    assert TABLE.find("DELETE", "/users/~") == ["GET", "PATCH"]
    assert TABLE.find("GET", "/nope") == []


@pytest.mark.parametrize("path", ["/users/%00", "/users/%0d%0aX", "/users/%ff", "/users//apps", "/users", "/", ""])
def test_what_cannot_be_a_name_is_nowhere(path: str) -> None:
    assert TABLE.find("GET", path) == []


def test_a_route_that_is_there_twice_is_a_mistake() -> None:
    with pytest.raises(AssertionError):
        Table([*TABLE.routes, TABLE.routes[0]])


def test_every_route_finds_itself_and_names_who_asks_it() -> None:
    table = Table(ROUTES)
    for each in ROUTES:
        match = table.find(each.method, each.path.replace("{", "").replace("}", ""))
        assert isinstance(match, Match)
        assert match.route == each
        assert each.command
