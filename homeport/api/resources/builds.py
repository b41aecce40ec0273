"""Builds: their list, their output, and builds from a source tarball."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.shapes import Shape, moment, stamp, user_ref
from homeport.errors import Invalid, NotFound
from homeport.state import App, Build

KEYS: Keys[Build] = {"created_at": lambda build: moment(build.created_at, build.id), "id": lambda build: build.id}


def shape(app: App, build: Build) -> Shape:
    return {
        "app": {"id": app.id},
        "buildpacks": None,
        "created_at": stamp(build.created_at),
        "id": build.id,
        "release": {"id": build.release_id} if build.release_id else None,
        "slug": {"id": build.slug_id} if build.slug_id else None,
        "source_blob": {"checksum": None, "url": "", "version": build.commit, "version_description": None},
        "stack": app.stack,
        "status": build.status,
        "updated_at": stamp(build.updated_at),
        "user": user_ref(build.user),
    }


def index(call: Call, session: Session) -> Reply:
    rows = session.scalars(select(Build).where(Build.app_id == call.app.id)).all()
    return call.listing(rows, lambda build: shape(call.app, build), KEYS)


def info(call: Call, session: Session) -> Reply:
    build = session.scalar(select(Build).where(Build.app_id == call.app.id, Build.id == call.params["build"]))
    if build is None:
        raise NotFound("build", "Couldn't find that build.")
    return Reply(shape(call.app, build))


async def create(call: Call) -> Reply:
    source = call.body.nested("source_blob")
    url, version = source.text("url"), source.optional_text("version")
    if call.core.deploys is None:
        raise Invalid(
            "Builds from a source tarball aren't here yet.",
            id="not_here_yet",
            fix="Deploy with `git push heroku main`.",
        )
    build = await call.core.deploys.deploy_source(call.app.id, by=call.actor.user.id, source=url, version=version)
    return created(shape(call.app, build))
