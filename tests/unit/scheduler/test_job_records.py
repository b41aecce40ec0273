"""Jobs that people add, and those that follow the app.json of the current release."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from homeport import releases, scheduler
from homeport.errors import Conflict, HomeportError, Invalid, NotFound
from homeport.scheduler import Overlap, Wish
from homeport.state import Addon, App, Release
from tests.unit.dynos import dyno_records
from tests.unit.scheduler.scene import START, Scene

GREET = {"name": "greet", "command": "hello", "schedule": "*/5 * * * *"}
SWEEP = {"command": "python manage.py sweep", "schedule": "@daily", "timezone": "Europe/Berlin", "overlap": "wait"}


def release(scene: Scene, *cron: dict[str, str]) -> Release:
    with scene.database.session() as session:
        made = dyno_records.deploy(session, scene.app, web="serve", hello="python hello.py")
        assert made.slug is not None
        made.slug.cron = list(cron)
        scheduler.align(session, scene.app, now=scene.now)
        return made


def wish(command: str = "hello", **more: object) -> Wish:
    return replace(Wish(command, scheduler.schedule("@daily")), **more)  # type: ignore[arg-type] # fields by name


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("python manage.py clearsessions", "clearsessions"),
        ("python -m jobs.nightly --all", "jobs-nightly-all"),
        ("hello", "hello"),
        ("python", "python"),
        ("&& ||", "job"),
        ("x" * 100, "x" * 40),
    ],
)
def test_a_job_is_called_by_its_command(scene: Scene, command: str, name: str) -> None:
    assert scene.add(command).name == name


def test_names_are_taken_once(scene: Scene) -> None:
    assert [scene.add().name for _ in range(3)] == ["hello", "hello-2", "hello-3"]
    with pytest.raises(Invalid):
        scene.add(name="hello")


@pytest.mark.parametrize("command", ["", "  ", "a\nb", "a\0b", "x" * 5000])
def test_what_is_no_command_is_refused(scene: Scene, command: str) -> None:
    with pytest.raises(Invalid):
        scene.add(command, name="x")


@pytest.mark.parametrize("name", ["scheduler.1234", "a b", "-x", "x" * 61, "é"])
def test_what_is_no_name_is_refused(scene: Scene, name: str) -> None:
    with pytest.raises(Invalid):
        scene.add(name=name)


def test_a_job_needs_a_scheduler(scene: Scene) -> None:
    with scene.database.session() as session:
        session.delete(session.get_one(Addon, scene.addon.id))
    with pytest.raises(Conflict) as refused:
        scene.add()
    assert refused.value.id == "no_scheduler"


def test_an_app_has_so_many_jobs_at_most(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homeport.scheduler.records.LIMIT", 2)
    scene.add()
    scene.add()
    with pytest.raises(Conflict) as refused:
        scene.add()
    assert refused.value.id == "too_many_jobs"


def test_a_change_that_is_none_of_the_schedules_keeps_the_next_time(scene: Scene) -> None:
    job = scene.add(cron="*/10 * * * *")
    assert job.next_at == START + timedelta(minutes=9, seconds=30)
    later = scene.now + timedelta(minutes=20)
    with scene.database.session() as session:
        same = replace(scheduler.wish_of(job), command="other", overlap=Overlap.ALLOW, name="renamed")
        changed = scheduler.update(session, session.merge(job), same, now=later)
        assert (changed.name, changed.command, changed.overlap) == ("renamed", "other", "allow")
        assert changed.next_at == job.next_at
        moved = scheduler.update(session, changed, replace(same, schedule=scheduler.schedule("@hourly")), now=later)
        assert moved.next_at == START.replace(hour=13, minute=0, second=0)


def test_jobs_follow_the_release(scene: Scene) -> None:
    scene.add(name="own")
    release(scene, GREET, SWEEP)
    jobs = scene.jobs()
    assert {name: job.schedule for name, job in jobs.items()} == {
        "own": "* * * * *", "greet": "*/5 * * * *", "sweep": "0 0 * * *",
    }  # fmt: skip
    assert (jobs["sweep"].timezone, jobs["sweep"].overlap, jobs["sweep"].addon_id) == ("Europe/Berlin", "wait", None)

    scene.now += timedelta(hours=1)
    release(scene, GREET, {**SWEEP, "schedule": "@hourly"}, {"command": "hello", "schedule": "@weekly"})
    after = scene.jobs()
    assert set(after) == {"own", "greet", "sweep", "hello"}
    assert (after["greet"].id, after["greet"].next_at) == (jobs["greet"].id, jobs["greet"].next_at)
    assert after["sweep"].id == jobs["sweep"].id
    assert after["sweep"].next_at == START.replace(hour=14, minute=0, second=0)

    release(scene)
    assert set(scene.jobs()) == {"own"}


def test_jobs_follow_a_rollback_in_the_next_turn(scene: Scene) -> None:
    first = release(scene, GREET)
    release(scene, SWEEP)
    with scene.database.session() as session:
        releases.roll_back(session, scene.app, to=first, by=scene.app.owner)
    scene.turn(changed={scene.app.id})
    assert set(scene.jobs()) == {"greet"}


def test_a_job_of_a_release_that_was_left_is_not_run_even_if_nobody_said_so(scene: Scene) -> None:
    first = release(scene)
    release(scene, GREET)
    with scene.database.session() as session:
        releases.roll_back(session, scene.app, to=first, by=scene.app.owner)
    scene.turn(later=300, changed=set())
    assert (scene.jobs(), scene.history()) == ({}, [])


def test_a_declared_job_makes_way_for_a_name_that_is_taken(scene: Scene) -> None:
    scene.add(name="greet")
    release(scene, GREET)
    assert set(scene.jobs()) == {"greet", "greet-2"}
    release(scene, {**GREET, "schedule": "@daily"})
    assert scene.jobs()["greet-2"].schedule == "0 0 * * *"


def test_two_jobs_of_one_command(scene: Scene) -> None:
    release(scene, *({"command": "hello", "schedule": f"{minute} * * * *"} for minute in (5, 25)))
    assert {name: job.schedule for name, job in scene.jobs().items()} == {"hello": "5 * * * *", "hello-2": "25 * * * *"}


def test_a_declared_job_cannot_be_changed_by_hand(scene: Scene) -> None:
    release(scene, GREET)
    job = scene.jobs()["greet"]

    def attempts(session: Session) -> None:
        scheduler.update(session, session.merge(job), wish(), now=scene.now)

    for attempt in (attempts, lambda session: scheduler.remove(session, session.merge(job))):
        with pytest.raises(Conflict) as refused, scene.database.session() as session:
            attempt(session)
        assert refused.value.id == "job_from_app_json"


def test_an_entry_that_no_version_should_have_let_in_is_left_out(scene: Scene) -> None:
    release(scene, GREET, {"command": "hello", "schedule": "nonsense"})
    assert set(scene.jobs()) == {"greet"}


def test_jobs_are_found_by_name_and_id_and_no_other_apps(scene: Scene) -> None:
    job = scene.add()
    with scene.database.session() as session:
        assert scheduler.find(session, scene.app, "hello").id == scheduler.find(session, scene.app, job.id).id == job.id
        other = dyno_records.new_app(session, "other")
        for ref in ("hello", job.id):
            with pytest.raises(NotFound):
                scheduler.find(session, other, ref)


@pytest.mark.parametrize(
    "entry",
    [
        {"command": "x"},
        {"command": "x", "schedule": "@daily", "timezone": "Mars"},
        {"command": "x", "schedule": "@daily", "size": "huge"},
        {"command": "x", "schedule": "@daily", "overlap": "maybe"},
        {"command": "x", "schedule": "@daily", "name": "a b"},
        {"command": " ", "schedule": "@daily"},
    ],
)
def test_what_app_json_cannot_ask_for(entry: dict[str, str]) -> None:
    with pytest.raises(HomeportError):
        scheduler.wish_from(entry)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("30m", 1800), (" 2H ", 7200), ("1d", 86400), ("0", 0)]
)
def test_spans_of_time(text: str, seconds: int) -> None:
    assert scheduler.duration(text).total_seconds() == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "1w", "999999d", "1.5h"])
def test_what_is_no_span_of_time(text: str) -> None:
    with pytest.raises(Invalid):
        scheduler.duration(text)


def test_a_destroyed_app_takes_its_jobs_along(scene: Scene) -> None:
    from homeport import apps

    scene.add()
    scene.turn(later=30)
    with scene.database.session() as session:
        apps.destroy(session, session.get_one(App, scene.app.id))
    assert scene.turn(later=60).next_at is None
