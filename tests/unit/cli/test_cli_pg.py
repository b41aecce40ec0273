"""`homeport pg…`, as terminal sessions. `psql` and its like are scripts that tell how they were called."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from homeport.cli.transport import Reply
from tests.unit.cli.cli_session import Chunks, Refusal, Session, Shown, failure, release

PASSWORD = "very-secret"
URL = f"postgres://u1:{PASSWORD}@127.0.0.1:15432/d1"
DATABASE = "/client/v11/databases/a1"
TRANSFERS = "/client/v11/apps/demo/transfers"
RESOLVE = "POST /actions/addon-attachments/resolve"


def attachment(name: str = "DATABASE", addon: str = "a1") -> dict[str, Any]:
    return {
        "addon": {
            "app": {"name": "demo"},
            "id": addon,
            "name": f"db-{addon}",
            "plan": {"name": "heroku-postgresql:essential-0"},
        },
        "app": {"name": "demo"},
        "config_vars": [f"{name}_URL"],
        "id": f"id-of-{name}",
        "name": name,
    }


def transfer(num: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "canceled_at": None,
        "created_at": "2026-01-31 11:00:00 +0000",
        "finished_at": "2026-01-31 11:00:05 +0000",
        "from_name": "DATABASE",
        "from_type": "pg_dump",
        "logs": [{"created_at": "2026-01-31 11:00:05 +0000", "message": "Done"}],
        "num": str(num),
        "processed_bytes": 2048,
        "proof": None,
        "schedule": None,
        "source_bytes": 8_000_000,
        "started_at": "2026-01-31 11:00:00 +0000",
        "succeeded": True,
        "to_name": "BACKUP",
        "to_type": "gof3r",
        "to_url": f"homeport://backups/t{num}",
        "uuid": f"t{num}",
        "warnings": 0,
        **changes,
    }


RUNNING = {"finished_at": None, "succeeded": None}
FOUND = {
    RESOLVE: [attachment()],
    "GET /apps/demo/addon-attachments": [attachment()],
    "GET /apps/demo/config-vars": {"DATABASE_URL": URL},
}


def then(answer: object) -> Reply:
    """One of several answers, given in turn."""
    return Reply(200, {}, json.dumps(answer).encode())


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A PATH on which psql, pg_dump and pg_restore write down how they were called."""
    for name in ("psql", "pg_dump", "pg_restore"):
        script = tmp_path / name
        script.write_text(
            f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/called\nenv | grep ^PG | sort >>{tmp_path}/called\n'
            'if [ "$2" = "-At" ]; then echo 0; fi\n'
        )
        script.chmod(0o755)
    return tmp_path


def session_with(programs: Path, answers: dict[str, Any]) -> Session:
    session = Session(answers)
    session.env["PATH"] = f"{programs}:/usr/bin:/bin"
    return session


def test_info() -> None:
    facts = [{"name": "Plan", "values": ["Essential 0"]}, {"name": "Extensions", "values": []}]
    session = Session({**FOUND, f"GET {DATABASE}": {"info": facts}})
    assert session.type("pg -a demo").out == "=== DATABASE_URL\n\nPlan:   Essential 0\nAdd-on: db-a1\n\n"
    assert session.type("pg:info DATABASE -a demo").code == 0
    assert json.loads(session.type("pg --json -a demo").out) == [{"info": facts}]


def test_an_app_without_databases() -> None:
    none: dict[str, Any] = {"GET /apps/demo/addon-attachments": []}
    assert Session(none).type("pg -a demo").out == "demo has no heroku-postgresql databases.\n"
    missing = Refusal(404, "not_found", "Couldn't find that add-on attachment.", {"resource": "attachment"})
    shown = Session({**none, RESOLVE: missing}).type("pg:psql -a demo")
    assert "demo has no databases" in shown.err
    named = Session({RESOLVE: missing, "GET /apps/demo/addon-attachments": [attachment("MAIN")]})
    assert named.type("pg:psql DATABASE_URL -a demo") == Shown(
        1, "", failure("Unknown database: DATABASE. Valid options are: MAIN", "unknown_database")
    )


def test_waiting_until_it_is_there() -> None:
    waiting = {"message": "preparing", "waiting?": True}
    ready = {"message": "available", "waiting?": False}
    session = Session({**FOUND, f"GET {DATABASE}/wait_status": [then(waiting), then(ready)]})
    assert session.type("pg:wait -a demo").err == "Waiting for database db-a1... available\n"
    assert session.slept == [2.0]


def test_psql_gets_the_password_by_the_environment(programs: Path) -> None:
    session = session_with(programs, FOUND)
    assert session.type('pg:psql -a demo -c "SELECT 1"').code == 0
    called = (programs / "called").read_text().splitlines()
    assert called[0] == "psql -c SELECT 1"
    assert called[1:] == [
        "PGDATABASE=d1", "PGHOST=127.0.0.1", f"PGPASSWORD={PASSWORD}", "PGPORT=15432", "PGSSLMODE=require", "PGUSER=u1",
    ]  # fmt: skip


def test_the_prompt_says_whose_database_it_is(programs: Path) -> None:
    session = session_with(programs, FOUND)
    assert session.type("pg:psql -a demo").code == 0
    prompt = "demo::DATABASE%R%# "
    called = (programs / "called").read_text().splitlines()
    assert called[0] == f"psql --set PROMPT1={prompt} --set PROMPT2={prompt}"


def test_a_diagnosis_says_the_worst_first() -> None:
    report = {
        "app": "demo",
        "checks": [
            {"name": "Bloat", "results": [], "status": "green"},
            {"name": "Long Queries", "results": [{"pid": 7, "blocked_by": None}], "status": "red"},
        ],
        "created_at": "2026-01-31T11:00:00Z",
        "database": "DATABASE_URL",
        "id": "6f3a2a4e-1f0e-4b52-9d8a-0d6f6f5a1c11",
    }
    session = Session({**FOUND, "POST /reports": report, f"GET /reports/{report['id']}": report})
    shown = session.type("pg:diagnose -a demo")
    lines = shown.out.splitlines()
    assert lines[0] == f"Report {report['id']} for demo::DATABASE_URL"
    assert lines[3] == "RED: Long Queries"
    assert lines[4].split() == ["Pid", "Blocked", "by"]
    assert lines[-1] == "GREEN: Bloat"
    assert session.type(f"pg:diagnose {report['id']} -a demo").out == shown.out
    assert json.loads(session.type("pg:diagnose --json -a demo").out) == report


def test_a_missing_psql_is_named(tmp_path: Path) -> None:
    session = Session(FOUND)
    session.env["PATH"] = str(tmp_path)
    shown = session.type("pg:psql -a demo")
    assert shown.code == 1
    assert "postgresql-client" in shown.err


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("pg:ps", "pg_stat_activity"),
        ("pg:kill 42", "pg_cancel_backend(42)"),
        ("pg:kill 42 --force", "pg_terminate_backend(42)"),
        ("pg:locks", "pg_locks"),
        ("pg:outliers --truncate -n 3", "left(query, 40) AS query"),
        ("pg:vacuum-stats", "last_autovacuum"),
        ("pg:bloat", "dead_rows"),
    ],
)
def test_questions_are_put_in_sql(programs: Path, line: str, asked: str) -> None:
    session = session_with(programs, FOUND)
    if "outliers" in line:
        (programs / "psql").write_text((programs / "psql").read_text().replace("echo 0", "echo 1"))
    assert session.type(f"{line} -a demo").code == 0
    assert asked in (programs / "called").read_text()


def test_a_process_id_is_a_number(programs: Path) -> None:
    assert session_with(programs, FOUND).type('pg:kill "1); DROP TABLE x" -a demo').code == 2
    assert not (programs / "called").exists()


def test_outliers_need_their_extension(programs: Path) -> None:
    shown = session_with(programs, FOUND).type("pg:outliers -a demo")
    assert "CREATE EXTENSION pg_stat_statements" in shown.err


def test_promoting_leaves_the_old_one_a_name() -> None:
    session = Session(
        {
            RESOLVE: [attachment("NEXT", "a2")],
            "GET /apps/demo/addon-attachments": [attachment(), attachment("NEXT", "a2")],
            "POST /addon-attachments": [then(attachment("HEROKU_POSTGRESQL_JADE")), then(attachment())],
            "GET /apps/demo/releases": [release(12)],
        }
    )
    assert session.type("pg:promote NEXT -a demo").err == (
        "Ensuring an alternate alias for existing DATABASE_URL... HEROKU_POSTGRESQL_JADE_URL\n"
        "Promoting db-a2 to DATABASE_URL on demo... done\n"
    )
    assert '"name": "DATABASE"' in session.requests[-2]
    assert Session(FOUND).type("pg:promote DATABASE -a demo").code == 1


@pytest.mark.parametrize("how", ["succeeded", "failed"])
def test_promoting_waits_for_the_release_command(how: str) -> None:
    description = "Attach DATABASE (@ref:db-a2)"
    session = Session(
        {
            RESOLVE: [attachment("NEXT", "a2")],
            "GET /apps/demo/addon-attachments": [attachment("NEXT", "a2")],
            "POST /addon-attachments": attachment(),
            "GET /apps/demo/releases": [release(12, description, status="pending")],
            "GET /apps/demo/releases/12": [
                then(release(12, description, status="pending")), then(release(12, description, status=how))
            ],
        }
    )  # fmt: skip
    shown = session.type("pg:promote NEXT -a demo")
    assert shown.code == (0 if how == "succeeded" else 1)
    assert ("Checking release phase... pg:promote succeeded." in shown.err) == (how == "succeeded")
    assert ("v12 failed: Attach DATABASE (@ref:db-a2)." in shown.err) == (how == "failed")


def test_credentials_and_rotation() -> None:
    path = "/postgres/v0/databases/a1/credentials"
    one = {
        "name": "default", "state": "active", "database": "d1", "host": "h", "port": 5,
        "credentials": [{"user": "u", "password": "p"}],
    }  # fmt: skip
    session = Session(
        {
            **FOUND,
            f"GET {path}": [one],
            f"GET {path}/default": one,
            "GET /addons/a1/addon-attachments": [attachment()],
            f"POST {path}/default/credentials_rotation": {"message": "ok"},
        }
    )
    assert "default (as DATABASE)   active" in session.type("pg:credentials -a demo").out
    assert session.type("pg:credentials:url -a demo").out.endswith("  postgres://u:p@h:5/d1\n")
    assert session.type("pg:credentials:rotate -a demo").code == 2
    assert session.type("pg:credentials:rotate -a demo --confirm demo").err == "Rotating default on db-a1... done\n"


def test_reset_wants_the_apps_name() -> None:
    session = Session({**FOUND, f"PUT {DATABASE}/reset": {"message": "ok"}})
    assert session.type("pg:reset -a demo").code == 2
    shown = session.type('pg:reset DATABASE -a demo --confirm demo --extensions "hstore, postgis"')
    assert shown.err == "Resetting db-a1... done\n"
    assert session.requests[-1].endswith('{"extensions": ["hstore", "postgis"]}')


def test_backups_are_listed_by_kind() -> None:
    scheduled = transfer(
        2, schedule={"uuid": "x"}, finished_at="2026-01-31 11:00:05 +0000 (test restore: 2 tables, 9 rows)"
    )
    restore = transfer(3, from_type="gof3r", to_type="pg_restore", from_name="BACKUP", to_name="DATABASE")
    failed = transfer(4, succeeded=False)
    canceled = transfer(5, succeeded=False, canceled_at="2026")
    running = transfer(6, **RUNNING)
    warned = transfer(7, warnings=2)
    every = [transfer(1), scheduled, restore, failed, canceled, running, warned]
    out = Session({f"GET {TRANSFERS}": every}).type("pg:backups -a demo").out
    rows = {line.split()[0]: line for line in out.splitlines() if line.startswith("  ") and "ID" not in line}
    assert set(rows) == {"b001", "a002", "r003", "b004", "b005", "b006", "b007"}
    assert "(test restore: 2 tables, 9 rows)" in rows["a002"]
    states = {"b004": "Failed 2026", "b005": "Canceled", "b006": "Running (processed 2 KB)"}
    for name, state in {**states, "b007": "Finished with 2 warnings"}.items():
        assert state in rows[name]
    assert "No copies found" in out


def test_a_capture_is_followed_to_its_end() -> None:
    session = Session(
        {
            **FOUND,
            f"POST {DATABASE}/backups": transfer(9, **RUNNING),
            f"GET {TRANSFERS}/t9?verbose=true": [then(transfer(9, **RUNNING)), then(transfer(9))],
        }
    )
    shown = session.type("pg:backups:capture -a demo")
    assert (shown.code, shown.err.splitlines()[-1]) == (0, "Backing up DATABASE to b009... done")
    assert session.slept == [1.0, 1.0]


def test_a_failed_capture_says_why() -> None:
    session = Session({**FOUND, f"POST {DATABASE}/backups": transfer(9, succeeded=False)})
    shown = session.type("pg:backups:capture -a demo")
    assert shown.code == 1
    assert "Done" in shown.err
    assert "homeport pg:backups:info b009 -a demo" in shown.err


def test_restoring_by_name_by_another_apps_and_by_address() -> None:
    answers = {
        **FOUND,
        f"GET {TRANSFERS}": [transfer(2), transfer(1)],
        "GET /client/v11/apps/other/transfers": [transfer(7)],
        f"POST {DATABASE}/restores": transfer(3, from_type="gof3r", to_type="pg_restore"),
    }
    for words, source in (
        ("", "homeport://backups/t2"),
        ("b001 DATABASE_URL", "homeport://backups/t1"),
        ("other::b007 DATABASE", "homeport://backups/t7"),
        ("https://example.com/x.dump DATABASE", "https://example.com/x.dump"),
    ):
        session = Session(answers)
        assert session.type(f"pg:backups:restore {words} -a demo --confirm demo").code == 0
        assert json.loads(session.requests[-1].partition("restores ")[2])["backup_url"] == source
    assert Session(answers).type("pg:backups:restore b001 -a demo").code == 2
    shown = Session(answers).type("pg:backups:restore b099 -a demo --confirm demo")
    assert "Backup b099 not found for demo" in shown.err


def test_downloading(tmp_path: Path) -> None:
    url = "https://localhost:8443/backups/x"
    session = Session(
        {f"GET {TRANSFERS}": [transfer(1)], f"POST {TRANSFERS}/1/actions/public-url": {"url": url}},
        streams=[Chunks([b"PGD", b"MP"], content_type="application/octet-stream")],
    )
    target = tmp_path / "here.dump"
    assert (
        session.type(f"pg:backups:download -a demo -o {target}").err == f"Getting backup from demo... done, {target}\n"
    )
    assert target.read_bytes() == b"PGDMP"
    assert session.type("pg:backups:url b001 -a demo").out == f"{url}\n"


def test_schedules() -> None:
    path = f"{DATABASE}/transfer-schedules"
    row = {"name": "DATABASE_URL", "hour": 2, "timezone": "Europe/Paris", "uuid": "s1"}
    session = Session({**FOUND, f"POST {path}": row, f"GET {path}": [row], f"DELETE {path}/s1": row})
    shown = session.type("pg:backups:schedule DATABASE --at '02:00 Europe/Paris' -a demo")
    assert shown.err == "Scheduling automatic daily backups of db-a1 at 02:00 Europe/Paris... done\n"
    assert session.requests[-1].endswith('{"hour": 2, "timezone": "Europe/Paris", "schedule_name": "DATABASE_URL"}')
    assert session.type("pg:backups:schedules -a demo").out.endswith("DATABASE_URL: daily at 2:00 Europe/Paris\n")
    assert session.type("pg:backups:unschedule DATABASE_URL -a demo").code == 0
    assert session.type("pg:backups:unschedule OTHER -a demo").code == 1
    assert session.type("pg:backups:schedule --at noon -a demo").code == 2


def test_pushing_into_what_is_not_empty_is_refused(programs: Path) -> None:
    (programs / "psql").write_text((programs / "psql").read_text().replace("echo 0", "echo 3"))
    shown = session_with(programs, FOUND).type("pg:push local DATABASE -a demo")
    assert shown.code == 1
    assert "homeport pg:reset DATABASE" in shown.err


def test_pushing_and_pulling_pipe_one_into_the_other(programs: Path) -> None:
    session = session_with(programs, FOUND)
    assert session.type("pg:push postgres://a:b@elsewhere/x DATABASE -a demo").code == 0
    called = (programs / "called").read_text()
    assert "pg_dump --format=custom --compress=0\n" in called
    assert "PGHOST=elsewhere\n" in called
    assert "pg_restore --no-owner --no-acl --dbname=d1\n" in called
    assert PASSWORD not in "".join(line for line in called.splitlines() if not line.startswith("PG"))


def test_upgrading_is_followed_to_its_end() -> None:
    waiting = {"message": "Upgrading", "waiting?": True}
    done = {"message": "The database was upgraded to PostgreSQL 16.", "waiting?": False}
    answers = {
        **FOUND,
        f"POST {DATABASE}/upgrade/run": {"message": "ok"},
        f"GET {DATABASE}/upgrade/wait_status": [then(waiting), then(done)],
    }
    session = Session(answers)
    assert session.type("pg:upgrade:run -a demo").code == 2
    shown = session.type("pg:upgrade:run -a demo --version 16 --confirm demo")
    assert shown.err.endswith("Waiting for db-a1... The database was upgraded to PostgreSQL 16.\n")
    failed = {**done, "error?": True, "message": "The upgrade failed, and nothing has changed."}
    broken = Session({**FOUND, f"GET {DATABASE}/upgrade/wait_status": failed})
    assert broken.type("pg:upgrade:wait -a demo").code == 1
