"""A day with a database: by both command lines, on a real platform with a real server."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

from tests.e2e.conftest import Cli
from tests.e2e.platform import Platform
from tests.e2e.projects import hello

ASK = """\
import os
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def answer(path):
    query = "SELECT count(*) FROM people"
    done = subprocess.run(["psql", os.environ["DATABASE_URL"], "-At", "-c", query], capture_output=True, text=True)
    return done.stdout.strip() or done.stderr.strip().splitlines()[0]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = answer(self.path).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
"""
PEOPLE = "CREATE TABLE people (name text); INSERT INTO people SELECT 'n' || g FROM generate_series(1, 50) g"


def rows(cli: Cli, name: str, database: str = "DATABASE") -> str:
    out = cli("pg:psql", database, "-a", name, "-c", "SELECT 'rows=' || count(*) FROM people").ok().out
    found = re.search(r"rows=(\d+)", out)
    assert found is not None, out
    return found[1]


def test_a_database_from_create_to_destroy(platform: Platform, cli: Cli, name: str, tmp_path: Path) -> None:
    cli("create", name, "--no-remote").ok()
    created = cli("addons:create", "heroku-postgresql:hobby-dev", "-a", name).ok()
    assert "as DATABASE_URL" in created.both
    assert "as DATABASE" in cli("addons", "-a", name).ok().out
    url = cli("config:get", "DATABASE_URL", "-a", name).ok().out.strip()
    assert url.startswith("postgres://")
    by_hand = platform.run("psql", f"{url}?sslmode=require", "-At", "-c", "SELECT 1", environment=platform.base()).ok()
    assert by_hand.out == "1\n"

    assert "PG Version" in cli("pg:info", "-a", name).ok().out
    cli("pg:wait", "-a", name).ok()
    cli("pg:psql", "-a", name, "-c", f"CREATE EXTENSION postgis; {PEOPLE}").ok()
    for question in (
        "pg:ps",
        "pg:locks",
        "pg:bloat",
        "pg:cache-hit",
        "pg:index-usage",
        "pg:extensions",
        "pg:table-size",
    ):
        cli(question, "-a", name).ok()

    cli("pg:backups:capture", "-a", name).ok()
    assert re.search(r"b001 .*Completed .*DATABASE", cli("pg:backups", "-a", name).ok().out)
    assert "Completed" in cli("pg:backups:info", "b001", "-a", name).ok().out
    dump = tmp_path / "latest.dump"
    cli("pg:backups:download", "b001", "-a", name, "-o", str(dump)).ok()
    assert dump.read_bytes().startswith(b"PGDMP")
    assert cli("pg:backups:url", "b001", "-a", name).ok().out.startswith("https://")

    cli("pg:psql", "-a", name, "-c", "DROP TABLE people").ok()
    cli("pg:backups:restore", "b001", "DATABASE", "-a", name, "--confirm", name).ok()
    assert rows(cli, name) == "50"

    cli("addons:create", "heroku-postgresql:essential-0", "-a", name, "--as", "NEXT").ok()
    cli("pg:copy", "DATABASE", "NEXT", "-a", name, "--confirm", "NEXT").ok()
    assert rows(cli, name, "NEXT") == "50"
    cli("pg:promote", "NEXT", "-a", name).ok()
    assert cli("config:get", "DATABASE_URL", "-a", name).ok().out.strip() != url
    assert re.search(r"HEROKU_POSTGRESQL_[A-Z]+_URL", cli("config", "-a", name).ok().out)

    other = cli("config:get", "NEXT_URL", "-a", name).ok().out.strip()
    cli("pg:credentials:rotate", "-a", name, "--confirm", name).ok()
    rotated = cli("config:get", "NEXT_URL", "-a", name).ok().out.strip()
    assert rotated != other
    assert "default" in cli("pg:credentials", "-a", name).ok().out
    assert rotated in cli("pg:credentials:url", "-a", name).ok().out
    cli("pg:killall", "-a", name).ok()
    cli("pg:reset", "NEXT", "-a", name, "--confirm", name).ok()
    cli("pg:push", url, "NEXT", "-a", name).ok()
    assert rows(cli, name, "NEXT") == "50"

    cli("pg:backups:schedule", "DATABASE_URL", "--at", "02:00 Europe/Paris", "-a", name).ok()
    assert "daily at 2:00 Europe/Paris" in cli("pg:backups:schedules", "-a", name).ok().out
    cli("pg:backups:unschedule", "DATABASE_URL", "-a", name).ok()
    cli("pg:backups:delete", "b001", "-a", name, "--confirm", name).ok()
    assert "b001" not in cli("pg:backups", "-a", name).ok().out

    described = cli("releases", "-a", name).ok().out
    assert "Attach DATABASE (@ref:postgresql-" in described
    assert "Detach DATABASE (@ref:postgresql-" in described
    addon = json.loads(cli("addons", "--json", "-a", name).ok().out)[0]["name"]
    cli("addons:upgrade", addon, "heroku-postgresql:standard-0", "-a", name).ok()
    cli("addons:rename", addon, f"{name}-db").ok()
    assert "standard-0" in cli("addons:info", f"{name}-db", "-a", name).ok().out
    cli("addons:destroy", f"{name}-db", "-a", name, "--confirm", name).ok()
    assert f"{name}-db" not in cli("addons", "-a", name).ok().out


def test_one_database_for_two_apps(platform: Platform, cli: Cli, name: str) -> None:
    for app in (name, f"{name}-b"):
        cli("create", app, "--no-remote").ok()
    cli("addons:create", "heroku-postgresql", "-a", name, "--name", f"{name}-db").ok()
    cli("addons:attach", f"{name}-db", "-a", f"{name}-b", "--as", "PRIMARY").ok()
    first = cli("config:get", "DATABASE_URL", "-a", name).ok().out
    assert cli("config:get", "PRIMARY_URL", "-a", f"{name}-b").ok().out == first
    assert cli("addons:destroy", f"{name}-db", "-a", name, "--confirm", name).code != 0
    cli("addons:detach", "PRIMARY", "-a", f"{name}-b").ok()
    assert cli("config:get", "PRIMARY_URL", "-a", f"{name}-b").ok().out.strip() == ""
    refused = cli("config:set", "DATABASE_URL=mine", "-a", name)
    assert refused.code != 0
    assert "Cannot overwrite attachment values DATABASE_URL" in refused.err


def test_a_migration_that_goes_wrong_is_undone_by_one_command(platform: Platform, cli: Cli, name: str) -> None:
    project = platform.project(name, hello(files={"server.py": ASK, "Procfile": "web: python server.py\n"}))
    cli("create", name, cwd=project).ok()
    cli("addons:create", "heroku-postgresql", "-a", name).ok()
    cli("pg:psql", "-a", name, "-c", PEOPLE).ok()
    platform.git(project, "push", "heroku", "main").ok()
    assert platform.get(name) == (200, "50")

    (project / "Procfile").write_text(
        'web: python server.py\nrelease: psql "$DATABASE_URL" -c "DROP TABLE people" && exit 3\n'
    )
    platform.commit(project, "A migration")
    refused = platform.git(project, "push", "heroku", "main")
    assert refused.code == 1
    assert "Snapshot b001 is there." in refused.err
    command = re.search(r"heroku (pg:backups:restore b001 DATABASE_URL --app \S+ --confirm \S+)", refused.err)
    assert command is not None, refused.err
    assert 'relation "people" does not exist' in platform.get(name)[1]  # the old release serves without it

    cli(*command[1].split()).ok()
    platform.eventually(lambda: platform.get(name) == (200, "50"), what="the table that was dropped")


def test_the_server_comes_back_and_has_lost_nothing(platform: Platform, name: str) -> None:
    platform.homeport("create", name, "--no-remote").ok()
    platform.homeport("addons:create", "heroku-postgresql", "-a", name).ok()
    platform.homeport("pg:psql", "-a", name, "-c", PEOPLE).ok()
    (pid_file,) = (platform.home / "run" / "servers").glob("postgres-*.pid")
    os.kill(int(pid_file.read_text().splitlines()[1].split()[0]), signal.SIGKILL)
    url = platform.homeport("config:get", "DATABASE_URL", "-a", name).ok().out.strip()

    def count() -> bool:
        asked = platform.run("psql", url, "-At", "-c", "SELECT count(*) FROM people", environment=platform.base())
        return asked.out == "50\n"

    platform.eventually(count, what="the server that was killed")


def test_an_app_is_created_with_its_database(platform: Platform, cli: Cli, name: str) -> None:
    cli("create", name, "--no-remote", "--addons", "heroku-postgresql:mini").ok()
    assert cli("config:get", "DATABASE_URL", "-a", name).ok().out.startswith("postgres://")
