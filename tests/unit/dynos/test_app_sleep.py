"""Which apps sleep, after how long, and what wakes them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from homeport import dynos, releases
from homeport.dynos import idling, orders, rows
from homeport.dynos.idling import USUALLY, Idler, patience
from homeport.dynos.sleeper import EVERY, Sleeper, due
from homeport.dynos.states import State
from homeport.state import App, Database, Dyno
from tests.unit.dynos.dyno_records import AT, LATER, deploy, dyno, new_app

MINUTE = timedelta(minutes=1)


def sleepy(session: Session, name: str = "demo", *, web: int = 1) -> App:
    """An app with Eco dynos that came up at `AT`."""
    app = new_app(session, name)
    deploy(session, app, web="s", worker="w")
    dynos.scale(session, app, [dynos.Update("web", web, "eco"), dynos.Update("worker", 1, "eco")])
    for number in range(1, web + 1):
        resize(session, dyno(session, app, f"web.{number}"))
    return app


def resize(session: Session, row: Dyno, size: str = "Eco") -> None:
    session.execute(update(Dyno).where(Dyno.id == row.id).values(size=size, updated_at=row.created_at))


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10", 10 * MINUTE),
        (" 0.05 ", 3 * timedelta(seconds=1)),
        ("1e300", timedelta(days=365)),
        ("", USUALLY),
        ("0", USUALLY),
        ("-5", USUALLY),
        ("nan", USUALLY),
        ("inf", USUALLY),
        ("half an hour", USUALLY),
    ],
)
def test_a_config_var_says_after_how_long(written: str, meant: timedelta) -> None:
    assert patience({"HOMEPORT_SLEEP_AFTER": written}) == meant
    assert patience({}) == USUALLY == 30 * MINUTE


def test_an_app_whose_eco_dynos_are_up_may_sleep(session: Session) -> None:
    app = sleepy(session, web=2)
    assert idling.idlers(session) == [Idler(app.id, AT, USUALLY)]
    releases.set_config(session, app, {"HOMEPORT_SLEEP_AFTER": "5"}, by=app.owner)
    assert idling.idlers(session) == [], "its dynos are of an earlier release"
    session.execute(update(Dyno).values(release_id=app.current_release_id, updated_at=AT))
    assert idling.idlers(session) == [Idler(app.id, AT, 5 * MINUTE)]


@pytest.mark.parametrize("size", ["Basic", "Hobby", "Standard-1X", "Performance-L"])
def test_others_never_sleep(session: Session, size: str) -> None:
    app = sleepy(session)
    dynos.scale(session, app, [dynos.Update("web", 1, size)])
    resize(session, session.query(Dyno).one(), size)
    assert idling.idlers(session) == []
    assert not idling.fall_asleep(session, app.id)


@pytest.mark.parametrize("state", [State.STARTING, State.CRASHED, State.DOWN])
def test_an_app_that_is_not_at_rest_stays_awake(session: Session, state: State) -> None:
    app = sleepy(session)
    resize(session, dyno(session, app, "web.1", state))
    assert idling.idlers(session) == []
    assert not idling.fall_asleep(session, app.id)


def test_without_a_web_dyno_nobody_could_wake_it(session: Session) -> None:
    app = new_app(session)
    deploy(session, app, worker="w")
    dynos.scale(session, app, [dynos.Update("worker", 1, "eco")])
    resize(session, dyno(session, app, "worker.1"))
    assert idling.idlers(session) == []


def test_one_offs_keep_nobody_awake(session: Session) -> None:
    app = sleepy(session)
    dyno(session, app, "run.1234")
    assert [idler.app_id for idler in idling.idlers(session)] == [app.id]


def test_asleep_it_is_asleep_until_roused(session: Session) -> None:
    app = sleepy(session)
    assert idling.fall_asleep(session, app.id)
    assert app.asleep
    assert idling.idlers(session) == []
    assert not idling.fall_asleep(session, app.id), "once is enough"
    idling.rouse(session, app)
    assert not app.asleep


def test_a_new_release_wakes(session: Session) -> None:
    app = sleepy(session)
    idling.fall_asleep(session, app.id)
    releases.set_config(session, app, {"A": "1"}, by=app.owner)
    assert not app.asleep


def test_a_rollback_to_the_release_that_it_slept_with_wakes_too(session: Session) -> None:
    app = sleepy(session)
    slept = releases.current(session, app)
    idling.fall_asleep(session, app.id)
    releases.set_config(session, app, {"A": "1"}, by=app.owner)
    releases.roll_back(session, app, to=slept, by=app.owner)
    assert not app.asleep


def test_a_restart_wakes(session: Session) -> None:
    app = sleepy(session)
    idling.fall_asleep(session, app.id)
    orders.restart(session, app, now=AT, stop_by=LATER)
    assert not app.asleep


def test_scaling_wakes(session: Session) -> None:
    app = sleepy(session)
    idling.fall_asleep(session, app.id)
    dynos.scale(session, app, [dynos.Update("worker", "+1")])
    assert not app.asleep


def test_nobody_is_put_to_sleep_who_was_woken_meanwhile(session: Session) -> None:
    app = sleepy(session)
    (web,) = session.query(Dyno)
    assert rows.mark_idle(session, web.id, now=AT) is None
    idling.fall_asleep(session, app.id)
    assert rows.mark_idle(session, web.id, now=AT) is web
    assert web.state == "idle"


def test_the_last_request_decides_or_when_it_came_up_or_when_the_watch_began() -> None:
    idlers = [Idler(name, AT, 30 * MINUTE) for name in ("asked", "asked-before-it-came-up", "never-asked")]
    idlers.append(Idler("new", AT + 10 * MINUTE, 5 * MINUTE))
    asked = {"asked": AT + 20 * MINUTE, "asked-before-it-came-up": AT - MINUTE}
    assert due(idlers, asked, begun=AT + 2 * MINUTE) == {
        "asked": AT + 50 * MINUTE,
        "asked-before-it-came-up": AT + 32 * MINUTE,
        "never-asked": AT + 32 * MINUTE,
        "new": AT + 15 * MINUTE,
    }


class Watch:
    """A sleeper with a clock and a router of the test's own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.now = AT
        self.asked: dict[str, datetime] = {}
        self.sleeper = Sleeper(database, self.last_requests, clock=lambda: self.now)

    async def last_requests(self) -> dict[str, datetime]:
        return self.asked

    async def asleep(self) -> set[str]:
        return await self.database.run(lambda session: {app.name for app in session.query(App) if app.asleep})


def test_an_app_sleeps_half_an_hour_after_its_last_request(database: Database) -> None:
    async def story() -> None:
        watch = Watch(database)
        one = (await database.run(sleepy, "one")).id
        await database.run(sleepy, "two")
        assert await watch.sleeper.look() == AT + EVERY
        watch.now = AT + 20 * MINUTE
        watch.asked = {one: watch.now}
        await watch.sleeper.look()
        watch.asked = {}  # the router was started anew
        watch.now = AT + 30 * MINUTE - timedelta(seconds=5)
        assert await watch.sleeper.look() == AT + 30 * MINUTE, "not later than need be"
        assert await watch.asleep() == set()
        watch.now = AT + 30 * MINUTE
        await watch.sleeper.look()
        assert await watch.asleep() == {"two"}
        watch.now = AT + 50 * MINUTE
        await watch.sleeper.look()
        assert await watch.asleep() == {"one", "two"}

    asyncio.run(story())


def test_a_router_that_says_nothing_lets_nobody_sleep(database: Database) -> None:
    async def story() -> None:
        watch = Watch(database)
        await database.run(sleepy)
        watch.now = AT + timedelta(days=1)

        async def silent() -> dict[str, datetime]:
            raise OSError("nobody listens")

        sleeper = Sleeper(database, silent, clock=lambda: watch.now)
        with pytest.raises(OSError, match="nobody listens"):
            await sleeper.look()
        assert await watch.asleep() == set()

    asyncio.run(story())


def test_a_knock_wakes_and_an_unknown_one_is_no_harm(database: Database) -> None:
    async def story() -> None:
        watch = Watch(database)
        app = await database.run(sleepy)
        await database.run(idling.fall_asleep, app.id)
        running = asyncio.create_task(watch.sleeper.run())
        watch.sleeper.knock("who?")
        watch.sleeper.knock(app.id)
        async with asyncio.timeout(10):
            while await watch.asleep():  # noqa: ASYNC110 - until the loop has had its turn
                await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(story())
