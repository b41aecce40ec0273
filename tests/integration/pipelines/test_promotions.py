"""Promotions carried out: real database, fleet and loops; only the engine, which would start processes, is the fake."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from homeport import accounts, apps, deploys, dynos, pipelines, releases, slugs
from homeport.addons import Snapshot
from homeport.dynos.probe import Health, Verdict
from homeport.dynos.situation import Gate
from homeport.engine import Address, FakeEngine, Spec
from homeport.engine.fake import Behaviour
from homeport.logs import Logs
from homeport.pipelines import Promoter, Stage
from homeport.pipelines import promotions as rows
from homeport.state import App, Database, PromotionTarget, Release, User


@dataclass
class NoSnapshots:
    """Takes none; `meanwhile` happens while it would."""

    meanwhile: Callable[[], None] = lambda: None

    async def take(self, app_id: str, version: int, say: Callable[[str], None]) -> Snapshot | None:
        self.meanwhile()
        return None


@dataclass
class Ground:
    """A pipeline `shop` of ada's: `staging` runs something, `production` and `europe` nothing yet."""

    database: Database
    folder: Path
    behaviour: Callable[[Spec], Behaviour] = lambda spec: Behaviour(
        exit_code=0 if spec.name.startswith("rel") else None
    )
    snapshots: NoSnapshots = field(default_factory=NoSnapshots)
    ada: User = field(init=False)
    apps: dict[str, App] = field(init=False)

    def __post_init__(self) -> None:
        self.store = slugs.Store(self.folder / "slugs")
        for layer in ("one", "two", "deps"):
            self.store.keep(layer, self.store.draft(layer))
        with self.database.session() as session:
            self.ada = accounts.create_user(session, "ada@example.com")
            pipeline = pipelines.create(session, owner=self.ada, name="shop")
            self.apps = {name: apps.create(session, owner=self.ada, name=name) for name in PLACES}
            for name, app in self.apps.items():
                releases.start(session, app, self.ada)
                releases.set_config(session, app, {"GREETING": name}, by=self.ada)
                pipelines.couple(session, pipeline, app, PLACES[name])
        self.deploy("staging", "one")

    def deploy(self, name: str, code: str, **process_types: str) -> Release:
        with self.database.session() as session:
            app = session.get_one(App, self.apps[name].id)
            slug = slugs.record(
                session, app, code=code, layers=["deps"], profile={}, commit="c0ffee00" * 5, buildpack="Python", size=9,
                process_types=process_types or {"web": "serve", "release": "migrate"},
            )  # fmt: skip
            release = releases.create(session, app, by=self.ada, description=f"Deploy {code}", slug=slug)
            dynos.align_formation(session, app, slug)
            return release

    def promote(self, *to: str) -> list[str]:
        """Write a promotion of staging down; the ids of its targets."""
        with self.database.session() as session:
            pipeline = pipelines.find(session, self.ada, "shop")
            app = {name: session.get_one(App, known.id) for name, known in self.apps.items()}
            made = pipelines.order(
                session, pipeline, source=app["staging"], release=None, to=[app[name] for name in to], by=self.ada
            )
            return [target.id for target in pipelines.targets(session, made)]

    def target(self, id: str) -> PromotionTarget:
        with self.database.session() as session:
            return session.get_one(PromotionTarget, id)

    def current(self, name: str) -> Release:
        with self.database.session() as session:
            return releases.current(session, session.get_one(App, self.apps[name].id))

    def variables(self, release: Release) -> dict[str, str]:
        with self.database.session() as session:
            return releases.variables(session, session.get_one(Release, release.id))

    def releases(self, name: str) -> list[tuple[int, str]]:
        with self.database.session() as session:
            found = session.scalars(
                select(Release).where(Release.app_id == self.apps[name].id).order_by(Release.version)
            )
            return [(release.version, release.status) for release in found]

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Promoter]:
        """The platform's loops, cut off at the end of the block as by a kill."""
        journal = Logs(self.folder / "logs")
        outputs = dynos.Outputs(journal)
        engine = FakeEngine(sink=outputs, script=lambda spec: self.behaviour(spec))
        fleet = dynos.Fleet(
            self.database, engine, self.store, outputs,
            routes_changed=_nothing, hostname=lambda name: f"{name}.localhost", until_ready=_at_once,
        )  # fmt: skip
        self.database.on_touch = fleet.wake
        launcher = deploys.Launcher(
            self.database, fleet, self.snapshots, journal, lambda name: f"https://{name}.localhost/", _nothing,
            deploys.Outputs(self.folder / "outputs"),
        )  # fmt: skip
        promoter = Promoter(self.database, launcher, journal)
        with self.database.session() as session:
            deploys.recover(session)
        loops = [asyncio.create_task(fleet.run()), asyncio.create_task(promoter.run())]
        try:
            yield promoter
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            journal.close()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():  # noqa: ASYNC110 - rows have no event
                await asyncio.sleep(0.02)

    def carried_out(self, *targets: str) -> None:
        """Run the platform until these targets are pending no more."""

        async def carry_out() -> None:
            async with self.running():
                await self.until(lambda: all(self.target(target).status != "pending" for target in targets))

        asyncio.run(carry_out())


PLACES = {"staging": Stage.STAGING, "production": Stage.PRODUCTION, "europe": Stage.PRODUCTION}


async def _nothing() -> None:
    """There is no router."""


async def _at_once(_address: Address, _within: float, _health: Health | None) -> Verdict:
    return Verdict(Gate.READY)


@pytest.fixture
def ground(database: Database, tmp_path: Path) -> Ground:
    return Ground(database, tmp_path)


def release_command(spec: Spec) -> bool:
    return spec.name.startswith("release")


def test_the_identical_slug_is_released_with_the_targets_own_config_vars(ground: Ground) -> None:
    ground.carried_out(*ground.promote("production", "europe"))
    source = ground.current("staging")
    for name in ("production", "europe"):
        made = ground.current(name)
        assert (made.slug_id, made.version, made.status) == (source.slug_id, 3, "succeeded")
        assert ground.variables(made) == {"GREETING": name}
        assert made.description == f"Promote staging v{source.version} (c0ffee00)"
    assert ground.current("staging").id == source.id, "the source stays as it is"


def test_the_release_command_runs_on_the_target_before_the_release_is_current(ground: Ground) -> None:
    seen: list[tuple[str, int]] = []

    def behaviour(spec: Spec) -> Behaviour:
        if not release_command(spec):
            return Behaviour()
        seen.append((spec.env["GREETING"], ground.current("production").version))
        return Behaviour(exit_code=0)

    ground.behaviour = behaviour
    ground.carried_out(*ground.promote("production"))
    assert seen == [("production", 2)]


def test_what_the_release_command_will_say_can_be_followed_before_it_runs(ground: Ground) -> None:
    """Whoever promotes looks at the release once it is there, and never again: a snapshot may take its time."""
    begun: list[int] = []
    ground.snapshots = NoSnapshots(lambda: begun.append(len(list((ground.folder / "outputs").iterdir()))))
    ground.carried_out(*ground.promote("production"))
    assert begun == [1]


def test_a_release_command_that_fails_fails_its_target_alone(ground: Ground) -> None:
    broken = ground.apps["europe"].name

    def behaviour(spec: Spec) -> Behaviour:
        if release_command(spec):
            return Behaviour(exit_code=7 if spec.env["GREETING"] == broken else 0, lines=(b"migrating",))
        return Behaviour()

    ground.behaviour = behaviour
    good, bad = ground.promote("production", "europe")
    ground.carried_out(good, bad)
    by_app = {ground.target(target).app_id: ground.target(target) for target in (good, bad)}
    failed, succeeded = by_app[ground.apps["europe"].id], by_app[ground.apps["production"].id]
    assert (succeeded.status, succeeded.error_message) == ("succeeded", None)
    assert failed.status == "failed"
    assert "failed with exit code 7" in (failed.error_message or "")
    assert "heroku releases:output v3 -a europe" in (failed.error_message or "")
    assert ground.releases("europe") == [(1, "succeeded"), (2, "succeeded"), (3, "failed")]
    assert ground.current("europe").version == 2
    assert failed.release_id is not None
    assert "migrating" in (ground.folder / "outputs" / f"{failed.release_id}.log").read_text()


def test_dynos_that_do_not_come_up_fail_the_target_and_the_old_ones_stay(ground: Ground) -> None:
    ground.carried_out(*ground.promote("production"))
    ground.deploy("staging", "two", web="serve")
    ground.behaviour = lambda spec: Behaviour(exit_code=1) if spec.env.get("GREETING") == "production" else Behaviour()
    before = ground.current("production")
    (target,) = ground.promote("production")
    ground.carried_out(target)
    assert ground.target(target).status == "failed"
    assert "did not start" in (ground.target(target).error_message or "")
    assert ground.current("production").id == before.id


def test_a_promotion_survives_the_death_of_the_platform(ground: Ground) -> None:
    """Killed in the middle of the release command: what was begun is failed, and another attempt succeeds."""
    (target,) = ground.promote("production")
    ground.behaviour = lambda _spec: Behaviour()  # the release command goes on for ever

    async def die_in_between() -> None:
        async with ground.running():
            await ground.until(lambda: ground.target(target).release_id is not None)

    asyncio.run(die_in_between())
    assert ground.target(target).status == "pending"
    ground.behaviour = lambda spec: Behaviour(exit_code=0) if release_command(spec) else Behaviour()
    ground.carried_out(target)
    assert ground.target(target).status == "succeeded"
    assert ground.releases("production")[2:] == [(3, "failed"), (4, "succeeded")]
    assert ground.current("production").version == 4


def test_a_promotion_that_always_kills_the_platform_is_given_up(ground: Ground) -> None:
    (target,) = ground.promote("production")
    ground.behaviour = lambda _spec: Behaviour()

    async def die(attempt: int) -> None:
        async with ground.running():
            await ground.until(lambda: ground.target(target).attempts == attempt)

    for attempt in range(1, rows.MOST_ATTEMPTS + 1):
        asyncio.run(die(attempt))
    ground.carried_out(target)
    assert ground.target(target).status == "failed"
    assert "stopped 3 times" in (ground.target(target).error_message or "")
    assert ground.current("production").version == 2


def test_promotions_to_one_app_come_one_after_another(ground: Ground) -> None:
    (first,) = ground.promote("production")
    ground.deploy("staging", "two")
    (second,) = ground.promote("production")
    ground.carried_out(first, second)
    assert ground.releases("production")[2:] == [(3, "succeeded"), (4, "succeeded")]
    assert ground.current("production").slug_id == ground.current("staging").slug_id


def test_a_target_that_is_destroyed_meanwhile_is_no_trouble(ground: Ground) -> None:
    targets = ground.promote("production", "europe")
    with ground.database.session() as session:
        apps.destroy(session, session.get_one(App, ground.apps["europe"].id))
    left = [target for target in targets if _exists(ground, target)]
    assert len(left) == 1
    ground.carried_out(*left)
    assert ground.current("production").version == 3


def _exists(ground: Ground, id: str) -> bool:
    with ground.database.session() as session:
        return session.get(PromotionTarget, id) is not None


def test_what_was_promoted_outlives_the_app_that_it_was_built_for(ground: Ground) -> None:
    ground.carried_out(*ground.promote("production"))
    with ground.database.session() as session:
        apps.destroy(session, session.get_one(App, ground.apps["staging"].id))
    made = ground.current("production")
    with ground.database.session() as session:
        assert slugs.find_slug(session, ground.apps["production"], made.slug_id or "").app_id == made.app_id
        assert {"one", "deps"} <= slugs.layers_in_use(session)
