"""An app with a release command as clients meet it. How the command is run is tested elsewhere: here all waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from homeport import deploys, releases
from homeport.api.resources import releases as resource
from homeport.state import App, Database, Release
from tests.contract.api import api_world
from tests.contract.api.api_world import World

VARS, RELEASES = "/apps/shop/config-vars", "/apps/shop/releases"


@pytest.fixture
def outputs(tmp_path: Path) -> deploys.Outputs:
    return deploys.Outputs(tmp_path / "outputs")


@pytest.fixture
def world(database: Database, tmp_path: Path, outputs: deploys.Outputs) -> Iterator[World]:
    with api_world.opened(database, tmp_path, lambda _database: {"release_outputs": outputs}) as world:
        yield world


@pytest.fixture
def shop(world: World) -> App:
    """Runs v2, which has a release command."""
    app = world.create_app()
    world.release(app, web="serve", release="migrate")
    return app


def test_a_change_of_config_is_answered_as_it_will_be_and_shown_as_it_is(world: World, shop: App) -> None:
    changed = world.patch(VARS, {"A": "1"})
    assert changed.json() == {"A": "1"}
    assert "Release command executing: this config change will not be available" in changed.headers["X-Heroku-Warning"]
    assert world.get(VARS).json() == {}
    assert world.get(f"{RELEASES}/3/config-vars").json() == {"A": "1"}
    made = world.get(f"{RELEASES}/3").json()
    assert (made["status"], made["current"], made["eligible_for_rollback"]) == ("pending", False, False)
    assert world.get(RELEASES).json()[1]["current"]
    assert world.log(shop)[-1] == "Set A config vars by user ada@example.com"


def test_without_a_release_command_it_is_there_at_once(world: World, shop: App) -> None:
    world.release(shop, code="two", web="serve")
    changed = world.patch(VARS, {"A": "1"})
    assert "X-Heroku-Warning" not in changed.headers
    assert world.get(VARS).json() == {"A": "1"}
    assert world.get(f"{RELEASES}/4").json()["output_stream_url"] is None


def test_what_is_wrong_is_refused_at_once(world: World, shop: App) -> None:
    assert world.patch(VARS, {"A B": "1"}).status_code == 422
    assert world.patch(VARS, {"PORT": "1"}).status_code == 422
    assert len(world.get(RELEASES).json()) == 2


def test_a_rollback_and_a_slug_wait_too_and_say_where_to_read(world: World, shop: App) -> None:
    current = world.get(f"{RELEASES}/2").json()
    for body in ({"release": current["id"]}, {"slug": current["slug"]["id"], "description": "Again"}):
        made = world.post(RELEASES, body)
        assert made.status_code == 201
        assert made.json()["status"] == "pending"
        assert made.json()["output_stream_url"].startswith("https://")
    assert world.log(shop)[-2:] == ["Rollback to v2 by user ada@example.com", "Again by user ada@example.com"]


def test_output_is_waited_for_until_it_begins(
    world: World, shop: App, outputs: deploys.Outputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.patch(VARS, {"A": "1"})
    made = world.get(f"{RELEASES}/3").json()
    url = urlsplit(made["output_stream_url"]).path
    monkeypatch.setattr(resource, "PATIENCE", 0.0)
    assert world.get(url).status_code == 404, "as Heroku says that it has not started yet"
    monkeypatch.setattr(resource, "PATIENCE", 30.0)

    def begin() -> None:
        said = outputs.begin(made["id"], lambda _line: None)
        said("migrating")
        said.close()

    world.runner.get_loop().call_later(0.5, begin)
    assert world.get(url).text == "migrating\n"


def test_output_of_what_never_had_any_is_not_waited_for(world: World, shop: App) -> None:
    world.patch(VARS, {"A": "1"})
    made = world.get(f"{RELEASES}/3").json()
    with world.database.session() as session:
        releases.fail(session, session.get_one(Release, made["id"]))
    assert world.get(urlsplit(made["output_stream_url"]).path).status_code == 404
    assert world.get(f"{RELEASES}/3").json()["output_stream_url"] is None
