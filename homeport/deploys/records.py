"""What a deploy writes down: the build, the slug, the release. One transaction each."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from homeport import addons, apps, builds, dynos, releases, scheduler, slugs
from homeport.deploys.appjson import AppJson, Present
from homeport.deploys.source import Source
from homeport.state import App, Build, Release, User, now

KEPT_BUILDS = 50
"""Per app: older ones are forgotten with their output."""


@dataclass(frozen=True)
class Order:
    """What is to be deployed, for whom, and what was current when it was ordered.

    `only_test`: it is built and tested, and released in no case.
    """

    app: App
    by: User
    build: Build
    source: Source
    previous: Release
    only_test: bool = False

    @property
    def description(self) -> str:
        """What the release will be called."""
        return f"Deploy {self.source.version[:8]}" if self.source.version else "Deploy"


def order(session: Session, app_id: str, user_id: str, source: Source, *, only_test: bool = False) -> Order:
    app = apps.find(session, app_id)
    by = session.get_one(User, user_id)
    build = Build(app_id=app.id, user_id=by.id, commit=source.version)
    build.user = by
    session.add(build)
    session.flush()
    return Order(app, by, build, source, releases.current(session, app), only_test)


def renewed(session: Session, order: Order) -> Order:
    """The order as things are now that it is its turn: another deploy may have come before it."""
    app = apps.find(session, order.app.id)
    return dataclasses.replace(order, app=app, previous=releases.current(session, app))


def job(session: Session, order: Order, checkout: Path) -> builds.Job:
    """With the config vars of now: they may have changed while the deploy waited for its turn."""
    app = apps.find(session, order.app.id)
    current = releases.current(session, app)
    previous = None
    if current.slug is not None:
        previous = builds.Previous(code=current.slug.code, layers=tuple(current.slug.layers))
    return builds.Job(
        app_id=app.id,
        app_name=app.name,
        source=checkout,
        commit=order.source.version,
        commit_time=order.source.at,
        source_id=order.source.content,
        env=releases.variables(session, current),
        buildpack_urls=apps.buildpacks(session, app),
        previous=previous,
        first=previous is None,
        tests=order.only_test,
    )


def ingredients(session: Session, app_id: str, source: Source) -> str:
    """A digest of all that a deploy is made of: while it stays the same, the same commit makes the same release."""
    app = apps.find(session, app_id)
    variables = releases.variables(session, releases.current(session, app))
    parts = [source.version, sorted(variables.items()), list(apps.buildpacks(session, app))]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def current(session: Session, app_id: str) -> Release:
    return releases.current(session, apps.find(session, app_id))


def tested(session: Session, order: Order) -> None:
    """The tests have passed. Quiet if the app was destroyed meanwhile."""
    build = session.get(Build, order.build.id)
    if build is not None:
        build.status = "succeeded"


def present(session: Session, order: Order) -> Present | None:
    """What the app has of what an app.json may ask for, before its first release; None afterwards."""
    app = apps.find(session, order.app.id)
    current = releases.current(session, app)
    if current.slug is not None:
        return None
    return Present(set(releases.variables(session, current)), {found.service for found in addons.of_app(session, app)})


def pending_release(session: Session, order: Order, built: builds.Built, app_json: AppJson) -> Release:
    """A release to be launched. Its dynos come up in the formation that a first one asks for."""
    app = apps.find(session, order.app.id)
    slug = slugs.record(
        session,
        app,
        code=built.code,
        layers=built.layers,
        profile=built.profile,
        process_types=built.process_types,
        commit=order.source.version,
        buildpack=built.buildpack,
        size=built.size,
        cron=app_json.cron,
    )
    wanted = [update for update in app_json.formation if update.type in built.process_types]
    if wanted:
        dynos.scale(session, app, wanted, slug=slug)
    release = releases.create(session, app, by=order.by, description=order.description, slug=slug, pending=True)
    build = session.get_one(Build, order.build.id)
    build.slug_id, build.release_id = slug.id, release.id
    return release


def succeeded(session: Session, order: Order, release: Release, attached: releases.Attach | None) -> Release:
    session.get_one(Build, order.build.id).status = "succeeded"
    return make_current(session, release, attached)


def make_current(session: Session, release: Release, attached: releases.Attach | None = None) -> Release:
    """A pending release becomes current, and the formation and the jobs follow it; returns what is current now."""
    app = session.get_one(App, release.app_id)
    current = releases.succeed(session, release, attached=attached)
    if current.slug is not None:
        app.build_description = current.slug.buildpack
        dynos.align_formation(session, app, current.slug)
    scheduler.align(session, app, now=now())
    return current


def weighed(session: Session, app_id: str, repo_size: int) -> None:
    """`repo_size` is in bytes, what is still in quarantine included."""
    app = session.get(App, app_id)
    if app is not None:
        app.repo_size = repo_size


def failed(session: Session, order: Order, failure_id: str) -> None:
    """The build has failed, and its release if it got that far. Quiet if the app was destroyed meanwhile."""
    build = session.get(Build, order.build.id)
    if build is None:
        return
    build.status, build.failure_id = "failed", failure_id
    release = session.get(Release, build.release_id) if build.release_id else None
    if release is not None and release.status == "pending":
        releases.fail(session, release)


def recover(session: Session) -> None:
    """What was under way when the platform was killed has failed: nothing of it is current, so nothing is lost.

    Changes that somebody was told will come go on waiting for their release command; `Releaser` takes them up.
    """
    session.execute(update(Build).where(Build.status == "pending").values(status="failed", failure_id="interrupted"))
    for release in session.scalars(select(Release).where(Release.status == "pending")):
        if not releases.is_remembered(session, release):
            releases.fail(session, release)


def known_releases(session: Session) -> set[str]:
    """The ids of all releases: what their commands said is kept as long as they are."""
    return set(session.scalars(select(Release.id)))


def forget_old_builds(session: Session) -> set[str]:
    """Keep the newest builds of every app; returns the ids of those that are kept."""
    kept: set[str] = set()
    for app in apps.every(session):
        newest = select(Build).where(Build.app_id == app.id).order_by(Build.created_at.desc())
        for index, build in enumerate(session.scalars(newest)):
            if index < KEPT_BUILDS:
                kept.add(build.id)
            else:
                session.delete(build)
    return kept
