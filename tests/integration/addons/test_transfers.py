"""Backups, restores, copies, schedules and snapshots on a real server."""

from __future__ import annotations

import asyncio
import http.server
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

import psycopg
import pytest
from sqlalchemy import event

from homeport import apps, reach
from homeport.addons import transfer_records
from homeport.addons.postgres import databases, downloads, slots, work
from homeport.addons.postgres.dumps import Dumps, Login
from homeport.errors import HomeportError, Unavailable
from homeport.state import Addon, Transfer
from tests.integration.addons.postgres_ground import Ground

pytestmark = pytest.mark.slow

PEOPLE = "CREATE TABLE people AS SELECT g AS id, 'n' || g AS name FROM generate_series(1, 500) AS g"
COUNT = "SELECT count(*) FROM people"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder over HTTP, as a bucket would serve it."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type]

        def log_message(self, format: str, *arguments: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def restore(ground: Ground, url: str, **more: object) -> dict[str, Any]:
    response = ground.world.post(ground.data("restores"), {"backup_url": url, **more})
    assert response.status_code == 201, response.text
    return ground.finished(response.json()["uuid"])


def path_of(ground: Ground, transfer: dict[str, Any]) -> Path:
    return ground.transfers.folder / f"{transfer['uuid']}.dump"


def test_a_backup_brings_back_what_was(ground: Ground) -> None:
    ground.sql(PEOPLE)
    ground.sql("CREATE EXTENSION postgis; CREATE EXTENSION hstore; COMMENT ON TABLE people IS 'all of them'")
    ground.sql("INSERT INTO spatial_ref_sys (srid, auth_name) VALUES (990001, 'ours')")
    backup = ground.backup()
    assert (backup["succeeded"], backup["from_name"], backup["warnings"]) == (True, "DATABASE", 0)
    assert backup["processed_bytes"] == path_of(ground, backup).stat().st_size > 0
    assert backup["source_bytes"] > 0

    ground.sql("DROP TABLE people; CREATE TABLE intruders (x int)")
    done = restore(ground, backup["to_url"])
    assert (done["succeeded"], done["warnings"]) == (True, 0), done["logs"]
    assert ground.sql(COUNT) == [(500,)]
    assert ground.sql("SELECT to_regclass('intruders')") == [(None,)]
    assert ground.sql("SELECT obj_description('people'::regclass)") == [("all of them",)]
    assert ground.sql("SELECT count(*) FROM spatial_ref_sys WHERE srid = 990001") == [(1,)]
    owner = ground.resource().secret["user"]
    assert ground.sql("SELECT tableowner::text FROM pg_tables WHERE tablename = 'people'") == [(owner,)]
    ground.sql("INSERT INTO people VALUES (501, 'new')")
    assert ground.leftovers() == []


def test_settings_of_the_database_outlive_a_restore(ground: Ground) -> None:
    name = ground.resource().secret["database"]
    ground.sql(f"ALTER DATABASE {name} SET search_path = one, public; ALTER DATABASE {name} SET work_mem = '7MB'")
    assert restore(ground, ground.backup()["to_url"])["succeeded"]
    assert ground.sql("SHOW search_path") == [("one, public",)]
    assert ground.sql("SHOW work_mem") == [("7MB",)]


def test_a_damaged_archive_changes_nothing(ground: Ground, tmp_path: Path) -> None:
    ground.sql(PEOPLE)
    whole = path_of(ground, ground.backup()).read_bytes()
    ground.sql("DELETE FROM people WHERE id > 5")
    half = len(whole) // 2
    damaged = {
        "empty": b"",
        "short": whole[:-200],
        "half": whole[:half],
        "bitten": whole[:half] + bytes(40) + whole[half + 40 :],
        "page.html": b"<html>404</html>",
    }
    for name, content in damaged.items():
        (tmp_path / name).write_bytes(content)
    with served(tmp_path) as url:
        for name in damaged:
            done = restore(ground, f"{url}/{name}")
            assert done["succeeded"] is False, name
            assert "nothing was changed" in done["logs"][0]["message"] or len(done["logs"]) > 1
        missing = restore(ground, f"{url}/missing.dump")
        assert "answered 404" in missing["logs"][-1]["message"] + missing["logs"][-2]["message"]
    assert ground.sql(COUNT) == [(5,)]
    assert ground.leftovers() == []


def test_an_archive_from_elsewhere_is_restored_by_url(ground: Ground, tmp_path: Path) -> None:
    ground.sql(PEOPLE)
    (tmp_path / "latest.dump").write_bytes(path_of(ground, ground.backup()).read_bytes())
    other = ground.create()
    with served(tmp_path) as url:
        response = ground.world.post(ground.data("restores", addon=other), {"backup_url": f"{url}/latest.dump"})
        assert ground.finished(response.json()["uuid"])["succeeded"]
    assert ground.sql(COUNT, addon=other) == [(500,)]


def test_only_web_addresses_are_fetched(ground: Ground) -> None:
    for url in ("file:///etc/passwd", "/etc/passwd", "ftp://host/x", "homeport://backups/none"):
        response = ground.world.post(ground.data("restores"), {"backup_url": url})
        assert response.status_code in (404, 422), url


def test_connections_end_when_their_database_is_replaced(ground: Ground) -> None:
    ground.sql(PEOPLE)
    backup = ground.backup()
    with psycopg.connect(ground.url(), autocommit=True) as connection:
        assert restore(ground, backup["to_url"])["succeeded"]
        with pytest.raises(psycopg.OperationalError):
            connection.execute("INSERT INTO people VALUES (0, 'lost')")
    assert ground.sql(COUNT) == [(500,)]


def test_a_backup_does_not_need_one_of_the_apps_connections(ground: Ground) -> None:
    limit = ground.resource().plan.limits["connections"]
    held = [psycopg.connect(ground.url()) for _ in range(limit)]
    try:
        with pytest.raises(psycopg.OperationalError, match="too many connections"):
            psycopg.connect(ground.url())
        assert ground.backup()["succeeded"]
    finally:
        for connection in held:
            connection.close()


def test_a_backup_can_be_canceled(ground: Ground) -> None:
    ground.sql(PEOPLE)
    with psycopg.connect(ground.url()) as blocking:
        blocking.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
        uuid = ground.world.post(ground.data("backups")).json()["uuid"]
        transfer = f"/client/v11/apps/shop/transfers/{uuid}"
        ground.until(lambda: ground.world.get(transfer).json()["started_at"])
        ground.until(lambda: ground.admin("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"))
        assert ground.world.delete(transfer).status_code == 409
        canceled = ground.world.post(f"{transfer}/actions/cancel").json()
    assert canceled["canceled_at"]
    assert canceled["succeeded"] is False
    assert ground.leftovers() == []
    assert ground.world.post(f"{transfer}/actions/public-url").status_code == 422
    assert ground.world.delete(transfer).status_code == 200


def test_what_a_killed_daemon_leaves_is_swept_and_said(ground: Ground) -> None:
    """Its tools die with it; rows, roles, databases and files stay for the next one."""

    async def left_behind() -> None:
        place = await ground.postgres.place(await ground.addons.resource(ground.addon))
        async with place.cluster.connect() as connection:
            await connection.execute("CREATE ROLE guest_0123 LOGIN")
            await connection.execute("CREATE DATABASE scratch_0123")
            await connection.execute(f"ALTER DATABASE {place.name} ALLOW_CONNECTIONS false")

    ground.run(left_behind())
    with ground.world.database.session() as session:
        wanted = transfer_records.Order(transfer_records.Kind.BACKUP, ground.addon.id, "DATABASE", "BACKUP")
        transfer_id = transfer_records.order(session, wanted).id

    async def next_daemon() -> None:
        again = type(ground.postgres)(ground.machine.site)
        await again.tend([await ground.addons.resource(ground.addon)])
        transfers = type(ground.transfers)(ground.machine.home, ground.world.database, ground.addons, again)
        task = asyncio.create_task(transfers.run())
        await asyncio.sleep(0.2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    ground.run(next_daemon())
    assert ground.leftovers() == []
    assert ground.sql("SELECT 1") == [(1,)]
    with ground.world.database.session() as session:
        row = session.get_one(Transfer, transfer_id)
        assert row.succeeded is False
        assert "stopped" in row.logs[-1][1]


def test_a_full_disk_fails_the_backup_and_leaves_nothing(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.sql(PEOPLE)
    ground.backup()

    def to_a_full_disk(transfer: Transfer) -> Path:
        path = ground.transfers.folder / f"{transfer.id}.dump"
        path.with_suffix(".draft").symlink_to("/dev/full")
        return path

    monkeypatch.setattr(ground.transfers, "path", to_a_full_disk)
    failed = ground.backup()
    assert failed["succeeded"] is False
    assert "The disk says: Invalid argument" in failed["logs"][-1]["message"]  # which is what fsync(2) of it says
    assert ground.leftovers() == []


def test_a_backup_that_was_not_written_to_its_end_is_no_backup(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """pg_dump 15 says nothing of it when the last block doesn't fit on the disk."""
    ground.sql(PEOPLE)

    async def short(self: Dumps, login: Login, into: BinaryIO, **options: Any) -> None:
        await dump(self, login, into, **options)
        os.truncate(into.fileno(), os.fstat(into.fileno()).st_size - 100)

    dump = Dumps.dump
    monkeypatch.setattr(Dumps, "dump", short)
    failed = ground.backup()
    assert failed["succeeded"] is False
    assert "can't be read back" in " ".join(line["message"] for line in failed["logs"])
    assert ground.leftovers() == []


def test_downloaded_by_a_url_that_is_its_own_key(ground: Ground) -> None:
    ground.sql(PEOPLE)
    backup = ground.backup()
    given = ground.world.post(f"/client/v11/apps/shop/transfers/{backup['num']}/actions/public-url").json()
    assert given["url"].startswith("https://localhost:8443/backups/")
    anonymous = {"Authorization": ""}
    got = ground.run(ground.world.http.get(given["url"], headers=anonymous))
    assert got.status_code == 200
    assert got.content == path_of(ground, backup).read_bytes()
    assert got.headers["content-length"] == str(len(got.content))
    part = ground.run(ground.world.http.get(given["url"], headers={**anonymous, "Range": "bytes=0-4"}))
    assert (part.status_code, part.content) == (206, b"PGDMP")
    *rest, expires, key = given["url"].split("/")
    for url in ("/".join([*rest, expires, key[:-1] + "0"]), "/".join([*rest, str(int(expires) + 1), key])):
        assert ground.run(ground.world.http.get(url, headers=anonymous)).status_code == 404
    assert restore(ground, given["url"])["succeeded"]


def test_copied_from_one_database_into_another_and_elsewhere(ground: Ground) -> None:
    ground.sql(PEOPLE)
    other, elsewhere = ground.create(), ground.create()
    ground.sql("CREATE TABLE gone (x int)", addon=other)

    def copy(into: str, source: str, target: str) -> dict[str, object]:
        body = {"from_name": "A", "from_url": source, "to_name": "B", "to_url": target}
        response = ground.world.post(into, body)
        assert response.status_code == 201, response.text
        return ground.finished(response.json()["uuid"])

    done = copy(ground.data("transfers", addon=other), ground.url(), ground.url(other))
    assert (done["succeeded"], done["from_name"], done["to_name"]) == (True, "A", "B"), done["logs"]
    assert ground.sql(COUNT, addon=other) == [(500,)]
    assert ground.sql("SELECT to_regclass('gone')", addon=other) == [(None,)]

    # To the platform, a database that the path doesn't name is one elsewhere.
    assert copy(ground.data("transfers"), ground.url(), ground.url(elsewhere))["succeeded"]
    assert ground.sql(COUNT, addon=elsewhere) == [(500,)]
    assert ground.leftovers() == []


def test_a_copy_needs_a_database_of_ours_and_real_urls(ground: Ground) -> None:
    for source, target in (("postgres://a/b", "postgres://c/d"), ("nonsense", ground.url()), (ground.url(), "")):
        body = {"from_name": "A", "from_url": source, "to_name": "B", "to_url": target}
        assert ground.world.post(ground.data("transfers"), body).status_code == 422
    unreachable = {"from_url": "postgres://u:hidden-word@127.0.0.1:1/d", "to_url": ground.url()}
    done = ground.finished(ground.world.post(ground.data("transfers"), unreachable).json()["uuid"])
    assert done["succeeded"] is False
    assert "hidden-word" not in str(done)


def test_copies_lead_to_our_databases_and_public_addresses_only(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may deploy could read a database of the operator's that trusts this machine."""
    ground.sql(PEOPLE)
    monkeypatch.delenv(reach.NETWORKS)
    with socket.create_server(("127.0.0.1", 0)) as trusting:
        trusting.settimeout(0)
        inner = f"postgres://u:p@127.0.0.1:{trusting.getsockname()[1]}/d"
        for body in ({"from_url": inner, "to_url": ground.url()}, {"from_url": ground.url(), "to_url": inner}):
            done = ground.finished(ground.world.post(ground.data("transfers"), body).json()["uuid"])
            assert done["succeeded"] is False
            assert "127.0.0.1 is not an address of the public internet" in str(done["logs"])
        with pytest.raises(BlockingIOError):
            trusting.accept()
    other = ground.create()
    body = {"from_url": ground.url(), "to_url": ground.url(other)}
    done = ground.finished(ground.world.post(ground.data("transfers", addon=other), body).json()["uuid"])
    assert done["succeeded"], done["logs"]


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_servers_that_say_nothing_hold_up_no_backup_and_no_other_app(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "TIMEOUT", None)
    ground.sql(PEOPLE)
    (tmp_path / "latest.dump").write_bytes(path_of(ground, ground.backup()).read_bytes())
    jobs = ground.world.create_app("jobs")
    other = ground.create(jobs.name)
    with silent() as address, served(tmp_path) as url:
        body = {"backup_url": f"http://{address}/latest.dump"}
        stuck = [ground.world.post(ground.data("restores"), body) for _ in range(3)]
        assert ground.backup()["succeeded"]
        whole = ground.world.post(ground.data("restores", addon=other), {"backup_url": f"{url}/latest.dump"}).json()
        transfer = f"/client/v11/apps/jobs/transfers/{whole['uuid']}"
        ground.until(lambda: ground.world.get(transfer).json()["succeeded"])
        for response in reversed(stuck):
            transfer = f"/client/v11/apps/shop/transfers/{response.json()['uuid']}"
            assert ground.world.get(transfer).json()["finished_at"] is None
            assert ground.world.post(f"{transfer}/actions/cancel").status_code == 201
    assert ground.leftovers() == []


def test_what_takes_too_long_is_given_up(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "MOST_SECONDS", 0.5)
    with silent() as address:
        done = restore(ground, f"http://{address}/latest.dump")
    assert done["succeeded"] is False
    assert "so it is given up" in str(done["logs"])
    assert ground.leftovers() == []


def test_what_is_fetched_does_not_fill_the_disk(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.sql(PEOPLE)
    other = ground.create()
    (tmp_path / "latest.dump").write_bytes(path_of(ground, ground.backup()).read_bytes())
    monkeypatch.setattr(slots, "SPARE_BYTES", shutil.disk_usage(tmp_path).total)
    with served(tmp_path) as url:
        fetched = restore(ground, f"{url}/latest.dump")
    body = {"from_url": ground.url(other), "to_url": ground.url()}
    copied = ground.finished(ground.world.post(ground.data("transfers"), body).json()["uuid"])
    for done in (fetched, copied):
        assert done["succeeded"] is False
        assert "The disk is nearly full" in str(done["logs"])
    assert ground.sql(COUNT) == [(500,)]
    assert ground.leftovers() == []
    assert ground.backup()["succeeded"]


def test_a_guest_who_could_not_be_made_whole_is_shown_out(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    execute = psycopg.AsyncConnection.execute

    async def failing(self: Any, query: Any, *values: Any, **options: Any) -> Any:
        if isinstance(query, psycopg.sql.Composed) and "SET role" in query.as_string(None):
            raise psycopg.OperationalError("the connection was lost")
        return await execute(self, query, *values, **options)

    with monkeypatch.context() as patch:
        patch.setattr(psycopg.AsyncConnection, "execute", failing)
        assert ground.backup()["succeeded"] is False
    assert ground.leftovers() == []


def test_a_list_of_transfers_reads_no_logs(ground: Ground) -> None:
    """Of hundreds of transfers they are megabytes."""
    backup = ground.backup()
    said: list[str] = []
    with ground.world.database.session() as session:
        engine = session.get_bind()

    def hear(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        said.append(statement)

    event.listen(engine, "before_cursor_execute", hear)
    try:
        (listed,) = ground.world.get("/client/v11/apps/shop/transfers").json()
    finally:
        event.remove(engine, "before_cursor_execute", hear)
    assert (listed["uuid"], listed["logs"]) == (backup["uuid"], [])
    assert any("transfers.num" in statement for statement in said)
    assert not any("transfers.logs" in statement for statement in said)
    assert ground.finished(backup["uuid"])["logs"]


def test_a_scheduled_backup_is_proved(ground: Ground) -> None:
    ground.sql(PEOPLE)
    ground.sql("CREATE EXTENSION postgis; CREATE TABLE none (x int)")
    body = {"hour": "3", "timezone": "UTC", "schedule_name": "DATABASE_URL"}
    made = ground.world.post(ground.data("transfer-schedules"), body)
    assert (made.status_code, made.json()["hour"]) == (201, 3)
    (listed,) = ground.world.get(ground.data("transfer-schedules")).json()
    assert listed["name"] == "DATABASE_URL"

    ground.clock[0] += timedelta(days=1)
    ground.run(ground.transfers.sync())
    (transfer,) = ground.world.get("/client/v11/apps/shop/transfers").json()
    ground.finished(transfer["uuid"])
    ground.run(ground.transfers.sync())
    proved = ground.finished(transfer["uuid"])
    assert proved["schedule"]
    assert proved["proof"]["proved"] is True
    assert (proved["proof"]["tables"], proved["proof"]["rows"]) == (2, 500)
    assert proved["finished_at"].endswith("(test restore: 2 tables, 500 rows)")
    assert ground.told == [
        "Scheduled backup a001 of DATABASE completed",
        "Backup a001: test restore: 2 tables, 500 rows",
    ]
    assert ground.leftovers() == []

    gone = ground.world.delete(ground.data("transfer-schedules", listed["uuid"]))
    assert gone.status_code == 200
    assert ground.world.get(ground.data("transfer-schedules")).json() == []


def test_a_backup_that_lacks_rows_or_is_damaged_is_found_out(ground: Ground) -> None:
    ground.sql(PEOPLE)
    counts = {"public.people": 501, "public.gone": 3}
    for damage, expected in ((False, "public.gone had 3 rows, the backup 0 and 1 more"), (True, "test restore FAILED")):
        backup = ground.backup()
        with ground.world.database.session() as session:
            row = session.get_one(Transfer, backup["uuid"])
            row.proof = {"counts": counts}
        if damage:
            path = path_of(ground, backup)
            path.write_bytes(path.read_bytes()[:-300])
        ground.run(ground.transfers.sync())
        found = ground.finished(backup["uuid"])
        assert found["proof"]["proved"] is False
        assert expected in found["proof"]["message"]
        assert found["warnings"] == 1
    assert ground.sql(COUNT) == [(500,)]


def test_a_backup_does_not_wait_for_ever_for_a_locked_table(ground: Ground, tmp_path: Path) -> None:
    """Two that did would keep all others waiting too."""
    ground.sql(PEOPLE)
    place = ground.run(ground.postgres.place(ground.resource()))
    folder = tmp_path / "locked"
    folder.mkdir()
    with psycopg.connect(ground.url(), sslmode="require") as connection:
        connection.execute("LOCK TABLE people IN ACCESS EXCLUSIVE MODE")
        for counted in (False, True):
            with pytest.raises(HomeportError) as caught:
                ground.run(work.capture(place, folder / "a.dump", say=print, counted=counted, lock_seconds=0.2))
            assert caught.value.id == ("table_locked" if counted else "dump_failed")
    assert list(folder.iterdir()) == []
    assert ground.leftovers() == []


def test_a_schedule_that_cannot_be_kept_stops_none_of_the_others(ground: Ground) -> None:
    other = ground.create(name="other-db")
    for addon in (ground.addon, other):
        body = {"hour": 3, "timezone": "UTC", "schedule_name": f"{addon.name.upper()}_URL"}
        assert ground.world.post(ground.data("transfer-schedules", addon=addon), body).status_code == 201
    with ground.world.database.session() as session:
        session.get_one(Addon, ground.addon.id).state = "provisioning"
    ground.clock[0] += timedelta(days=1)
    ground.run(ground.transfers.sync())
    (transfer,) = ground.world.get("/client/v11/apps/shop/transfers").json()
    assert ground.finished(transfer["uuid"])["from_name"] == "OTHER-DB"
    assert [line for line in ground.told if "FAILED" in line] == [
        "Scheduled backup of MAIN-DB FAILED: main-db isn't ready yet."
    ]


def test_a_backup_is_not_blamed_for_a_server_that_does_not_answer(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    ground.sql(PEOPLE)
    backup = ground.backup()
    with ground.world.database.session() as session:
        session.get_one(Transfer, backup["uuid"]).proof = {"counts": {"public.people": 500}}

    async def away(_resource: object) -> object:
        raise Unavailable("PostgreSQL 15 does not answer.", id="server_not_ready")

    with monkeypatch.context() as patch:
        patch.setattr(ground.postgres, "place", away)
        ground.run(ground.transfers.sync())
    assert ground.finished(backup["uuid"])["proof"] is None
    ground.run(ground.transfers.sync())
    assert ground.finished(backup["uuid"])["proof"]["proved"] is True


def test_what_a_killed_server_leaves_closed_is_opened_when_it_is_back(ground: Ground) -> None:
    """A restore changes two databases' places and is cut short by the end of the server; this process goes on."""
    ground.sql(PEOPLE)
    name, owner = databases.of(ground.resource())
    ground.admin(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    ground.admin(f"ALTER ROLE {owner} NOLOGIN")
    ground.admin(f"CREATE DATABASE {databases.SCRATCH}left")
    ground.machine.kill()
    assert ground.run(ground.postgres.tend([ground.resource()])) == []
    assert ground.sql(COUNT) == [(500,)]
    assert ground.leftovers() == []


def test_nobody_is_let_in_by_the_way_who_is_locked_out_on_purpose(ground: Ground) -> None:
    resource, url = ground.resource(), ground.url()
    place = ground.run(ground.postgres.place(resource))

    async def upgrade() -> None:
        async with databases.locked_out(place.cluster, place.name, place.owner):
            ground.machine.kill()
            await ground.postgres.tend([resource])
            with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
                await asyncio.to_thread(ground.sql, "SELECT 1", url=url)

    ground.run(upgrade())
    assert ground.sql("SELECT 1") == [(1,)]


def test_a_snapshot_before_a_release_and_the_way_back(ground: Ground) -> None:
    ground.sql(PEOPLE)
    said: list[str] = []
    snapshot = ground.run(ground.snapshots.take(ground.shop.id, 12, said.append))
    assert snapshot.restore == "heroku pg:backups:restore b001 DATABASE_URL --app shop --confirm shop"
    assert said[-1] == "       Snapshot b001 is there."
    ground.sql("DROP TABLE people")
    (transfer,) = ground.world.get("/client/v11/apps/shop/transfers").json()
    assert transfer["from_name"] == "DATABASE before v12"
    assert restore(ground, transfer["to_url"])["succeeded"]
    assert ground.sql(COUNT) == [(500,)]


def test_no_snapshot_where_none_is_wanted_or_can_be(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    with ground.world.database.session() as session:
        apps.set_feature(session, apps.find(session, "shop"), "release-snapshots", False)
    assert ground.run(ground.snapshots.take(ground.shop.id, 2, said.append)) is None
    assert said == []
    with ground.world.database.session() as session:
        apps.set_feature(session, apps.find(session, "shop"), "release-snapshots", True)
    monkeypatch.setattr("homeport.addons.postgres.snapshots.MAX_BYTES", 1)
    assert ground.run(ground.snapshots.take(ground.shop.id, 2, said.append)) is None
    assert "would take too long" in said[0]
    bare = ground.world.create_app("bare")
    assert ground.run(ground.snapshots.take(bare.id, 2, said.append)) is None


def test_a_snapshot_that_fails_is_said_and_stops_nothing(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground.transfers, "path", lambda transfer: Path("/proc/none") / f"{transfer.id}.dump")
    said: list[str] = []
    assert ground.run(ground.snapshots.take(ground.shop.id, 2, said.append)) is None
    assert "There is NO snapshot" in said[-1]
