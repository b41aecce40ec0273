"""The route table and Heroku's schema agree, and the schema is a judge that bites."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from homeport.api.routes import ROUTES
from tests.contract.api import platform_schema

SERVED = Path(__file__).parent / "schema" / "served_links.txt"
BEYOND = Path(__file__).parent / "schema" / "other_routes.txt"


def served() -> list[str]:
    """The schema's links that a route answers."""
    known = platform_schema.links()
    ours = {(route.method, platform_schema.template(route.path)) for route in ROUTES}
    return sorted(f"{link.path} {link.method} {link.resource}" for key, link in known.items() if key in ours)


def beyond() -> list[str]:
    """Routes that the schema does not know, and who is known to ask them."""
    known = platform_schema.links()
    others = [route for route in ROUTES if (route.method, platform_schema.template(route.path)) not in known]
    return sorted(f"{route.path} {route.method} ({route.command})" for route in others)


@pytest.mark.parametrize(("file", "routes"), [(SERVED, served), (BEYOND, beyond)])
def test_what_is_served_is_written_down(file: Path, routes: Callable[[], list[str]]) -> None:
    assert file.read_text().splitlines() == routes(), (
        "If it is meant: `python -m tests.contract.api.test_api_schema` writes it down anew"
    )


REGION = {
    "country": "United States",
    "created_at": "2026-01-01T00:00:00Z",
    "description": "x",
    "id": "01234567-89ab-cdef-0123-456789abcdef",
    "locale": "x",
    "name": "us",
    "private_capable": False,
    "provider": {"name": "x", "region": "us-east-1"},
    "updated_at": "2026-01-01T00:00:00Z",
}


def test_a_right_answer_passes() -> None:
    assert platform_schema.complaints("GET", "/regions/{region}", REGION) == []
    assert platform_schema.complaints("GET", "/regions", [REGION]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"id": "not-a-uuid"},
        {"created_at": "yesterday"},
        {"created_at": "2026-01-01T00:00:00"},
        {"private_capable": "no"},
        {"name": None},
        {"surprise": 1},
        {"provider": {"name": "x", "region": "the-moon"}},
    ],
)
def test_a_wrong_answer_does_not(change: dict[str, object]) -> None:
    assert len(platform_schema.complaints("GET", "/regions", [REGION | change])) == 1


def test_an_answer_with_something_missing_does_not() -> None:
    without = {name: value for name, value in REGION.items() if name != "locale"}
    assert platform_schema.complaints("GET", "/regions/{region}", without) == [
        "(body): 'locale' is a required property"
    ]


if __name__ == "__main__":
    SERVED.write_text("\n".join(served()) + "\n")
    BEYOND.write_text("\n".join(beyond()) + "\n")
