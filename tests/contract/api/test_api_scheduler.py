"""Scheduled jobs and their runs over the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from homeport.addons import Addons, SchedulerProvider
from homeport.scheduler import Scheduler
from homeport.state import Database, JobRun
from tests.contract.api import api_world
from tests.contract.api.api_world import World

JOBS = "/apps/shop/scheduler/jobs"
RUNS = "/apps/shop/scheduler/runs"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> Iterator[World]:
    def addons(database: Database) -> dict[str, Any]:
        return {"addons": Addons(database, [SchedulerProvider()])}

    with api_world.opened(database, tmp_path, addons) as world:
        world.release(world.create_app("shop"), web="serve", hello="python hello.py")
        yield world


def add(world: World, **body: object) -> dict[str, Any]:
    response = world.post(JOBS, {"command": "hello", "every": "day", "at": "04:30", **body})
    assert response.status_code == 201, response.text
    made: dict[str, Any] = response.json()
    return made


def refused(world: World, method: str, path: str, body: object = None) -> tuple[int, str]:
    response = world.request(method, path, json=body)
    return response.status_code, response.json()["id"]


def end(world: World, run_id: str, code: int) -> None:
    world.until(lambda: run_id in world.engine.world.dynos)
    world.until(lambda: world.engine.exit(run_id, code) is None)  # type: ignore[func-returns-value] # within the loop


def test_the_first_job_brings_the_scheduler(world: World) -> None:
    response = world.post(JOBS, {"command": "hello", "every": "10m"})
    assert response.status_code == 201
    assert "scheduler:standard" in response.headers["X-Heroku-Warning"]
    addons = world.get("/apps/shop/addons").json()
    assert [addon["plan"]["name"] for addon in addons] == ["scheduler:standard"]
    assert addons[0]["config_vars"] == []
    assert "X-Heroku-Warning" not in world.post(JOBS, {"command": "hello", "every": "hour"}).headers


def test_a_job_as_it_is_shown(world: World) -> None:
    made = add(world, timezone="Europe/Berlin", size="standard-2x", overlap="wait", grace="2h", name="nightly")
    assert made["app"]["name"] == "shop"
    facts = ("command", "grace", "last_run", "name", "overlap", "size", "source")
    assert [made[fact] for fact in facts] == ["hello", 7200, None, "nightly", "wait", "Standard-2X", "added"]
    assert made["schedule"] == {
        "cron": "30 4 * * *", "description": "Daily at 04:30 Europe/Berlin", "timezone": "Europe/Berlin",
    }  # fmt: skip
    assert world.get(JOBS).json() == [made]
    assert world.get(f"{JOBS}/nightly").json() == world.get(f"{JOBS}/{made['id']}").json() == made


@pytest.mark.parametrize(
    ("body", "id"),
    [
        ({"command": "hello"}, "invalid_params"),
        ({"every": "day"}, "invalid_params"),
        ({"command": "hello", "every": "day", "cron": "@daily"}, "invalid_params"),
        ({"command": "hello", "at": "04:30", "cron": "@daily"}, "invalid_params"),
        ({"command": "hello", "every": "fortnight"}, "schedule_invalid"),
        ({"command": "hello", "cron": "61 * * * *"}, "schedule_invalid"),
        ({"command": "hello", "cron": "@daily", "timezone": "Mars"}, "timezone_unknown"),
        ({"command": "hello", "every": "day", "size": "huge"}, "invalid_params"),
        ({"command": "hello", "every": "day", "overlap": "maybe"}, "invalid_params"),
        ({"command": "hello", "every": "day", "grace": "soon"}, "invalid_params"),
        ({"command": "hello", "every": "day", "name": "a b"}, "invalid_params"),
        ({"command": "a\nb", "every": "day"}, "invalid_params"),
        ({"command": ["hello"], "every": "day"}, "invalid_params"),
    ],
)
def test_what_cannot_be_a_job_is_refused_and_brings_nothing(world: World, body: dict[str, object], id: str) -> None:
    assert refused(world, "POST", JOBS, body) == (422, id)
    assert world.get("/apps/shop/addons").json() == []


def test_changing_a_part_of_a_job(world: World) -> None:
    made = add(world, name="nightly", grace="1h")
    changed = world.patch(f"{JOBS}/nightly", {"timezone": "Europe/Berlin", "overlap": "allow"}).json()
    assert changed["schedule"]["description"] == "Daily at 04:30 Europe/Berlin"
    assert (changed["overlap"], changed["grace"], changed["command"]) == ("allow", 3600, "hello")
    changed = world.patch(
        f"{JOBS}/nightly", {"every": "hour", "at": ":15", "grace": "default", "name": "hourly"}
    ).json()
    assert (changed["schedule"]["cron"], changed["schedule"]["timezone"]) == ("15 * * * *", "Europe/Berlin")
    assert (changed["id"], changed["name"], changed["grace"]) == (made["id"], "hourly", None)
    assert refused(world, "PATCH", f"{JOBS}/hourly", {"cron": "x"}) == (422, "schedule_invalid")
    assert refused(world, "PATCH", f"{JOBS}/nightly", {"every": "day"}) == (404, "not_found")


def test_a_run_by_hand_its_end_and_what_it_said(world: World) -> None:
    add(world, name="nightly")
    begun = world.post(f"{JOBS}/nightly/runs").json()
    assert (begun["status"], begun["due_at"], begun["job"]["name"]) == ("running", None, "nightly")
    assert begun["dyno"].startswith("scheduler.")
    assert refused(world, "POST", f"{JOBS}/nightly/runs") == (409, "job_running")
    end(world, begun["id"], 3)
    world.until(lambda: _run(world, begun["id"]).status == "failed")
    for ref in (begun["id"], begun["dyno"]):
        ended = world.get(f"{RUNS}/{ref}").json()
        assert (ended["id"], ended["status"], ended["exit_code"]) == (begun["id"], "failed", 3)
        assert ended["duration"] >= 0
    assert world.get(RUNS).json() == world.get(f"{JOBS}/nightly/runs").json() == [ended]
    assert world.get(f"{JOBS}/nightly").json()["last_run"] == ended
    log = world.get(f"{RUNS}/{begun['id']}/log").json()
    assert log["run"] == ended
    assert any(
        f"heroku[{begun['dyno']}]: Starting process with command `python hello.py`" in line for line in log["lines"]
    )
    assert any("Process exited with status 3" in line for line in log["lines"])
    world.runner.run(_scheduler(world).sync())
    assert world.get(f"{RUNS}/{begun['id']}/log").json() == log  # from the run itself now


def test_stopping_its_dyno_stops_a_run(world: World) -> None:
    add(world, name="nightly")
    begun = world.post(f"{JOBS}/nightly/runs").json()
    world.until(lambda: begun["dyno"] in world.dynos_up(_app(world)))
    assert world.post(f"/apps/shop/dynos/{begun['dyno']}/actions/stop").status_code == 202
    world.until(lambda: _run(world, begun["id"]).status == "stopped")


def test_removing_a_job_keeps_its_history(world: World) -> None:
    made = add(world, name="nightly")
    begun = world.post(f"{JOBS}/nightly/runs").json()
    assert world.delete(f"{JOBS}/nightly").json()["id"] == made["id"]
    assert world.get(JOBS).json() == []
    assert [run["id"] for run in world.get(RUNS).json()] == [begun["id"]]
    assert refused(world, "DELETE", f"{JOBS}/nightly") == (404, "not_found")


def test_what_is_said_of_jobs_in_the_apps_log(world: World) -> None:
    add(world, name="nightly")
    world.patch(f"{JOBS}/nightly", {"every": "hour"})
    world.post(f"{JOBS}/nightly/runs")
    world.delete(f"{JOBS}/nightly")
    said = [line for line in world.log(_app(world)) if "nightly" in line or "hello" in line]
    assert said == [
        "Add job nightly by user ada@example.com",
        "Update job nightly by user ada@example.com",
        "Starting process with command `hello` by user scheduler@addons.heroku.com",
        "Run job nightly by user ada@example.com",
        "Remove job nightly by user ada@example.com",
    ]


def test_destroying_the_scheduler_removes_its_jobs(world: World) -> None:
    add(world)
    (addon,) = world.get("/apps/shop/addons").json()
    world.delete(f"/apps/shop/addons/{addon['id']}")
    assert world.get(JOBS).json() == []


def test_its_page_shows_jobs_and_only_to_who_has_its_address(world: World) -> None:
    add(world, name="nightly", command="echo '<script>'")
    (addon,) = world.get("/apps/shop/addons").json()
    (attached,) = world.get("/apps/shop/addon-attachments").json()
    assert attached["web_url"] == addon["web_url"]
    path = addon["web_url"].removeprefix(api_world.URLS.api)
    page = world.runner.run(world.http.get(path, headers={"Authorization": ""}))
    assert page.status_code == 200
    assert "nightly" in page.text
    assert "Daily at 04:30 UTC" in page.text
    assert "echo &#x27;&lt;script&gt;&#x27;" in page.text
    assert "<script" not in page.text
    forged = world.runner.run(world.http.get(path[:-1] + ("0" if path[-1] != "0" else "1")))
    assert forged.status_code == 404


def _run(world: World, run_id: str) -> JobRun:
    with world.database.session() as session:
        return session.get_one(JobRun, run_id)


def _app(world: World) -> Any:
    from homeport import apps

    with world.database.session() as session:
        return apps.find(session, "shop")


def _scheduler(world: World) -> Scheduler:
    assert world.core.scheduler is not None
    return world.core.scheduler
