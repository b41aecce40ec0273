"""What can be had, and what somebody meant who asked for something else."""

from __future__ import annotations

import pytest

from homeport.addons import catalog
from homeport.errors import Invalid, NotFound


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("heroku-postgres", "heroku-postgresql"),
        ("heroku-postgres:essential-0", "heroku-postgresql"),
        ("postgres:mini", "heroku-postgresql"),
        ("Heroku-PostgreSQL", "heroku-postgresql"),
        ("heroku-reddis", "heroku-redis"),
        ("rediscloud:30", "heroku-redis"),
        ("s3", "bucketeer"),
        ("senrty:f1", "sentry"),
        ("heroku-postgresql:essental-0", "heroku-postgresql:essential-0"),
        ("heroku-redis:Premium-3", "heroku-redis:premium-3"),
    ],
)
def test_somebody_who_asks_for_something_like_it_is_told_its_name(asked: str, meant: str) -> None:
    with pytest.raises(Invalid) as refused:
        catalog.plan(asked)
    assert refused.value.fix.startswith(f"Did you mean {meant}? See the ")


@pytest.mark.parametrize(
    "asked", ["", ":", "mailgun", "heroku-kafka", "x" * 100_000, "heroku-postgresql:", "scheduler:gold"]
)
def test_nothing_is_offered_for_what_is_like_nothing(asked: str) -> None:
    with pytest.raises(Invalid) as refused:
        catalog.plan(asked)
    assert refused.value.fix.startswith("See the ")


def test_a_service_that_is_asked_for_by_another_name() -> None:
    with pytest.raises(NotFound, match="Couldn't find that add-on service") as refused:
        catalog.service("postgres")
    assert refused.value.fix == "Did you mean heroku-postgresql? See them: `heroku addons:services`."


def test_every_other_name_leads_to_a_service() -> None:
    for name in ("db", "redis", "bucket", "errors", "cron"):
        with pytest.raises(NotFound) as refused:
            catalog.service(name)
        meant = refused.value.fix.removeprefix("Did you mean ").partition("?")[0]
        assert catalog.service(meant).name == meant
