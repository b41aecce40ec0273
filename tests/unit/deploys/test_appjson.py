"""What a push makes of an app.json."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from homeport import manifests
from homeport.deploys import appjson
from homeport.deploys.appjson import AppJson, Present
from homeport.dynos import Update
from homeport.errors import Invalid

NOTHING = Present((), ())
GREET = {"command": "hello", "schedule": "*/5 * * * *", "name": "greet"}


def considered(parsed: object, present: Present | None = None) -> AppJson:
    return appjson.consider(manifests.read(json.dumps(parsed).encode()), present)


def test_no_app_json(tmp_path: Path) -> None:
    assert appjson.find(tmp_path) is None
    assert appjson.consider(None, NOTHING) == AppJson()


def test_a_link_that_leads_out_of_the_source_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"name": "secret"}')
    source = tmp_path / "source"
    source.mkdir()
    (source / "app.json").symlink_to(tmp_path / "secret")
    assert appjson.find(source) is None
    (source / "app.json").unlink()
    (source / "app.json").mkdir()
    assert appjson.find(source) is None
    (source / "app.json").rmdir()
    (source / "app.json").write_text('{"name": "mine"}')
    found = appjson.find(source)
    assert found is not None
    assert found.manifest.name == "mine"


def test_a_huge_one_is_not_read_to_its_end(tmp_path: Path) -> None:
    with (tmp_path / "app.json").open("wb") as file:
        file.truncate(10 * 1024**3)
    with pytest.raises(Invalid) as refused:
        appjson.find(tmp_path)
    assert refused.value.id == "manifest_syntax"


def test_jobs_come_with_every_release_and_are_told() -> None:
    found = considered({"cron": [GREET, {"command": "tick", "schedule": "@daily", "timezone": "Europe/Berlin"}]})
    assert found.cron == (GREET, {"command": "tick", "schedule": "@daily", "timezone": "Europe/Berlin"})
    assert found.told == (
        "-----> Scheduled jobs in app.json",
        "       greet: */5 * * * * UTC",
        "       tick: Daily at 00:00 Europe/Berlin",
    )


def test_jobs_that_cannot_be_are_refused_all_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        considered({"cron": [GREET, {"command": "x"}, {"command": "y", "schedule": "61 * * * *"}]})
    assert refused.value.id == "manifest_cron"
    assert refused.value.why.splitlines()[0] == "cron[1] has no schedule"
    assert refused.value.why.splitlines()[1].startswith("cron: y: '61 * * * *' is no cron expression. Bad minute.")


def test_the_rest_is_for_the_first_release() -> None:
    parsed = {
        "env": {"SECRET_KEY": {"generator": "secret"}, "DEBUG": "0", "NOTE": {"required": False}, "SET": {}, "1": "x"},
        "addons": ["heroku-redis:mini", "scheduler"],
        "formation": {
            "web": {"quantity": 2, "size": "standard-2x"}, "worker": {"size": "huge"}, "release": {"quantity": 1},
            "clock": {"quantity": 101},
        },
    }  # fmt: skip
    assert considered(parsed) == AppJson()
    found = considered(parsed, Present(["SET"], ["scheduler"]))
    assert found.formation == (Update("web", 2, "Standard-2X"),)
    assert found.told == (
        " !     app.json: env.1 can't be the name of a config var: letters, digits and underscores can",
        " !     app.json: formation.worker: Couldn't find that dyno size (huge).",
        " !     app.json: formation.release can't have 1 dynos",
        " !     app.json: formation.clock can't have 101 dynos",
        " !     app.json: SECRET_KEY is not set. Set it: heroku config:set SECRET_KEY=VALUE",
        " !     app.json: DEBUG is not set. Set it: heroku config:set DEBUG=0",
        " !     app.json: heroku-redis:mini is not there. Add it: heroku addons:create heroku-redis:mini",
    )
