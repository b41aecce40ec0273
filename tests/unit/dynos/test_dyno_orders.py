from __future__ import annotations

from datetime import timedelta

import pytest

from homeport import dynos, releases
from homeport.dynos import orders
from homeport.dynos.states import State
from homeport.errors import NotFound
from homeport.state import Crash, Database, Dyno
from tests.unit.dynos.dyno_records import AT, LATER, deploy, dyno, new_app, states


def test_restarting_a_web_dyno_asks_for_a_twin_and_leaves_it_serving(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s")
        old = dyno(session, app, "web.1")
        assert [d.id for d in orders.restart(session, app, now=AT, stop_by=LATER)] == [old.id]
        assert states(session, app) == ["web.1 up", "web.1 starting"]
        (twin,) = [d for d in session.query(Dyno) if d.id != old.id]
        assert (twin.command, twin.size, twin.release_id) == (old.command, old.size, old.release_id)
        assert twin.created_at > old.created_at


def test_restarting_again_while_the_twin_starts_begins_anew(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s")
        dyno(session, app, "web.1")
        orders.restart(session, app, now=AT, stop_by=LATER)
        orders.restart(session, app, now=AT + timedelta(seconds=1), stop_by=LATER)
        assert states(session, app) == ["web.1 up", "web.1 down"]


def test_restarting_a_web_dyno_that_is_being_replaced_adds_nothing(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s")
        dyno(session, app, "web.1")
        deploy(session, app, web="s2")
        orders.restart(session, app, now=AT, stop_by=LATER)
        assert states(session, app) == ["web.1 up"]


@pytest.mark.parametrize("state", [State.STARTING, State.CRASHED])
def test_restarting_what_does_not_serve_ends_it(database: Database, state: State) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s", worker="w")
        dyno(session, app, "web.1", state)
        dyno(session, app, "worker.1", State.UP)
        session.add(Crash(app_id=app.id, slot="web.1", count=7))
        orders.restart(session, app, now=AT, stop_by=LATER)
        assert sorted(states(session, app)) == ["web.1 down", "worker.1 down"]
        assert session.get(Crash, (app.id, "web.1")) is None, "who restarts does not want to wait"
        assert {d.stop_by for d in session.query(Dyno)} == {LATER}


def test_restart_all_leaves_one_offs_alone_and_a_named_one_ends(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s")
        dyno(session, app, "run.1234")
        orders.restart(session, app, now=AT, stop_by=LATER)
        assert states(session, app) == ["run.1234 up"]
        orders.restart(session, app, dyno="run.1234", now=AT, stop_by=LATER)
        assert states(session, app) == ["run.1234 down"]


def test_one_dyno_or_one_type(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s", worker="w")
        for name in ("worker.1", "worker.2", "web.1"):
            dyno(session, app, name)
        orders.restart(session, app, dyno="worker.2", now=AT, stop_by=LATER)
        assert sorted(states(session, app)) == ["web.1 up", "worker.1 up", "worker.2 down"]
        orders.stop(session, app, type="worker", now=AT, stop_by=LATER)
        assert sorted(states(session, app)) == ["web.1 up", "worker.1 down", "worker.2 down"]


def test_what_is_not_there_is_not_found(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s", worker="w")
        for order in (orders.restart, orders.stop):
            with pytest.raises(NotFound) as caught:
                order(session, app, dyno="web.9", now=AT, stop_by=LATER)
            assert caught.value.resource == "dyno"
            with pytest.raises(NotFound) as caught:
                order(session, app, type="clock", now=AT, stop_by=LATER)
            assert caught.value.resource == "formation"
            assert order(session, app, type="worker", now=AT, stop_by=LATER) == []


def test_stopping_ends_the_twin_too(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s")
        dyno(session, app, "web.1", age=10)
        dyno(session, app, "web.1", State.STARTING)
        orders.stop(session, app, dyno="web.1", now=AT, stop_by=LATER)
        assert states(session, app) == ["web.1 down", "web.1 down"]


def test_one_dyno_is_shown_per_name(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        v2 = deploy(session, app, web="s", worker="w")
        dyno(session, app, "web.1", age=10, release=v2)
        dyno(session, app, "web.2", age=10, release=v2)
        dyno(session, app, "worker.1", State.DOWN, age=5, release=v2)
        dyno(session, app, "run.4321", age=3)
        deploy(session, app, web="s")
        dyno(session, app, "web.2", State.STARTING)
        v4 = deploy(session, app, web="s", pending=True)
        dyno(session, app, "web.1", State.UP, release=v4)
        dyno(session, app, "release.5678", State.UP, release=v4)
        shown = [(d.name, d.state, d.release.version) for d in dynos.running(session, app)]
        assert shown == [
            ("web.1", "up", 2),
            ("web.2", "starting", 3),
            ("release.5678", "up", 4),
            ("run.4321", "up", 2),
            ("worker.1", "down", 2),
        ]


def test_ten_dynos_are_in_order(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        deploy(session, app, web="s")
        for number in (10, 9, 1, 2):
            dyno(session, app, f"web.{number}")
        assert [d.name for d in dynos.running(session, app)] == ["web.1", "web.2", "web.9", "web.10"]


def test_requests_go_to_web_dynos_that_are_up_and_whose_release_is_in_force(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        v2 = deploy(session, app, web="s", worker="w")
        serving = dyno(session, app, "web.1", release=v2)
        dyno(session, app, "web.2", State.STARTING, release=v2)
        dyno(session, app, "web.3", State.CRASHED, release=v2)
        dyno(session, app, "web.4", State.DOWN, release=v2)
        dyno(session, app, "worker.1", release=v2)
        v3 = deploy(session, app, web="s", pending=True)
        candidate = dyno(session, app, "web.1", release=v3)
        assert [d.id for d in dynos.serving(session, app)] == [serving.id]
        releases.fail(session, v3)
        assert [d.id for d in dynos.serving(session, app)] == [serving.id]
        v3.status = "pending"
        releases.succeed(session, v3)
        assert {d.id for d in dynos.serving(session, app)} == {serving.id, candidate.id}
