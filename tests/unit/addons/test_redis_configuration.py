"""What Redis servers are told, and what their owners may choose."""

from __future__ import annotations

from dataclasses import replace

import pytest

from homeport.addons.redis.configuration import (
    FORBIDDEN,
    Access,
    Limits,
    Listening,
    Sync,
    fingerprint,
    redis_conf,
    scratch_conf,
)
from homeport.addons.redis.tuning import POLICIES, Tuning
from homeport.errors import Invalid

PLAIN = Listening(("127.0.0.1",), tls=17001, plain=17000)
LIMITS = Limits(25 * 1024**2, 20, Sync.WHEN_THE_SYSTEM_LIKES)
ACCESS = Access(fingerprint("the app's password"), fingerprint("our password"))


def told(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.splitlines() if not line.startswith(("#", "user ")))


def test_no_password_is_in_the_file() -> None:
    text = redis_conf(PLAIN, LIMITS, Tuning(), ACCESS)
    assert "password" not in text
    assert f"user default on #{ACCESS.app} " in text


def test_limits_are_the_plans() -> None:
    lines = told(redis_conf(PLAIN, LIMITS, Tuning(), ACCESS))
    assert lines["maxmemory"] == "26214400"
    assert int(lines["maxclients"]) > 20
    assert (lines["maxmemory-policy"], lines["timeout"], lines["notify-keyspace-events"]) == ("noeviction", "300", '""')


def test_data_are_always_written_down() -> None:
    lines = told(redis_conf(PLAIN, replace(LIMITS, sync=Sync.BEFORE_REPLY), Tuning(), ACCESS))
    assert (lines["appendonly"], lines["appendfsync"]) == ("yes", "always")


def test_a_server_without_a_plain_port_takes_connections_by_tls_only() -> None:
    lines = told(redis_conf(Listening(("*",), tls=17001), LIMITS, Tuning(), ACCESS))
    assert (lines["bind"], lines["port"], lines["tls-port"]) == ("* -::*", "0", "17001")


def test_a_server_listens_on_loopback_in_any_case() -> None:
    assert Listening(("192.0.2.7",), tls=17001).settings()["bind"] == "127.0.0.1 192.0.2.7"


@pytest.mark.parametrize("command", ["config", "shutdown", "debug", "acl", "replicaof", "migrate", "module"])
def test_an_app_cannot_undo_its_limits(command: str) -> None:
    assert command in FORBIDDEN
    assert f" -{command}" in redis_conf(PLAIN, LIMITS, Tuning(), ACCESS)


def test_nobody_reaches_a_server_that_reads_a_backup() -> None:
    text = scratch_conf(ACCESS.admin)
    assert told(text)["port"] == "0"
    assert "tls-port" not in text
    assert "user default off" in text


def test_settings_come_back_as_they_were_remembered() -> None:
    chosen = Tuning(policy="allkeys-lru", timeout=0, events="AKE")
    assert Tuning.of(chosen.remembered()) == chosen
    assert Tuning.of({}) == Tuning()


@pytest.mark.parametrize("policy", POLICIES)
def test_every_policy_can_be_chosen(policy: str) -> None:
    assert Tuning(policy=policy).check().policy == policy


@pytest.mark.parametrize(
    "wrong",
    [
        Tuning(policy="sometimes"),
        Tuning(timeout=-1),
        Tuning(timeout=2**31),
        Tuning(events="lq"),
        Tuning(events="lx"),
        Tuning(events="K\nrequirepass x"),
    ],
)
def test_nonsense_is_refused(wrong: Tuning) -> None:
    with pytest.raises(Invalid):
        wrong.check()
