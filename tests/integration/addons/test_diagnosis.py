"""`pg:diagnose` of a real database that has something wrong with it."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from homeport.addons.postgres.diagnosis import Check, Light
from homeport.addons.postgres.reports import Reports
from homeport.errors import NotFound
from tests.integration.addons.postgres_ground import Ground

pytestmark = pytest.mark.slow


def diagnose(ground: Ground) -> dict[str, dict[str, object]]:
    asked = ground.world.post("/reports", {"app": "shop", "database": "DATABASE_URL", "url": "postgres://u:secret@h/d"})
    assert asked.status_code == 201, asked.text
    again = ground.world.get(f"/reports/{asked.json()['id']}")
    assert again.json() == asked.json()
    assert "secret" not in again.text
    return {check["name"]: check for check in asked.json()["checks"]}


def test_a_new_database_is_well(ground: Ground) -> None:
    lights = {name: check["status"] for name, check in diagnose(ground).items()}
    assert set(lights.values()) <= {"green", "skipped"}
    assert len(lights) == 9


def test_what_is_wrong_is_shown_with_what_shows_it(ground: Ground) -> None:
    ground.sql("CREATE SEQUENCE nearly MAXVALUE 100")
    ground.sql("SELECT setval('nearly', 95)")
    ground.sql("CREATE TABLE wide (x text)")
    ground.sql("INSERT INTO wide SELECT md5(i::text) FROM generate_series(1, 40000) AS i")
    ground.sql("CREATE INDEX never_asked ON wide (x)")
    with psycopg.connect(ground.url(), autocommit=True) as blocking, psycopg.connect(ground.url()) as blocked:
        blocking.execute("BEGIN")
        blocking.execute("LOCK TABLE wide")
        blocked.execute("SET lock_timeout = '60s'")
        with psycopg.connect(ground.url(), autocommit=True) as watching:
            waiting = threading.Thread(target=lambda: blocked.execute("SELECT count(*) FROM wide"))
            waiting.start()
            ground.until(lambda: watching.execute("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (1,))
            found = diagnose(ground)
        blocking.execute("ROLLBACK")
        waiting.join()
    assert found["Sequences"]["status"] == "red"
    assert found["Sequences"]["results"] == [
        {"sequence": "public.nearly", "last_value": 95, "max_value": 100, "used": "0.950"}
    ]
    assert found["Blocking Queries"]["status"] == "red"
    assert found["Indexes"]["status"] == "yellow"
    assert "never_asked" in str(found["Indexes"]["results"])


def test_what_a_migration_has_locked_is_not_waited_for(ground: Ground) -> None:
    ground.sql("CREATE TABLE moving (x text)")
    ground.sql("CREATE INDEX being_made ON moving (x)")
    with psycopg.connect(ground.url()) as migration:
        migration.execute("REINDEX INDEX being_made")
        found = diagnose(ground)
        migration.rollback()
    assert found["Indexes"]["status"] == "skipped"
    assert found["Connection Count"]["status"] == "green"


def test_somebody_elses_report_is_not_found(ground: Ground) -> None:
    assert ground.world.get(f"/reports/{uuid.uuid4()}").status_code == 404
    assert ground.world.get("/reports/..%2F..%2Fstate.db").status_code == 404
    assert ground.world.post("/reports", {"app": "shop", "database": "OTHER_URL"}).status_code == 404


def test_reports_are_kept_for_a_month(tmp_path: Path) -> None:
    time = [datetime.now(UTC)]
    reports = Reports(tmp_path / "reports", lambda: time[0])
    old = reports.keep("a1", "shop", "DATABASE_URL", [Check("Bloat", Light.GREEN, [])])
    assert reports.find(old.id) == old
    time[0] += timedelta(days=31)
    reports.keep("a1", "shop", "DATABASE_URL", [])
    with pytest.raises(NotFound):
        reports.find(old.id)
