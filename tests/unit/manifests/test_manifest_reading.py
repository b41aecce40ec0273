"""Reading app.json files, right ones and all others."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport import manifests
from homeport.errors import Invalid
from homeport.manifests import Addon, Dynos, Job, Manifest, Variable

WHOLE = {
    "name": "Small Sharp Tool",
    "description": "It does one thing.",
    "keywords": ["sharp"],
    "success_url": "/welcome",
    "stack": "heroku-24",
    "scripts": {"postdeploy": "python manage.py migrate", "test": "pytest"},
    "env": {
        "SECRET_KEY": {"description": "For cookies", "generator": "secret"},
        "WEB_CONCURRENCY": {"value": "5"},
        "MAIL_FROM": {"required": True},
        "NOTE": {"required": False},
        "DEBUG": "0",
        "LIMIT": 5,
    },
    "formation": {"web": {"quantity": 2, "size": "standard-1x"}, "worker": {}},
    "addons": ["heroku-redis", {"plan": "heroku-postgresql:mini", "as": "DB", "options": {"version": 15}}],
    "buildpacks": [{"url": "heroku/python"}],
    "environments": {"test": {"scripts": {"test": "pytest"}}},
    "cron": [{"command": "tick", "schedule": "@hourly"}, {"command": "tock", "schedule": "@daily", "name": "t"}],
}


def read(parsed: Any) -> manifests.Reading:
    return manifests.read(json.dumps(parsed).encode())


def test_a_whole_one() -> None:
    reading = read(WHOLE)
    assert reading.faults == ()
    assert reading.manifest == Manifest(
        name="Small Sharp Tool",
        description="It does one thing.",
        success_url="/welcome",
        stack="heroku-24",
        env=(
            Variable("SECRET_KEY", "For cookies", generated=True),
            Variable("WEB_CONCURRENCY", value="5"),
            Variable("MAIL_FROM"),
            Variable("NOTE", required=False),
            Variable("DEBUG", value="0"),
            Variable("LIMIT", value="5"),
        ),
        addons=(Addon("heroku-redis"), Addon("heroku-postgresql:mini", "DB", {"version": "15"})),
        buildpacks=("heroku/python",),
        formation={"web": Dynos(2, "standard-1x"), "worker": Dynos()},
        postdeploy="python manage.py migrate",
        cron=(Job("tick", "@hourly"), Job("tock", "@daily", "t")),
    )
    assert reading.manifest.cron[1].fields() == {"command": "tock", "schedule": "@daily", "name": "t"}


def test_an_empty_one_and_one_of_another_tool() -> None:
    assert read({}) == read({"expo": {"name": "phone"}}) == manifests.Reading(Manifest())
    assert manifests.read(b"\xef\xbb\xbf{}").manifest == Manifest()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Line 1, column 1: Expecting value."),
        ('{\n  "cron": [\n    {"command": "x",}\n  ]\n}', "Line 3, column 2"),
        ('{"name": "x"', "Line 1, column 13: "),
        ("{}\n// comment", "Line 2, column 1: Extra data.\n  // comment"),
        ("[]", "It must be one JSON object: { … }."),
        ('{"name": "\\ud800"}', "It is not text in UTF-8."),
        ("[" * 100_000, "It is nested too deeply"),
        ('{"n": ' + "1" * 5000 + "}", "thousands of digits"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        manifests.read(text.encode())
    assert refused.value.id == "manifest_syntax"
    assert why in refused.value.why


@pytest.mark.parametrize("data", [b"\xff\xfe{}", b" " * (manifests.LARGEST + 1)])
def test_what_is_no_text_or_too_large_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        manifests.read(data)


@pytest.mark.parametrize(
    ("part", "value", "fault"),
    [
        ("name", 1, "name must be a string"),
        ("scripts", [], "scripts must be an object"),
        ("scripts", {"postdeploy": 1}, "scripts.postdeploy must be a command"),
        ("env", [], "env must be an object of at most 200 entries"),
        ("env", {"A B": "x"}, "env.A B can't be the name of a config var: letters, digits and underscores can"),
        ("env", {"A": {"generator": "dice"}}, 'env.A has an unknown generator: there is only "secret"'),
        ("env", {"A": []}, "env.A must be a string"),
        ("addons", {"plan": "x"}, "addons must be a list of at most 200 entries"),
        ("addons", [{}], 'addons[0] must be a plan, such as "heroku-postgresql:essential-0", or an object with a plan'),
        ("addons", [{"plan": "x", "as": 1}], "addons[0] must have a name under as"),
        ("addons", [{"plan": "x", "options": []}], None),
        ("addons", [{"plan": "x", "options": [1]}], "addons[0] must have an object under options"),
        ("buildpacks", [{}], "buildpacks[0] must be an object with the buildpack's url"),
        ("formation", {"web": 2}, "formation.web must be an object with quantity and size"),
        ("formation", {"web": {"quantity": "2"}}, "formation.web must have a whole number as quantity"),
        ("formation", {"web": {"quantity": -1}}, "formation.web must have a whole number as quantity"),
        ("formation", {"web": {"size": 1}}, "formation.web must have the name of a dyno size as size"),
        ("cron", [{"schedule": "@daily"}], "cron[0] has no command"),
        ("cron", [{"command": "x"}], "cron[0] has no schedule"),
        ("cron", [{"command": "x", "schedule": ["@daily"]}], "cron[0] must have a string as schedule"),
        ("cron", ["x"], None),
        ("cron", [{"command": "x", "schedule": "@daily", "tz": "UTC"}], None),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(part: str, value: object, fault: str | None) -> None:
    reading = read({part: value, "description": "kept"})
    if part == "addons" and fault is None:
        assert reading.faults == ()
        return
    assert [found.part for found in reading.faults] == [part]
    assert fault in (None, reading.faults[0].text)
    assert reading.of(part) == [reading.faults[0].text]
    assert reading.manifest.description == "kept"


def test_the_rest_of_a_list_is_read_beside_a_fault() -> None:
    reading = read({"addons": ["one", 2, "three"], "scripts": {"postdeploy": {"command": "go"}}})
    assert [addon.plan for addon in reading.manifest.addons] == ["one", "three"]
    assert reading.manifest.postdeploy == "go"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from([*WHOLE, "other"]), JSON))
def test_whatever_it_holds_there_is_an_answer(parsed: dict[str, Any]) -> None:
    answers(json.dumps(parsed).encode())


@given(st.binary(max_size=200))
def test_whatever_bytes_there_are_there_is_an_answer(data: bytes) -> None:
    answers(data)


def answers(data: bytes) -> None:
    """Anything but `Invalid` fails the test."""
    with contextlib.suppress(Invalid):
        assert isinstance(manifests.read(data).manifest, Manifest)
