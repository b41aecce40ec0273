"""Databases of add-ons on a real server: who gets in, what they may do there, and what no crash takes from them."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import threading

import psycopg
import pytest

from homeport.addons import Postgres, Resource, catalog
from tests.contract.addon_worlds import PostgresWorld
from tests.integration.addons.postgres_ground import Ground

pytestmark = pytest.mark.slow


def psql(url: str, statement: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = ["psql", url, "--no-psqlrc", "-At", "-c", statement]
    return subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def test_a_laptops_psql_gets_in_with_tls(ground: Ground) -> None:
    url = ground.url()
    assert url.startswith("postgres://")
    assert "@127.0.0.1:" in url
    done = psql(f"{url}?sslmode=require", "SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
    assert done.stdout == "t|TLSv1.3\n", done.stderr


def test_its_certificate_is_the_platforms(ground: Ground) -> None:
    whole = {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": str(ground.machine.home.tls / "ca.pem")}
    assert psql(ground.url(), "SELECT 1", **whole).stdout == "1\n"


def test_from_afar_nobody_gets_in_without_tls(ground: Ground) -> None:
    hba = ground.admin("SELECT type, address, auth_method FROM pg_hba_file_rules WHERE auth_method = 'scram-sha-256'")
    assert ("hostssl", "all", "scram-sha-256") in hba
    assert {address for kind, address, _ in hba if kind == "host"} == {"127.0.0.1", "::1"}


def test_nobody_sees_anothers_database(ground: Ground) -> None:
    ground.sql("CREATE TABLE mine (x int)")
    other = ground.create()
    theirs, mine = Postgres.login(ground.resource(other)), ground.resource().secret["database"]
    for database in (mine, "postgres", "template1", "template0"):
        done = psql(theirs.url.rpartition("/")[0] + f"/{database}", "SELECT 1")
        assert done.returncode != 0
        assert "permission denied" in done.stderr or "not currently accepting connections" in done.stderr
    assert psql(theirs.url, f"DROP DATABASE {mine}").returncode != 0
    assert psql(theirs.url, f"ALTER ROLE {ground.resource().secret['user']} PASSWORD 'x'").returncode != 0
    listed = ["psql", "--list", "--dbname", theirs.url.rpartition("/")[0] + "/postgres"]
    assert subprocess.run(listed, capture_output=True, check=False).returncode != 0


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE EXTENSION file_fdw",
        "CREATE EXTENSION adminpack",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY (SELECT 1) TO '/tmp/x'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT rolpassword FROM pg_authid",
        "CREATE ROLE another",
        "CREATE DATABASE another",
        "ALTER SYSTEM SET log_statement = 'all'",
        "SET ROLE homeport",
        "ALTER ROLE CURRENT_USER CONNECTION LIMIT 1000",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS '/bin/sh', 'main'",
    ],
)
def test_what_would_lead_out_of_a_database_is_refused(ground: Ground, statement: str) -> None:
    with pytest.raises(psycopg.Error):
        ground.sql(statement)


def test_the_superuser_comes_in_by_the_socket_only(ground: Ground) -> None:
    login = Postgres.login(ground.resource())
    for password in ("", "x", login.password):
        done = psql(f"postgres://homeport:{password}@{login.host}:{login.port}/postgres", "SELECT 1")
        assert "pg_hba.conf rejects" in done.stderr


@pytest.mark.parametrize(
    "extension", ["citext", "hstore", "pg_stat_statements", "pg_trgm", "pgcrypto", "postgis", "unaccent", "uuid-ossp"]
)
def test_extensions_are_the_owners_to_create_and_drop(ground: Ground, extension: str) -> None:
    ground.sql(f'CREATE EXTENSION "{extension}"')
    ground.sql(f'DROP EXTENSION "{extension}"')


def test_postgis_works(ground: Ground) -> None:
    ground.sql("CREATE EXTENSION postgis")
    (metres,) = ground.sql(
        "SELECT round(ST_Distance('POINT(2.35 48.86)'::geography, 'POINT(13.4 52.52)'::geography) / 1000)"
    )[0]
    assert metres == 879


def test_info_for_people_and_for_the_cli(ground: Ground) -> None:
    ground.sql("CREATE EXTENSION hstore; CREATE TABLE a (x int); CREATE TABLE b (x int)")
    info = ground.world.get(ground.data()).json()
    facts = {fact["name"]: fact["values"] for fact in info["info"]}
    assert info["resource_url"] == ground.config()["DATABASE_URL"]
    assert facts["Plan"] == ["Essential 0"]
    assert facts["Status"] == ["Available"]
    assert facts["Tables"] == [2]
    assert facts["Extensions"] == ["hstore"]
    assert facts["Connections"][0].endswith("/20")
    assert facts["Continuous Protection"] == ["Off"]
    assert "/ 1 GB" in facts["Data Size"][0]
    assert ground.world.get(ground.data("wait_status")).json() == {"message": "available", "waiting?": False}
    assert ground.world.get(ground.data().replace(ground.addon.id, "main-db")).json()["addon_id"] == ground.addon.id
    assert ground.world.get("/client/v11/databases/nothing").status_code == 404


def test_credentials_and_their_rotation(ground: Ground) -> None:
    other = ground.world.create_app("jobs")
    attach = {"addon": "main-db", "app": other.name, "name": "PRIMARY"}
    assert ground.world.post("/addon-attachments", attach).status_code == 201
    path = f"/postgres/v0/databases/{ground.addon.id}/credentials"
    basic = {"headers": {}, "auth": ("", ground.world.token.secret)}
    (listed,) = ground.world.get(path, **basic).json()
    old = ground.url()
    assert listed["credentials"][0]["password"] in old
    with psycopg.connect(old, autocommit=True) as connection:
        rotated = ground.world.post(f"{path}/default/credentials_rotation", {"forced": None}, **basic)
        assert rotated.status_code == 200
        assert "message" in rotated.json()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(old)
    new = ground.config()["DATABASE_URL"]
    assert new != old
    assert new == ground.config("jobs")["PRIMARY_URL"]
    assert ground.sql("SELECT 1", url=new) == [(1,)]
    assert ground.history()[-1] == "Update DATABASE by heroku-postgresql"
    assert ground.world.get(f"{path}/another", **basic).status_code == 404


def test_reset_empties_and_makes_extensions(ground: Ground) -> None:
    ground.sql("CREATE TABLE gone (x int)")
    for extensions in (["nonsense"], ["hstore", "file_fdw"], ["bad name; DROP"]):
        refused = ground.world.put(ground.data("reset"), {"extensions": extensions})
        assert refused.status_code == 422
    assert ground.sql("SELECT count(*) FROM gone") == [(0,)]
    assert ground.world.put(ground.data("reset"), {"extensions": ["citext", "reporting.hstore"]}).status_code == 200
    assert ground.sql("SELECT to_regclass('gone')") == [(None,)]
    made = ground.sql("SELECT extname::text, extnamespace::regnamespace::text FROM pg_extension ORDER BY 1")
    assert made == [("citext", "public"), ("hstore", "reporting"), ("plpgsql", "pg_catalog")]
    assert ground.leftovers() == []


def test_killall_ends_every_connection(ground: Ground) -> None:
    with psycopg.connect(ground.url(), autocommit=True) as connection:
        assert ground.world.post(ground.data("connection_reset")).status_code == 200
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_a_plan_limits_connections_and_holds_so_much(ground: Ground) -> None:
    assert ground.admin("SELECT rolconnlimit FROM pg_roles WHERE rolname ~ '^u' ORDER BY oid DESC LIMIT 1") == [(20,)]
    path = "/apps/shop/addons/main-db"
    assert ground.world.patch(path, {"plan": "standard-0"}).status_code == 200
    user = ground.resource().secret["user"]
    assert ground.admin(f"SELECT rolconnlimit FROM pg_roles WHERE rolname = '{user}'") == [(120,)]


def test_a_smaller_plan_than_the_data_is_refused(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ground.world.patch("/apps/shop/addons/main-db", {"plan": "standard-0"}).status_code == 200

    async def huge(*_: object) -> int:
        return 2 * 1024**3

    monkeypatch.setattr("homeport.addons.postgres.databases.size", huge)
    refused = ground.world.patch("/apps/shop/addons/main-db", {"plan": "essential-0"})
    assert refused.status_code == 422
    assert "more than heroku-postgresql:essential-0 holds" in refused.json()["message"]
    assert ground.world.get("/addons/main-db").json()["plan"]["name"].endswith("standard-0")


def test_versions_that_are_not_installed_are_refused(ground: Ground) -> None:
    wish = {"plan": "heroku-postgresql", "config": {"version": "9.6"}}
    refused = ground.world.post("/apps/shop/addons", wish)
    assert refused.status_code == 422
    assert "isn't installed" in refused.json()["message"]
    assert len(ground.world.get("/addons").json()) == 1


def test_a_port_that_somebody_has_taken_is_left_to_them(ground: Ground) -> None:
    """The server moves, and every app that uses it follows in a release."""
    ground.sql("CREATE TABLE kept AS SELECT 7 AS x")
    before = Postgres.login(ground.resource()).port
    ground.run(ground.postgres.stop())
    with socket.create_server(("127.0.0.1", before)):
        ground.run(ground.addons.sync())
        after = Postgres.login(ground.resource()).port
        assert after != before
        assert f":{after}/" in ground.config()["DATABASE_URL"]
        assert ground.sql("SELECT x FROM kept") == [(7,)]
    assert ground.history()[-1] == "Update DATABASE by heroku-postgresql"


def test_no_acknowledged_write_is_lost_when_the_server_is_killed(ground: Ground) -> None:
    """KILL in the middle of writing, as the kernel does it; the loop starts the server again."""
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
    ground.until(lambda: acknowledged[0] > 50)
    pid = ground.machine.site.servers.pid("postgres-" + ground.resource().secret["version"])
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    writer.join()
    ground.until(lambda: ground.machine.site.servers.pid(f"postgres-{ground.resource().secret['version']}") is None)
    ground.run(ground.addons.sync())
    ((most,),) = ground.sql("SELECT max(x) FROM written")
    assert most >= acknowledged[0] > 50
    assert ground.sql("SELECT count(*) FROM written") == [(most,)]


def test_passwords_are_in_no_log_and_no_command_line(ground: Ground) -> None:
    login = Postgres.login(ground.resource())
    ground.backup()
    psql(login.url.replace(login.password, "wrong"), "SELECT 1")
    with pytest.raises(psycopg.Error):
        ground.sql(f"SELECT nonsense('{login.password}')")
    assert ground.machine.secrets_seen(login.password) == []
    assert login.password not in " ".join(ground.history())
    assert login.password not in repr(ground.resource())


def test_operators_add_settings_in_a_file_of_their_own(ground: Ground, machine: PostgresWorld) -> None:
    version = ground.resource().secret["version"]
    own = machine.home.addons / "postgres" / version / "configuration" / "conf.d" / "own.conf"
    own.write_text("work_mem = '9MB'\n")
    own.chmod(0o644)
    ground.run(ground.postgres.stop())
    ground.run(ground.addons.sync())
    try:
        assert ground.sql("SHOW work_mem") == [("9MB",)]
    finally:
        own.unlink()


def test_many_are_made_at_once(ground: Ground) -> None:
    """From a reserve of one: whoever comes second has one made."""

    async def make() -> list[str]:
        provider = ground.postgres
        plan = catalog.plan("heroku-postgresql")
        wanted = [Resource(f"{number:08x}-1111-4111-8111-{os.getpid():012x}", "x", plan) for number in range(4)]
        made = await asyncio.gather(*(provider.provision(resource) for resource in wanted))
        await asyncio.gather(*(provider.deprovision(resource) for resource in wanted))
        return [secret["database"] for secret in made]

    ground.run(ground.addons.sync())
    assert len(set(ground.run(make()))) == 4
