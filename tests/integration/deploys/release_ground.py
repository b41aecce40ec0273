"""An app with a release command: real database, fleet, add-ons and loops; engine and add-ons' providers are fakes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import accounts, addons, apps, deploys, dynos, releases, slugs
from homeport.addons import Snapshot
from homeport.addons.fake import FakeProvider
from homeport.deploys import Launcher, Releaser
from homeport.dynos.probe import Health, Verdict
from homeport.dynos.situation import Gate
from homeport.engine import Address, FakeEngine, Spec
from homeport.engine.fake import Behaviour, World
from homeport.logs import Logs
from homeport.state import Addon, App, Database, Release, User


@dataclass
class Snapshots:
    """Takes none, but notes what for."""

    taken: list[int] = field(default_factory=list)

    async def take(self, app_id: str, version: int, say: Callable[[str], None]) -> Snapshot | None:
        self.taken.append(version)
        return None


def is_command(spec: Spec) -> bool:
    return spec.name.startswith("release")


def fails_with(name: str) -> Callable[[Spec], Behaviour]:
    """A release command that fails where this config var is set; everything else runs."""

    def behave(spec: Spec) -> Behaviour:
        if not is_command(spec):
            return Behaviour()
        return Behaviour(exit_code=1 if name in spec.env else 0, lines=(b"migrating",))

    return behave


def never_ends(_spec: Spec) -> Behaviour:
    return Behaviour()


@dataclass
class Ground:
    """`shop`, of ada's, has run v2 for a while: a web and a release command. `other` is hers too, without any."""

    database: Database
    folder: Path
    behaviour: Callable[[Spec], Behaviour] = field(default_factory=lambda: fails_with("BROKEN"))
    postgres: FakeProvider = field(default_factory=FakeProvider)
    snapshots: Snapshots = field(default_factory=Snapshots)
    world: World = field(default_factory=World)
    ada: User = field(init=False)
    shop: App = field(init=False)
    other: App = field(init=False)
    launcher: Launcher = field(init=False)
    said: list[str] = field(default_factory=list)
    """What the app's log had from the API when all was carried out."""

    def __post_init__(self) -> None:
        self.store = slugs.Store(self.folder / "slugs")
        for layer in ("one", "two", "plain", "deps"):
            self.store.keep(layer, self.store.draft(layer))
        self.addons = addons.Addons(self.database, [self.postgres, FakeProvider("scheduler")])
        with self.database.session() as session:
            self.ada = accounts.create_user(session, "ada@example.com")
            self.shop, self.other = (self._app(session, name) for name in ("shop", "other"))
        self.deploy("one")

    def _app(self, session: Session, name: str) -> App:
        app = apps.create(session, owner=self.ada, name=name)
        releases.start(session, app, self.ada)
        return app

    # What people do

    def deploy(self, code: str, *, command: bool = True, pending: bool = False) -> Release:
        """A release of a slug, current at once unless it is `pending`."""
        with self.database.session() as session:
            app = session.get_one(App, self.shop.id)
            slug = slugs.record(
                session, app, code=code, layers=["deps"], profile={}, commit="c0ffee00" * 5, buildpack="Python", size=9,
                process_types={"web": "serve", **({"release": "migrate"} if command else {})},
            )  # fmt: skip
            release = releases.create(
                session, app, by=self.ada, description=f"Deploy {code}", slug=slug, pending=pending
            )
            if not pending:
                dynos.align_formation(session, app, slug)
            return release

    def set(self, **changes: str | None) -> Release:
        with self.database.session() as session:
            app = session.get_one(App, self.shop.id)
            return releases.set_config(session, app, changes, by=self.ada, attached=self.addons.attached)

    def roll_back(self, version: int) -> Release:
        with self.database.session() as session:
            app = session.get_one(App, self.shop.id)
            to = releases.find(session, app, str(version))
            return releases.roll_back(session, app, to=to, by=self.ada, attached=self.addons.attached)

    def retry(self) -> Release:
        """As the official CLI does it."""
        with self.database.session() as session:
            app = session.get_one(App, self.shop.id)
            last = releases.history(session, app)[0]
            assert last.slug is not None
            return releases.release_slug(
                session, app, last.slug, by=self.ada,
                description=f"Retry of v{last.version}: {last.description}", attached=self.addons.attached,
            )  # fmt: skip

    async def create(self, plan: str = "heroku-postgresql", name: str | None = None) -> Addon:
        return await self.addons.create(self.shop.id, addons.Wish(self.addons.plan(plan), attachment=name), by=self.ada)

    # What can be seen

    def current(self) -> Release:
        with self.database.session() as session:
            return releases.current(session, session.get_one(App, self.shop.id))

    def variables(self, release: Release | None = None) -> dict[str, str]:
        with self.database.session() as session:
            found = session.get_one(Release, (release or self.current()).id)
            return releases.variables(session, found)

    def states(self) -> list[tuple[int, str]]:
        """Of the app's releases after the second, oldest first."""
        with self.database.session() as session:
            mine = select(Release).where(Release.app_id == self.shop.id, Release.version > 2)
            return [(release.version, release.status) for release in session.scalars(mine.order_by(Release.version))]

    def commands(self) -> list[Mapping[str, str]]:
        """The environments of all release commands, oldest first."""
        return [spec.env for spec in self.world.started if is_command(spec)]

    def output(self, release: Release) -> str:
        return (self.folder / "outputs" / f"{release.id}.log").read_text()

    # The platform

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Releaser]:
        """The platform's loops, cut off at the end of the block as by a kill; dynos outlive that."""
        self.journal = Logs(self.folder / "logs")
        outputs = dynos.Outputs(self.journal)
        engine = FakeEngine(sink=outputs, script=lambda spec: self.behaviour(spec), world=self.world)
        fleet = dynos.Fleet(
            self.database, engine, self.store, outputs,
            routes_changed=_nothing, hostname=lambda name: f"{name}.localhost", until_ready=_at_once,
        )  # fmt: skip
        self.launcher = Launcher(
            self.database, fleet, self.snapshots, self.journal, lambda name: f"https://{name}.localhost/", _nothing,
            deploys.Outputs(self.folder / "outputs"), self.addons.attached,
        )  # fmt: skip
        releaser = Releaser(self.database, self.launcher, self.journal)

        def wake(app_id: str) -> None:
            fleet.wake(app_id)
            releaser.wake()

        self.database.on_touch = wake
        with self.database.session() as session:
            deploys.recover(session)
        loops = [asyncio.create_task(fleet.run()), asyncio.create_task(releaser.run())]
        try:
            yield releaser
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)
            self.journal.close()

    async def until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not is_so():  # noqa: ASYNC110 - rows have no event
                await asyncio.sleep(0.02)

    async def until_over(self) -> None:
        """Until nothing waits any more."""
        await self.until(lambda: all(status != "pending" for _, status in self.states()))

    def carried_out(self) -> None:
        """Run the platform until nothing waits any more."""

        async def carry_out() -> None:
            async with self.running() as releaser:
                await self.until_over()
                await self.until(lambda: not releaser.busy)
                self.said = [line.text for line in self.journal.recent(self.shop.id) if line.dyno == "api"]

        asyncio.run(carry_out())


async def _nothing() -> None:
    """There is no router."""


async def _at_once(_address: Address, _within: float, _health: Health | None) -> Verdict:
    return Verdict(Gate.READY)
