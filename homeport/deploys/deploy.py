"""The top verb: what happens between `git push` and the line with the URL."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from homeport import apps, builds, dynos, releases, slugs
from homeport.deploys import source
from homeport.deploys.turns import Turns
from homeport.errors import HomeportError, Invalid
from homeport.git import Objects, Push, Update
from homeport.git.repositories import Commit
from homeport.home import Home
from homeport.state import App, Build, Database, Release, User

Say = Callable[[str], None]


class RolloutReport(Protocol):
    """What `dynos` tells of a rollout: whether its web dynos are up, and if not, why, with their last lines."""

    @property
    def ok(self) -> bool: ...
    @property
    def reason(self) -> str: ...


class Fleet(Protocol):
    """The part of `dynos.Fleet` that a deploy needs."""

    async def release_phase(self, release_id: str, out: Say) -> int: ...
    async def rollout(self, release_id: str, out: Say) -> RolloutReport: ...


class Journal(Protocol):
    """The part of `logs.Logs` that a deploy needs."""

    def write(self, app_id: str, source: str, dyno: str, texts: Sequence[str]) -> None: ...


@dataclass(frozen=True)
class Order:
    """What is to be deployed, for whom. `release` is what the release will be called."""

    app: App
    by: User
    build: Build
    objects: Objects
    commit: Commit
    previous: Release

    @property
    def release(self) -> str:
        return f"Deploy {self.commit.id[:8]}"


class Deploys:
    """Deploys, one at a time per app."""

    def __init__(
        self,
        home: Home,
        database: Database,
        builder: builds.Builder,
        fleet: Fleet,
        journal: Journal,
        web_url: Callable[[str], str],
    ) -> None:
        self._home = home
        self._database = database
        self._builder = builder
        self._fleet = fleet
        self._journal = journal
        self._web_url = web_url
        self.turns = Turns()

    async def push(self, push: Push, ref: Update, say: Say) -> None:
        """Deploy what a push brought. Raises `HomeportError` to refuse it; what runs goes on running then."""
        if ref.new is None:
            raise Invalid("There is nothing to deploy in a deletion.", id="nothing_to_deploy")
        commit = await push.objects.commit(ref.new)
        async with self.turns.take(push.app_id, say):
            await self._deploy(push, commit, say)
            await push.objects.point_head_at(ref.ref)

    async def _deploy(self, push: Push, commit: Commit, say: Say) -> None:
        order = await self._database.run(_order, push, commit)
        name = order.app.name
        self._note(order, "Build started by user " + order.by.email)
        try:
            slug = await self._build(order, say)
            release = await self._database.run(_release, order, slug)
            await self._launch(order, release, say)
        except HomeportError as error:
            await self._database.run(_failed, order.build.id, error.id)
            self._note(order, f"Build failed: {error.id}" if error.id != "release_command_failed" else error.what)
            say("")
            say(f" !     Push rejected to {name}.")
            raise
        except BaseException:
            await self._database.run(_failed, order.build.id, "interrupted")
            raise
        say("")
        say("Verifying deploy... done.")

    async def _build(self, order: Order, say: Say) -> builds.Built:
        say("Compressing source files... done.")
        say("Building source:")
        say("")
        folder = Path(tempfile.mkdtemp(dir=self._home.builds, prefix="source-"))
        try:
            checkout = folder / "app"
            checkout.mkdir()
            await source.check_out(order.objects, order.commit, checkout, say)
            job = await self._database.run(_job, order, checkout)
            return await self._builder.build(job, say)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _launch(self, order: Order, release: Release, say: Say) -> None:
        """Release phase, rollout, and the moment when the release becomes the current one."""
        say("")
        say("-----> Launching...")
        try:
            await self._release_phase(order, release, say)
            report = await self._fleet.rollout(release.id, say)
            if not report.ok and order.previous.slug_id is not None:
                raise Invalid(
                    f"v{release.version} did not start: {report.reason}",
                    id="release_did_not_start",
                    why=f"v{order.previous.version} goes on serving; nobody noticed.",
                    fix="Mend what the lines above say and push again.",
                )
        except BaseException:
            await self._database.run(releases.fail, release)
            raise
        current = await self._database.run(_succeed, order, release)
        self._note(
            order,
            f"{order.release} by user {order.by.email}",
            f"Release v{current.version} created by user {order.by.email}",
        )
        url = self._web_url(order.app.name)
        say(f"       Released v{current.version}")
        if report.ok:
            say(f"       {url} deployed to Homeport")
            return
        for line in (
            "",
            f" !     v{current.version} is released, but it does not run: {report.reason}",
            " !     There is no earlier release to return to, so it is kept as it is and is tried again.",
            f" !     See why: heroku logs --app {order.app.name}",
            " !     If a config var is missing, `heroku config:set NAME=value` restarts it; otherwise mend it and push again.",
        ):
            say(line)

    async def _release_phase(self, order: Order, release: Release, say: Say) -> None:
        if release.slug is None or "release" not in release.slug.process_types:
            return
        say("       Release command declared: this new release will not be available until the command succeeds.")
        say("")
        code = await self._fleet.release_phase(release.id, say)
        say("")
        if code != 0:
            kept = (
                f"v{order.previous.version} goes on as it was." if order.previous.slug_id else "Nothing was released."
            )
            raise Invalid(
                f"The release command of v{release.version} failed with exit code {code}.",
                id="release_command_failed",
                why=f"The release phase runs before any traffic, so {kept[0].lower()}{kept[1:]}",
                fix="Its output is above. Mend it and push again.",
            )

    def _note(self, order: Order, *lines: str) -> None:
        self._journal.write(order.app.id, "app", "api", lines)


def recover(session: Session) -> None:
    """What was under way when the platform was killed has failed: nothing of it is current, so nothing is lost."""
    session.execute(update(Build).where(Build.status == "pending").values(status="failed", failure_id="interrupted"))
    for release in session.scalars(select(Release).where(Release.status == "pending")):
        releases.fail(session, release)


def _order(session: Session, push: Push, commit: Commit) -> Order:
    app = apps.find(session, push.app_id)
    by = session.get_one(User, push.user_id)
    build = Build(app_id=app.id, user_id=by.id, commit=commit.id)
    build.user = by
    session.add(build)
    session.flush()
    return Order(app, by, build, push.objects, commit, releases.current(session, app))


def _job(session: Session, order: Order, checkout: Path) -> builds.Job:
    current = releases.current(session, order.app)
    previous = None
    if current.slug is not None:
        previous = builds.Previous(code=current.slug.code, layers=tuple(current.slug.layers))
    return builds.Job(
        app_id=order.app.id,
        app_name=order.app.name,
        source=checkout,
        commit=order.commit.id,
        commit_time=order.commit.at,
        source_id=order.commit.tree,
        env=releases.variables(session, current),
        buildpack_urls=apps.buildpacks(session, order.app),
        previous=previous,
        first=previous is None,
    )


def _release(session: Session, order: Order, built: builds.Built) -> Release:
    app = apps.find(session, order.app.id)
    slug = slugs.record(
        session,
        app,
        code=built.code,
        layers=built.layers,
        profile=built.profile,
        process_types=built.process_types,
        commit=order.commit.id,
        buildpack=built.buildpack,
        size=built.size,
    )
    release = releases.create(session, app, by=order.by, description=order.release, slug=slug, pending=True)
    build = session.get_one(Build, order.build.id)
    build.slug_id, build.release_id = slug.id, release.id
    return release


def _succeed(session: Session, order: Order, release: Release) -> Release:
    app = apps.find(session, order.app.id)
    current = releases.succeed(session, release)
    if current.slug is not None:
        app.build_description = current.slug.buildpack
        dynos.align_formation(session, app, current.slug)
    build = session.get_one(Build, order.build.id)
    build.status = "succeeded"
    return current


def _failed(session: Session, build_id: str, failure_id: str) -> None:
    build = session.get(Build, build_id)
    if build is not None:  # else the app was destroyed meanwhile
        build.status, build.failure_id = "failed", failure_id
