"""What an add-on has changed of itself, for an app that runs with it."""

from __future__ import annotations

from homeport.addons.attaching import renewed

BEFORE, AFTER = {"OLD_URL": "db://a:1"}, {"OLD_URL": "db://a:2"}


def test_a_value_is_renewed_by_whatever_name_the_app_knows_it() -> None:
    there = {"DATABASE_URL": "db://a:1", "OLD_URL": "db://a:1", "OTHER_URL": "db://b:1"}
    assert renewed(there, [(BEFORE, AFTER)]) == {
        "DATABASE_URL": "db://a:2",
        "OLD_URL": "db://a:2",
        "OTHER_URL": "db://b:1",
    }


def test_what_the_app_does_not_run_with_is_not_brought_in() -> None:
    assert renewed({"OTHER_URL": "db://b:1"}, [(BEFORE, AFTER)]) == {"OTHER_URL": "db://b:1"}
    assert renewed({}, [(BEFORE, {**AFTER, "OLD_TLS_URL": "dbs://a"})]) == {}


def test_what_an_add_on_gives_beside_what_the_app_has_of_it_comes_along() -> None:
    more = {**AFTER, "OLD_TLS_URL": "dbs://a"}
    assert renewed({"OLD_URL": "db://a:1"}, [(BEFORE, more)]) == more


def test_values_that_stay_are_nobodys_to_change() -> None:
    same = {"BUCKET_REGION": "us-east-1", "BUCKET_KEY": "k1"}
    there = {**same, "OTHER_REGION": "us-east-1"}
    assert renewed(there, [(same, {**same, "BUCKET_KEY": "k2"})]) == {**there, "BUCKET_KEY": "k2"}
