"""Moving to a newer major version. The machine has one; here it is there twice, the second time as the next one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from homeport.addons import Postgres
from homeport.addons.postgres import versions
from homeport.addons.postgres.versions import Version
from homeport.errors import HomeportError
from tests.integration.addons.postgres_ground import Ground

pytestmark = pytest.mark.slow


@pytest.fixture
def newer(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The number of a version that was installed after the database was made."""
    (now, *_) = versions.installed()
    both = (Version(now.major + 1, now.programs), now)
    monkeypatch.setattr(versions, "installed", lambda: both)
    yield now.major + 1
    ground.run(ground.postgres.cluster(both[0]).stop())


def upgraded(ground: Ground) -> dict[str, object]:
    path = ground.data("upgrade", "wait_status")
    ground.until(lambda: not ground.world.get(path).json()["waiting?"])
    found: dict[str, object] = ground.world.get(path).json()
    return found


def test_apps_follow_to_the_newer_server_with_all_data(ground: Ground, newer: int) -> None:
    ground.sql("CREATE EXTENSION hstore; CREATE TABLE people AS SELECT generate_series(1, 300) AS id")
    before = Postgres.login(ground.resource())
    with psycopg.connect(before.url, autocommit=True) as connection:
        assert ground.world.post(ground.data("upgrade", "run"), {"version": str(newer)}).status_code == 200
        assert ground.world.post(ground.data("upgrade", "run")).status_code == 409
        assert "was upgraded" in str(upgraded(ground)["message"])
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    after = Postgres.login(ground.resource())
    assert (after.version, after.name, after.password) == (newer, before.name, before.password)
    assert after.port != before.port
    assert ground.config()["DATABASE_URL"] == after.url
    assert ground.history()[-1] == "Update DATABASE by heroku-postgresql"
    assert ground.sql("SELECT count(*) FROM people") == [(300,)]
    with pytest.raises(psycopg.OperationalError):  # the old one is gone
        psycopg.connect(before.url)
    assert ground.leftovers() == []
    assert ground.told == [f"main-db: The database was upgraded to PostgreSQL {newer}."]


def test_a_trial_changes_nothing(ground: Ground, newer: int) -> None:
    ground.sql("CREATE TABLE people AS SELECT generate_series(1, 300) AS id")
    before = ground.config()
    assert ground.world.post(ground.data("upgrade", "dry_run"), {}).status_code == 200
    assert upgraded(ground)["message"] == f"The database could be upgraded to PostgreSQL {newer}."
    assert ground.config() == before
    assert ground.sql("SELECT count(*) FROM people") == [(300,)]


def test_what_fails_leaves_the_app_where_it_was(ground: Ground, newer: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.sql("CREATE TABLE people AS SELECT generate_series(1, 300) AS id")
    before = ground.config()

    async def full(*_: object, **__: object) -> int:
        raise HomeportError("disk_full", "The disk is full.")

    monkeypatch.setattr("homeport.addons.postgres.work.restore", full)
    assert ground.world.post(ground.data("upgrade", "run")).status_code == 200
    status = upgraded(ground)
    assert status["error?"] is True
    assert "The disk is full." in str(status["message"])
    assert ground.config() == before
    assert ground.sql("SELECT count(*) FROM people") == [(300,)]


def test_no_write_is_lost_on_the_way(ground: Ground, newer: int) -> None:
    """Whoever writes while it moves is refused, or finds it on the other side."""
    ground.sql("CREATE TABLE written (x int)")
    url, acknowledged = ground.url(), [0]

    def write() -> None:
        try:
            with psycopg.connect(url, autocommit=True) as connection:
                for number in range(1, 1_000_000):
                    connection.execute("INSERT INTO written VALUES (%s)", (number,))
                    acknowledged[0] = number
        except psycopg.Error:
            return

    writer = threading.Thread(target=write)
    writer.start()
    ground.until(lambda: acknowledged[0] > 20)
    assert ground.world.post(ground.data("upgrade", "run")).status_code == 200
    assert upgraded(ground).get("error?") is None
    writer.join()
    ((most,),) = ground.sql("SELECT max(x) FROM written")
    assert most >= acknowledged[0]


def test_without_a_newer_version_it_says_so(ground: Ground) -> None:
    for body in ({}, {"version": "15"}, {"version": "9"}):
        assert ground.world.post(ground.data("upgrade", "run"), body).status_code == 422
    assert ground.world.post(ground.data("upgrade", "cancel")).status_code == 422
    assert ground.world.post(ground.data("upgrade", "prepare")).status_code == 200
    assert ground.world.get(ground.data("upgrade", "wait_status")).json()["waiting?"] is False
