"""What a turn writes down: runs with their dynos, what is left out, what was missed."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from sqlalchemy import delete

from homeport import scheduler
from homeport.addons import State
from homeport.dynos import Ending, Why
from homeport.errors import Conflict, Invalid
from homeport.scheduler import Overlap, Status, runs, turn
from homeport.state import Addon, App, Dyno, Release
from tests.unit.dynos import dyno_records
from tests.unit.scheduler.scene import Scene


def test_what_is_due_gets_a_run_and_a_dyno_of_one_id(scene: Scene) -> None:
    scene.add("hello --loud")
    taken = scene.turn()
    assert scene.history() == []
    assert taken.next_at == scene.now + timedelta(seconds=30)

    taken = scene.turn(later=30)
    (run,), (dyno,) = scene.runs(), scene.dynos()
    assert (run.id, run.dyno, run.status, run.command) == (dyno.id, dyno.name, "running", "hello --loud")
    assert dyno.name.startswith("scheduler.")
    assert (dyno.command, dyno.size) == ("python hello.py --loud", "Basic")
    assert scene.said == ["app[api]: Starting process with command `hello --loud` by user scheduler@addons.heroku.com"]
    assert taken.next_at == scene.now + timedelta(seconds=60)


def test_a_time_is_run_once_however_often_it_is_looked_at(scene: Scene) -> None:
    scene.add()
    scene.turn(later=30)
    for _ in range(3):
        scene.turn(later=1)
    assert scene.history() == ["running 12:01"]


def test_a_turn_that_is_not_committed_has_not_been(scene: Scene) -> None:
    scene.add()
    scene.now += timedelta(seconds=30)
    with contextlib.suppress(KeyboardInterrupt), scene.database.session() as session:
        assert turn.take(session, scene.now, None).lines
        raise KeyboardInterrupt
    assert (scene.history(), scene.dynos()) == ([], [])
    scene.turn()
    assert scene.history() == ["running 12:01"]


@pytest.mark.parametrize(
    ("why", "code", "status"),
    [
        (Why.EXITED, 0, "succeeded"),
        (Why.EXITED, 3, "failed"),
        (Why.EXITED, None, "lost"),
        (Why.LOST, None, "lost"),
        (Why.UNSTARTABLE, None, "failed"),
        (Why.UNWANTED, 143, "stopped"),
    ],
)
def test_how_a_run_ends(scene: Scene, why: Why, code: int | None, status: str) -> None:
    scene.add()
    scene.turn(later=30)
    scene.end(scene.runs()[0], code, why)
    (run,) = scene.runs()
    assert (run.status, run.exit_code) == (status, code)
    assert run.finished_at is not None


def test_an_end_that_is_told_twice_counts_once(scene: Scene) -> None:
    scene.add()
    scene.turn(later=30)
    (run,) = scene.runs()
    with scene.database.session() as session:
        for code in (0, 1):
            scheduler.ended(session, session.get_one(Dyno, run.id), Ending(Why.EXITED, code))
    assert [run.exit_code for run in scene.runs()] == [0]


def test_a_run_whose_dyno_is_gone_is_lost_and_not_run_again(scene: Scene) -> None:
    scene.add()
    scene.turn(later=30)
    with scene.database.session() as session:
        session.execute(delete(Dyno))
    scene.turn(later=5)
    assert scene.history() == ["lost 12:01"]
    assert scene.said[-1].endswith(" was lost: the platform was stopped while it ran")


def test_by_default_a_time_is_left_out_while_a_run_goes_on(scene: Scene) -> None:
    scene.add()
    scene.turn(later=30)
    scene.turn(later=60)
    assert scene.history() == ["skipped 12:02", "running 12:01"]
    assert scene.said[-1] == (
        "heroku[scheduler]: Skipped hello, due at 2026-01-01 12:02 UTC: the run before it still goes on"
    )
    scene.end(scene.runs(Status.RUNNING)[0])
    scene.turn(later=60)
    assert scene.history() == ["running 12:03", "skipped 12:02", "succeeded 12:01"]


def test_one_run_may_wait_for_the_end_of_another(scene: Scene) -> None:
    scene.add(overlap=Overlap.WAIT)
    scene.turn(later=30)
    scene.turn(later=60)
    scene.turn(later=60)
    assert scene.history() == ["skipped 12:03", "waiting 12:02", "running 12:01"]
    scene.end(scene.runs(Status.RUNNING)[0])
    scene.turn(later=5, changed={scene.app.id})
    assert scene.history() == ["skipped 12:03", "running 12:02", "succeeded 12:01"]


def test_runs_may_go_on_beside_each_other(scene: Scene) -> None:
    scene.add(overlap=Overlap.ALLOW)
    scene.turn(later=30)
    scene.turn(later=60)
    assert scene.history() == ["running 12:02", "running 12:01"]
    assert len(scene.dynos()) == 2


def test_what_was_missed_is_said_and_the_last_time_is_run(scene: Scene) -> None:
    scene.add()
    scene.turn(later=3 * 3600)
    assert scene.history() == ["running 15:00", "missed 14:59"]
    (missed,) = scene.runs(Status.MISSED)
    assert missed.times == 179
    said = "179 times, from 2026-01-01 12:01 UTC to 2026-01-01 14:59 UTC"
    assert missed.detail == f"The platform was not running {said}"
    assert f"heroku[scheduler]: Missed hello, due {said}: the platform was not running" in scene.said


def test_what_is_later_than_its_grace_is_only_missed(scene: Scene) -> None:
    scene.add(cron="0 13 * * *", grace=timedelta(minutes=30))
    scene.turn(later=2 * 3600)
    assert scene.history() == ["missed 13:00"]


def test_an_app_without_code_skips_and_says_so(scene: Scene) -> None:
    scene.add()
    with scene.database.session() as session:
        app = session.get_one(App, scene.app.id)
        app.current_release_id = session.query(Release).where(Release.version == 1).one().id
    scene.turn(later=30)
    assert scene.history() == ["skipped 12:01"]
    assert scene.runs()[0].detail == "This app has no code to run yet"
    assert scene.said == ["heroku[scheduler]: Skipped hello: this app has no code to run yet"]


def test_an_app_in_maintenance_runs_its_jobs(scene: Scene) -> None:
    scene.add()
    with scene.database.session() as session:
        session.get_one(App, scene.app.id).maintenance = True
    scene.turn(later=30)
    assert scene.history() == ["running 12:01"]


def test_jobs_stop_with_their_scheduler(scene: Scene) -> None:
    scene.add()
    with scene.database.session() as session:
        session.get_one(Addon, scene.addon.id).state = State.DEPROVISIONED.value
    assert scene.turn(later=30).next_at is None
    assert (scene.history(), scene.jobs()) == ([], {})
    with scene.database.session() as session:
        session.delete(session.get_one(Addon, scene.addon.id))
    scene.turn(later=60)
    assert scene.history() == []


def test_a_job_that_nothing_can_be_decided_about_keeps_no_other_from_running(scene: Scene) -> None:
    broken = scene.add(name="broken")
    scene.add(name="sound")
    with scene.database.session() as session:
        session.merge(broken).timezone = "Europe/Atlantis"
    scene.turn(later=30)
    assert [run.job_name for run in scene.runs()] == ["sound"]
    scene.turn(later=30)  # it is not looked at again at once


def test_running_by_hand(scene: Scene) -> None:
    job = scene.add(cron="0 0 1 1 *")
    with scene.database.session() as session:
        turn.run_now(session, session.merge(job), scene.now)
    (run,) = scene.runs()
    assert (run.status, run.due_at) == ("running", None)
    with pytest.raises(Conflict) as refused, scene.database.session() as session:
        turn.run_now(session, session.merge(job), scene.now)
    assert refused.value.id == "job_running"
    scene.end(run)
    with scene.database.session() as session:
        turn.run_now(session, session.merge(job), scene.now + timedelta(seconds=1))
    assert scene.history() == ["running", "succeeded"]


def test_running_by_hand_without_code_is_refused_and_leaves_nothing(scene: Scene) -> None:
    with scene.database.session() as session:
        other = dyno_records.new_app(session, "other")
        session.add(
            Addon(app_id=other.id, name="scheduler-2", service="scheduler", plan="standard", state="provisioned")
        )
        session.flush()
        job = scheduler.add(session, other, scheduler.Wish("x", scheduler.schedule("@daily")), now=scene.now)
    with pytest.raises(Invalid) as refused, scene.database.session() as session:
        turn.run_now(session, session.merge(job), scene.now)
    assert refused.value.id == "no_code"
    with scene.database.session() as session:
        assert scheduler.history(session, other) == []


def test_history_is_kept_for_the_newest_runs_only(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEPT_RUNS", 3)
    scene.add()
    scene.turn(later=30)
    for _ in range(5):
        scene.turn(later=60)
    # The one that runs is kept beside them: its end has to find it.
    assert scene.history() == ["skipped 12:06", "skipped 12:05", "skipped 12:04", "running 12:01"]


def test_the_history_of_a_removed_job_goes_after_a_while(scene: Scene) -> None:
    job = scene.add()
    scene.turn(later=30)
    scene.end(scene.runs()[0])
    with scene.database.session() as session:
        scheduler.remove(session, session.merge(job))
    scene.turn(later=60)
    assert scene.history() == ["succeeded 12:01"]
    scene.turn(later=31 * 86400)
    assert scene.history() == []


def test_what_a_run_said_is_kept_to_its_end(scene: Scene) -> None:
    scene.add()
    scene.turn(later=30)
    assert scene.turn().ended == ()
    (run,) = scene.runs()
    scene.end(run)
    assert [ended.id for ended in scene.turn().ended] == [run.id]
    with scene.database.session() as session:
        runs.keep_output(session, run.id, "x" * 20_000 + "end")
        found = scheduler.find_run(session, scene.app, run.dyno or "")
        assert found.output is not None
        assert found.output.endswith("end")
        assert len(found.output) == runs.KEPT_OUTPUT
    assert scene.turn().ended == ()
