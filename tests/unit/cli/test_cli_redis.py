"""`homeport redis`, as terminal sessions."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.cli.cli_session import Session, Shown, failure

CONFIG = "PATCH /redis/v0/databases/id-of-redis-flat-1/config"


def addon(name: str, *config_vars: str, service: str = "heroku-redis") -> dict[str, Any]:
    return {
        "addon_service": {"name": service},
        "app": {"name": "demo"},
        "config_vars": list(config_vars),
        "id": f"id-of-{name}",
        "name": name,
        "state": "provisioned",
    }


FLAT = addon("redis-flat-1", "REDIS_URL")
ROUND = addon("redis-round-2", "HEROKU_REDIS_AMBER_URL")
DATABASE = addon("postgresql-flat-3", "DATABASE_URL", service="heroku-postgresql")
FACTS = {
    "info": [{"name": "Plan", "values": ["Mini"]}, {"name": "Timeout", "values": [300]}],
    "name": "redis-flat-1",
    "resource_url": "redis://:secret@127.0.0.1:17000",
}
ONE = {"GET /apps/demo/addons": [FLAT, DATABASE], "GET /redis/v0/databases/id-of-redis-flat-1": FACTS}


def test_info() -> None:
    assert Session(ONE).type("redis -a demo") == Shown(
        0, "=== redis-flat-1 (REDIS_URL)\n\nPlan:    Mini\nTimeout: 300\n"
    )
    (shown,) = json.loads(Session(ONE).type("redis:info --json -a demo").out)
    assert (shown["name"], shown["app"], shown["config_vars"]) == ("redis-flat-1", {"name": "demo"}, ["REDIS_URL"])


def test_an_app_without_stores() -> None:
    session = Session({"GET /apps/demo/addons": [DATABASE]})
    assert session.type("redis -a demo") == Shown(0)
    assert session.type("redis:credentials -a demo").err == failure(
        "No Redis instances found.\nCreate one: homeport addons:create heroku-redis -a demo", "no_store"
    )


def test_one_of_several_is_named_by_itself_or_by_its_config_var() -> None:
    answers = {
        "GET /apps/demo/addons": [FLAT, ROUND],
        "GET /redis/v0/databases/id-of-redis-round-2": {"resource_url": "rediss://:x@127.0.0.1:17003"},
    }
    assert Session(answers).type("redis:credentials amber -a demo").out == "rediss://:x@127.0.0.1:17003\n"
    assert Session(answers).type("redis:credentials redis-round-2 -a demo").out == "rediss://:x@127.0.0.1:17003\n"
    refused = Session(answers).type("redis:credentials -a demo")
    assert refused.code == 2
    assert "Found: redis-flat-1, redis-round-2" in refused.err


def test_credentials() -> None:
    session = Session({**ONE, "POST /redis/v0/databases/id-of-redis-flat-1/credentials_rotation": {"message": ""}})
    assert session.type("redis:credentials -a demo") == Shown(0, "redis://:secret@127.0.0.1:17000\n")
    assert session.type("redis:credentials --reset -a demo") == Shown(0, "Resetting credentials for redis-flat-1\n")
    assert session.requests[-1] == "POST /redis/v0/databases/id-of-redis-flat-1/credentials_rotation {}"


def test_maxmemory() -> None:
    value = {"value": "allkeys-lru", "values": {"allkeys-lru": "removes less recently used keys first"}}
    session = Session({**ONE, CONFIG: {"maxmemory_policy": value}})
    assert session.type("redis:maxmemory --policy allkeys-lru -a demo") == Shown(
        0,
        "Maxmemory policy for redis-flat-1 (REDIS_URL) set to allkeys-lru.\n"
        "allkeys-lru removes less recently used keys first.\n",
    )
    assert session.requests[-1] == f'{CONFIG} {{"maxmemory_policy": "allkeys-lru"}}'


def test_timeout() -> None:
    session = Session({**ONE, CONFIG: {"timeout": {"value": 60}}})
    assert session.type("redis:timeout -s 60 -a demo") == Shown(
        0,
        "Timeout for redis-flat-1 (REDIS_URL) set to 60 seconds.\n"
        "Connections to the Redis instance will be stopped after idling for 60 seconds.\n",
    )
    forever = Session({**ONE, CONFIG: {"timeout": {"value": 0}}}).type("redis:timeout -s 0 -a demo")
    assert forever.out.endswith("Connections to the Redis instance can idle indefinitely.\n")


def test_keyspace_notifications() -> None:
    session = Session({**ONE, CONFIG: {"notify_keyspace_events": {"value": ""}}})
    assert session.type("redis:keyspace-notifications --config '' -a demo") == Shown(
        0, "Keyspace notifications for redis-flat-1 (REDIS_URL) set to ''.\n"
    )
    assert session.requests[-1] == f'{CONFIG} {{"notify_keyspace_events": ""}}'


def test_what_is_to_be_set_must_be_said() -> None:
    for line in ("redis:maxmemory", "redis:timeout", "redis:keyspace-notifications", "redis:upgrade"):
        session = Session(ONE)
        assert session.type(f"{line} -a demo").code == 2
        assert session.requests == []


def test_promoting_keeps_the_old_store_within_reach() -> None:
    attached = [{"name": "REDIS", "addon": {"id": "id-of-redis-flat-1"}}]
    session = Session(
        {
            "GET /apps/demo/addons": [FLAT, ROUND],
            "GET /apps/demo/addon-attachments": attached,
            "POST /addon-attachments": {"name": "HEROKU_REDIS_JADE"},
        }
    )
    assert session.type("redis:promote amber -a demo") == Shown(
        0, "", "Promoting redis-round-2 to REDIS_URL on demo... done\n"
    )
    assert session.requests[-2:] == [
        'POST /addon-attachments {"addon": "id-of-redis-flat-1", "app": "demo", "confirm": "demo"}',
        'POST /addon-attachments {"addon": "id-of-redis-round-2", "app": "demo", "confirm": "demo", "name": "REDIS"}',
    ]


def test_promoting_what_is_promoted() -> None:
    attached = [{"name": "REDIS", "addon": {"id": "id-of-redis-flat-1"}}]
    session = Session({**ONE, "GET /apps/demo/addon-attachments": attached})
    assert session.type("redis:promote redis-flat-1 -a demo").err == failure(
        "redis-flat-1 is already REDIS_URL on demo.", "already_promoted"
    )


def test_statistics_are_reset_once_that_is_confirmed() -> None:
    session = Session({**ONE, "POST /redis/v0/databases/id-of-redis-flat-1/stats/reset": {"message": "Done."}})
    assert session.type("redis:stats-reset -a demo").code == 2
    assert session.type("redis:stats-reset --confirm demo -a demo") == Shown(
        0, "", "Resetting stats on redis-flat-1... Done.\n"
    )


def test_waiting() -> None:
    wait = "GET /redis/v0/databases/id-of-redis-flat-1/wait"
    assert Session({**ONE, wait: {"waiting?": False, "message": "available"}}).type("redis:wait -a demo") == Shown(0)


def test_a_store_that_cannot_be_reached_from_here_is_said_to_be_so() -> None:
    session = Session(ONE, env={"HOMEPORT_HOST": "https://example.com", "HOMEPORT_API_KEY": "secret-token"})
    refused = session.type("redis:cli -a demo")
    assert refused.code == 1
    assert "homeport addons:upgrade redis-flat-1 heroku-redis:premium-0" in refused.err
    assert "secret" not in refused.err
