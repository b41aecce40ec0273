"""The fleet over the fake engine: what only many dynos, or misfortune, can show."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from homeport import apps, dynos, releases
from homeport.dynos.probe import Health, Verdict
from homeport.dynos.situation import Gate
from homeport.engine import Address, Behaviour, FakeEngine, Spec, World
from homeport.errors import Conflict, NotFound
from homeport.state import App, Database, Release
from tests.unit.dynos.dyno_records import deploy, new_app

LIMITS = dynos.Limits(settle=0, drain=0, resync=0.05, retry=0.01)


class Journal:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, app_id: str, source: str, dyno: str, texts: Iterable[str]) -> None:
        self.lines += [f"{source}[{dyno}]: {text}" for text in texts]

    def write_output(self, app_id: str, dyno: str, raw: Sequence[bytes], dropped: int = 0) -> None:
        self.lines += [f"app[{dyno}]: {line.decode()}" for line in raw]


class Layers:
    missing: frozenset[str] = frozenset()

    def path(self, key: str) -> Path:
        if key in self.missing:
            raise NotFound("layer", f"The layer {key} is not in the store.")
        return Path("/") / key


class Ship:
    """A fleet of which everything is in memory but its records."""

    def __init__(self, database: Database, script: Callable[[Spec], Behaviour], world: World) -> None:
        self.database = database
        self.journal = Journal()
        self.layers = Layers()
        outputs = dynos.Outputs(self.journal)
        self.engine = FakeEngine(sink=outputs, script=script, world=world)
        self.routed = 0
        self.fleet = dynos.Fleet(
            database,
            self.engine,
            self.layers,
            outputs,
            routes_changed=self.routes_changed,
            hostname=lambda name: f"{name}.test",
            limits=LIMITS,
            until_ready=self.until_ready,
        )
        database.on_touch = self.fleet.wake

    async def routes_changed(self) -> None:
        self.routed += 1

    async def until_ready(self, address: Address, within: float, health: Health | None) -> Verdict:
        await self.until(lambda: self.engine.is_bound(address))
        return Verdict(Gate.READY)

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not what():  # noqa: ASYNC110 - there is nothing to be told by
                await asyncio.sleep(0.002)

    async def until_ps(self, app: App, **states: str) -> None:
        wanted = {name.replace("_", "."): state for name, state in states.items()}
        async with asyncio.timeout(10):
            while await self.ps(app) != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.002)

    async def ps(self, app: App) -> dict[str, str]:
        return {dyno.name: dyno.state for dyno in await self.database.run(dynos.running, app)}

    def names(self) -> list[str]:
        return sorted(dyno.spec.name for dyno in self.engine.world.dynos.values())

    async def scale(self, app: App, **quantities: int) -> None:
        await self.database.run(dynos.scale, app, [dynos.Update(name, n) for name, n in quantities.items()])

    async def deploy(self, app: App, *, pending: bool = False, **types: str) -> Release:
        return await self.database.run(lambda session: deploy(session, app, pending=pending, **types))


@contextlib.asynccontextmanager
async def ship(
    database: Database, script: Callable[[Spec], Behaviour] = lambda _spec: Behaviour(), world: World | None = None
) -> AsyncIterator[Ship]:
    made = Ship(database, script, world or World())
    running = asyncio.create_task(made.fleet.run())
    try:
        yield made
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
        await made.engine.close()


def test_a_rollout_of_many_dynos(database: Database) -> None:
    async def story() -> None:
        async with ship(database) as s:
            app = await database.run(new_app)
            await s.deploy(app, web="one", worker="w")
            await s.scale(app, web=6, worker=2)
            await s.until(lambda: len(s.names()) == 8)
            await s.until(lambda: sum("to up" in line for line in s.journal.lines) == 8)
            release = await s.deploy(app, pending=True, web="two", worker="w2")
            said: list[str] = []
            assert (await s.fleet.rollout(release.id, said.append)).ok
            assert sorted(line.split()[0] for line in said) == [f"web.{n}" for n in range(1, 7)]
            assert len(s.names()) == 14
            assert {d.release_id for d in await database.run(dynos.serving, app)} != {release.id}
            await database.run(releases.succeed, release)
            await s.until(lambda: {d.spec.argv[4] for d in s.engine.world.dynos.values()} == {"two", "w2"})
            await s.until(lambda: len(s.names()) == 8)

    asyncio.run(story())


def test_config_vars_that_change_during_a_rollout_reach_its_dynos_too(database: Database) -> None:
    async def story() -> None:
        async with ship(database) as s:
            app = await database.run(new_app)
            await s.deploy(app, web="one")
            await s.until_ps(app, web_1="up")
            release = await s.deploy(app, pending=True, web="two")
            assert (await s.fleet.rollout(release.id, lambda _line: None)).ok
            await database.run(_set, app, {"NEW": "1"})
            await database.run(releases.succeed, release)
            await s.until(lambda: [d.spec.env.get("NEW") for d in s.engine.world.dynos.values()] == ["1"])
            (last,) = s.engine.world.dynos.values()
            assert last.spec.argv[4] == "two"
            before = len(s.engine.world.started)
            release = await s.deploy(app, pending=True, web="three")
            assert (await s.fleet.rollout(release.id, lambda _line: None)).ok
            await database.run(releases.succeed, release)
            await s.until(lambda: [d.spec.argv[4] for d in s.engine.world.dynos.values()] == ["three"])
            assert len(s.engine.world.started) == before + 1, "nothing changed, so nothing was started twice"

    asyncio.run(story())


def test_when_one_dyno_of_a_release_fails_all_of_them_go(database: Database) -> None:
    def script(spec: Spec) -> Behaviour:
        bad = spec.argv[4] == "two" and spec.name == "web.3"
        return Behaviour(exit_code=9 if bad else None, lines=(b"Traceback", b"oh no") if bad else ())

    async def story() -> None:
        async with ship(database, script) as s:
            app = await database.run(new_app)
            await s.deploy(app, web="one")
            await s.scale(app, web=4)
            await s.until_ps(app, web_1="up", web_2="up", web_3="up", web_4="up")
            release = await s.deploy(app, pending=True, web="two")
            said: list[str] = []
            result = await s.fleet.rollout(release.id, said.append)
            assert (result.ok, result.reason) == (False, "web.3 exited with status 9 while it was starting")
            assert result.lines == ("Traceback", "oh no")
            assert said[-1] == "       oh no"
            await database.run(releases.fail, release)
            await s.until(lambda: len(s.names()) == 4)
            assert {d.spec.argv[4] for d in s.engine.world.dynos.values()} == {"one"}

    asyncio.run(story())


def test_a_dyno_that_cannot_be_started_fails_the_rollout_with_the_reason(database: Database) -> None:
    async def story() -> None:
        async with ship(database, lambda _spec: Behaviour(cannot_start=True)) as s:
            app = await database.run(new_app)
            release = await s.deploy(app, pending=True, web="one", release="r")
            said: list[str] = []
            result = await s.fleet.rollout(release.id, said.append)
            assert result.reason == "web.1 could not be started: as scripted"
            assert await s.fleet.release_phase(release.id, said.append) == 1
            assert "could not be started" in said[-1]

    asyncio.run(story())


def test_a_layer_that_is_gone_is_a_crash_like_any_other(database: Database) -> None:
    async def story() -> None:
        async with ship(database) as s:
            s.layers.missing = frozenset({"code"})
            app = await database.run(new_app)
            await s.deploy(app, web="one")
            await s.until(lambda: any("The layer code is not in the store" in line for line in s.journal.lines))
            await s.until_ps(app, web_1="crashed")

    asyncio.run(story())


def test_without_web_dynos_a_rollout_has_nothing_to_wait_for(database: Database) -> None:
    async def story() -> None:
        async with ship(database) as s:
            app = await database.run(new_app)
            release = await s.deploy(app, pending=True, worker="w")
            assert (await s.fleet.rollout(release.id, lambda _line: None)).ok

    asyncio.run(story())


def test_a_rollout_that_is_given_up_leaves_nothing(database: Database) -> None:
    async def story() -> None:
        async with ship(database, lambda _spec: Behaviour(binds=False)) as s:
            app = await database.run(new_app)
            release = await s.deploy(app, pending=True, web="one")
            rollout = asyncio.create_task(s.fleet.rollout(release.id, lambda _line: None))
            await s.until(lambda: s.names() == ["web.1"])
            rollout.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await rollout
            await s.until(lambda: s.names() == [])

    asyncio.run(story())


def test_scaling_to_zero_during_a_rollout_ends_it_well(database: Database) -> None:
    async def story() -> None:
        async with ship(database, lambda _spec: Behaviour(binds=False)) as s:
            app = await database.run(new_app)
            await s.deploy(app, web="zero")
            release = await s.deploy(app, pending=True, web="one")
            rollout = asyncio.create_task(s.fleet.rollout(release.id, lambda _line: None))
            await s.until(lambda: len(s.names()) == 2)
            await s.scale(app, web=0)
            assert (await rollout).ok
            await s.until(lambda: s.names() == [])

    asyncio.run(story())


def test_a_rollout_whose_app_or_release_goes_away_says_so(database: Database) -> None:
    async def story() -> None:
        async with ship(database, lambda _spec: Behaviour(binds=False)) as s:
            for end, error in ((_destroy, NotFound), (_fail, Conflict)):
                app = await database.run(new_app, error.__name__.lower())
                release = await s.deploy(app, pending=True, web="one")
                rollout = asyncio.create_task(s.fleet.rollout(release.id, lambda _line: None))
                await s.until(lambda: s.names() == ["web.1"])
                await database.run(end, app, release)
                with pytest.raises(error):
                    await rollout
                await s.until(lambda: s.names() == [])

    asyncio.run(story())


def _destroy(session: Session, app: App, _release: Release | None = None) -> None:
    apps.destroy(session, apps.find(session, app.id))


def _fail(session: Session, _app: App, release: Release) -> None:
    releases.fail(session, release)


def test_a_release_phase_whose_app_is_destroyed_ends(database: Database) -> None:
    async def story() -> None:
        async with ship(database) as s:
            app = await database.run(new_app)
            release = await s.deploy(app, pending=True, release="migrate")
            phase = asyncio.create_task(s.fleet.release_phase(release.id, lambda _line: None))
            await s.until(lambda: len(s.names()) == 1)
            await database.run(_destroy, app, release)
            async with asyncio.timeout(60):
                assert await phase == 1
            await s.until(lambda: s.names() == [])

    asyncio.run(story())


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.003, 0.01, 0.03, 0.06])
def test_a_release_phase_ends_at_whatever_moment_its_app_is_destroyed(database: Database, moment: float) -> None:
    async def story() -> None:
        async with ship(database) as s:
            app = await database.run(new_app)
            release = await s.deploy(app, pending=True, release="migrate")
            phase = asyncio.create_task(s.fleet.release_phase(release.id, lambda _line: None))
            await s.until(lambda: bool(s.fleet.board.awaited))
            await asyncio.sleep(moment)
            await database.run(_destroy, app, release)
            async with asyncio.timeout(60):
                assert await phase == 1

    asyncio.run(story())


def test_the_release_phase_runs_with_the_pending_releases_config(database: Database) -> None:
    async def story() -> None:
        async with ship(database, lambda _spec: Behaviour(exit_code=0, lines=(b"migrated",))) as s:
            app = await database.run(new_app)
            await database.run(_set, app, {"DATABASE_URL": "postgres://x"})
            release = await s.deploy(app, pending=True, release="migrate", web="s")
            said: list[str] = []
            assert await s.fleet.release_phase(release.id, said.append) == 0
            assert said == ["migrated"]
            (spec,) = s.engine.world.started
            assert spec.env["DATABASE_URL"] == "postgres://x"
            assert spec.argv[4] == "migrate"
            assert not spec.wants_port

    asyncio.run(story())


def _set(session: Session, app: App, changes: dict[str, str]) -> None:
    releases.set_config(session, apps.find(session, app.id), changes, by=app.owner)


def test_metadata_is_given_when_the_feature_is_on(database: Database) -> None:
    async def story() -> None:
        async with ship(database) as s:
            app = await database.run(new_app)
            await database.run(apps.set_feature, app, "runtime-dyno-metadata", True)
            await s.deploy(app, web="s")
            await s.until_ps(app, web_1="up")
            (spec,) = s.engine.world.started
            assert spec.env["HEROKU_APP_NAME"] == "demo"
            assert spec.env["HEROKU_APP_DEFAULT_DOMAIN_NAME"] == "demo.test"
            assert spec.env["HEROKU_RELEASE_VERSION"] == "v2"

    asyncio.run(story())


def test_a_new_daemon_adopts_what_runs_and_stops_what_nobody_knows(database: Database) -> None:
    async def story() -> None:
        world = World()
        async with ship(database, world=world) as s:
            app, other = await database.run(new_app), await database.run(new_app, "other")
            await s.deploy(app, web="s", worker="w")
            await s.deploy(other, web="s")
            await s.scale(app, worker=1)
            await s.until_ps(app, web_1="up", worker_1="up")
            await s.until_ps(other, web_1="up")
        started = len(world.started)
        database.on_touch = None
        await database.run(_destroy, other)
        async with ship(database, world=world) as s:
            await s.until(lambda: s.names() == ["web.1", "worker.1"])
            assert await s.ps(app) == {"web.1": "up", "worker.1": "up"}
            assert len(world.started) == started
            (worker,) = [dyno for dyno in world.dynos.values() if dyno.spec.name == "worker.1"]
            s.engine.say(worker.spec.id, b"still here")
            assert "app[worker.1]: still here" in s.journal.lines

    asyncio.run(story())


def test_an_event_that_is_lost_only_delays(database: Database) -> None:
    async def story() -> None:
        async with ship(database) as s:
            database.on_touch = None
            app = await database.run(new_app)
            await s.deploy(app, web="s")
            await s.until_ps(app, web_1="up")

    asyncio.run(story())


def test_a_failing_engine_or_database_is_tried_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with ship(database) as s:
            failures = iter([OSError("engine"), OSError("engine")])
            real = s.engine.list

            async def flaky() -> object:
                for failure in failures:
                    raise failure
                return await real()

            monkeypatch.setattr(s.engine, "list", flaky)
            app = await database.run(new_app)
            await s.deploy(app, web="s")
            await s.until_ps(app, web_1="up")

    asyncio.run(story())


def test_a_stop_that_fails_is_tried_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with ship(database) as s:
            app = await database.run(new_app)
            await s.deploy(app, worker="w")
            await s.scale(app, worker=1)
            await s.until_ps(app, worker_1="up")
            failures = iter([OSError("stuck")])
            real = s.engine.stop

            async def flaky(id: str, grace: float) -> None:
                for failure in failures:
                    raise failure
                await real(id, grace)

            monkeypatch.setattr(s.engine, "stop", flaky)
            await s.scale(app, worker=0)
            await s.until(lambda: s.names() == [])
            await s.until_ps(app)

    asyncio.run(story())


def test_it_may_be_woken_from_any_thread_at_any_time(database: Database) -> None:
    async def story() -> None:
        async with ship(database) as s:
            app = await database.run(new_app)
            await s.deploy(app, web="s")
            stop = threading.Event()

            def wake() -> None:
                while not stop.is_set():
                    s.fleet.wake(app.id)
                    s.fleet.wake("nobody")

            thread = threading.Thread(target=wake)
            thread.start()
            try:
                await s.until_ps(app, web_1="up")
            finally:
                stop.set()
                thread.join()
        s.fleet.wake(app.id)  # and after its end

    asyncio.run(story())


def test_halting_ends_every_dyno_and_forgets_it(database: Database) -> None:
    async def story() -> None:
        async with ship(database) as s:
            app = await database.run(new_app)
            await s.deploy(app, web="s")
            await s.until_ps(app, web_1="up")
        await s.fleet.halt()
        assert s.names() == []
        assert await s.ps(app) == {}

    asyncio.run(story())


def test_halting_waits_longer_for_dynos_that_serve_than_for_those_that_boot(database: Database) -> None:
    async def story() -> None:
        async with ship(database, lambda spec: Behaviour(binds=spec.name != "web.2")) as s:
            app = await database.run(new_app)
            await s.deploy(app, web="s", worker="w")
            await s.scale(app, web=2, worker=1)
            await s.until_ps(app, web_1="up", web_2="starting", worker_1="up")
            await s.until(lambda: len(s.names()) == 3)
            names = {dyno_id: dyno.spec.name for dyno_id, dyno in s.engine.world.dynos.items()}
        await s.fleet.halt()
        graces = {names[dyno_id]: grace for dyno_id, grace in s.engine.world.stopped}
        assert graces == {"web.1": LIMITS.grace, "web.2": LIMITS.boot_grace, "worker.1": LIMITS.grace}

    asyncio.run(story())


def test_a_slot_whose_dyno_always_crashes_keeps_nobody_else_from_working(database: Database) -> None:
    async def story() -> None:
        async with ship(database, lambda spec: Behaviour(exit_code=1 if spec.name == "bad.1" else None)) as s:
            app = await database.run(new_app)
            await s.deploy(app, web="s", bad="b")
            await s.scale(app, bad=1)
            await s.until(lambda: any("trying again in" in line for line in s.journal.lines))
            await s.until_ps(app, bad_1="crashed", web_1="up")
            assert sum(spec.name == "bad.1" for spec in s.engine.world.started) == 2

    asyncio.run(story())


def test_routes_change_before_an_old_dyno_is_told_to_go(database: Database) -> None:
    async def story() -> None:
        async with ship(database) as s:
            seen: list[tuple[str, int]] = []

            async def routes_changed() -> None:
                serving = await database.run(_all_serving)
                seen.append(("routes " + " ".join(sorted(serving)), len(s.engine.world.stopped)))

            s.fleet.parts.routes._apply = routes_changed
            app = await database.run(new_app)
            await s.deploy(app, web="one")
            await s.until_ps(app, web_1="up")
            await s.fleet.restart(app.id)
            await s.until(lambda: len(s.engine.world.stopped) == 1)
            new = next(iter(s.engine.world.dynos))
            only_new = [stopped for routes, stopped in seen if routes == f"routes {new}"]
            assert only_new[0] == 0, "the router knew before anybody was stopped"

    asyncio.run(story())


def _all_serving(session: Session) -> list[str]:
    return [dyno.id for app in apps.every(session) for dyno in dynos.serving(session, app)]
