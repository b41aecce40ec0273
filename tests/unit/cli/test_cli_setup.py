"""`homeport apps:setup`, as terminal sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.cli.cli_session import Session

TEXT = '{"addons": ["heroku-redis"], "env": {"WHO": {}}}'


def setup(status: str = "succeeded", **more: object) -> dict[str, Any]:
    return {
        "app": {"id": "app-1", "name": "blog"}, "build": None, "failure_message": None, "id": "setup-1",
        "manifest_errors": [], "postdeploy": None, "status": status, **more,
    }  # fmt: skip


def answers(first: dict[str, Any], then: dict[str, Any]) -> dict[str, Any]:
    return {
        "POST /app-setups": first,
        "GET /app-setups/setup-1": then,
        "GET /apps/blog": {"name": "blog", "web_url": "https://blog.localhost:8443/"},
        "GET /apps/blog/addons": [{"plan": {"name": "heroku-redis:mini"}}],
        "GET /apps/blog/config-vars": {"WHO": "me", "REDIS_URL": "redis://:secret@127.0.0.1:1"},
    }


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "app.json"
    path.write_text(TEXT)
    return path


def test_an_app_is_set_up_and_its_remote_added(manifest: Path) -> None:
    session = Session(answers(setup("pending"), setup()))
    shown = session.type(f"apps:setup blog --manifest {manifest} --env 'WHO=me;LANG=de' --no-remote")
    assert shown.code == 0
    assert shown.err == "Setting up the app... done, blog\n"
    assert (
        shown.out
        == """\
=== blog

Add-ons:     heroku-redis:mini
Config vars: REDIS_URL
             WHO
Git URL:     https://localhost:8443/blog.git
Web URL:     https://blog.localhost:8443/

Now push it: git push https://localhost:8443/blog.git main
"""
    )
    asked = json.loads(session.api.requests[0].removeprefix("POST /app-setups "))
    assert asked == {"manifest": TEXT, "app": {"name": "blog"}, "overrides": {"env": {"WHO": "me", "LANG": "de"}}}


@pytest.mark.parametrize(
    ("there", "target"),
    [
        ({}, "heroku"),
        ({"heroku": "https://localhost:8443/blog.git"}, "heroku"),
        ({"heroku": "https://localhost:8443/shop.git"}, "https://localhost:8443/blog.git"),
    ],
)
def test_the_push_that_is_proposed_reaches_the_new_app(manifest: Path, there: dict[str, str], target: str) -> None:
    session = Session(answers(setup("pending"), setup()), remotes=there)
    shown = session.type(f"apps:setup blog --manifest {manifest}")
    assert shown.out.endswith(f"Now push it: git push {target} main\n")


def test_what_is_missing_is_told_with_the_words_that_give_it(manifest: Path) -> None:
    failed = setup("failed", failure_message="invalid app.json", manifest_errors=["config var WHO is required"])
    shown = Session(answers(setup("pending"), failed)).type(f"apps:setup --manifest {manifest}")
    assert shown.code == 1
    assert "The app was not set up: invalid app.json.\n" in shown.err
    assert "Give it: --env 'WHO=…'" in shown.err
    assert "Error ID: setup_failed" in shown.err


def test_no_app_json(tmp_path: Path) -> None:
    session = Session({})
    shown = session.type(f"apps:setup --manifest {tmp_path / 'none.json'}")
    assert "none.json cannot be read: No such file or directory." in shown.err
    assert "Error ID: no_manifest" in shown.err
    (tmp_path / "odd.json").write_bytes(b"\xff\xfe")
    assert "is not text in UTF-8" in session.type(f"apps:setup --manifest {tmp_path / 'odd.json'}").err
    assert session.api.requests == []


def test_what_is_no_config_var(manifest: Path) -> None:
    session = Session({})
    assert "'WHO' is no config var." in session.type(f"apps:setup --manifest {manifest} --env WHO").err
    assert session.api.requests == []
