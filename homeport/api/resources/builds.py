"""Builds: their list, their output, and builds from a source tarball (`builds`, `builds:create`, Terraform).

https://devcenter.heroku.com/articles/build-and-release-using-the-api
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from homeport import apps
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.resources import sources
from homeport.api.resources.buildpacks import named_buildpack
from homeport.api.shapes import Shape, moment, stamp, user_ref
from homeport.errors import Invalid, NotFound
from homeport.state import App, Build

KEYS: Keys[Build] = {"created_at": lambda build: moment(build.created_at, build.id), "id": lambda build: build.id}

_OUTPUT = "build output"


def shape(call: Call, app: App, build: Build, buildpacks: list[str]) -> Shape:
    return {
        "app": {"id": build.app_id},
        "buildpacks": [named_buildpack(url) for url in buildpacks],
        "created_at": stamp(build.created_at),
        "generation": "cedar",
        "id": build.id,
        "output_stream_url": output_url(call, build.id),
        "release": {"id": build.release_id} if build.release_id else None,
        "slug": {"id": build.slug_id} if build.slug_id else None,
        "source_blob": {"checksum": None, "url": "", "version": build.commit, "version_description": None},
        "stack": app.stack,
        "status": build.status,
        "updated_at": stamp(build.updated_at),
        "user": user_ref(build.user),
    }


def output_url(call: Call, build_id: str) -> str:
    key = call.core.capabilities.sign(_OUTPUT, build_id)
    return call.core.urls.stream(f"/builds/{build_id}/output/{key}")


def index(call: Call, session: Session) -> Reply:
    rows = session.scalars(select(Build).where(Build.app_id == call.app.id)).all()
    buildpacks = apps.buildpacks(session, call.app)
    return call.listing(rows, lambda build: shape(call, call.app, build, buildpacks), KEYS)


def info(call: Call, session: Session) -> Reply:
    build = session.scalar(select(Build).where(Build.app_id == call.app.id, Build.id == call.params["build"]))
    if build is None:
        raise NotFound("build", "Couldn't find that build.")
    return Reply(shape(call, call.app, build, apps.buildpacks(session, call.app)))


async def create(call: Call) -> Reply:
    blob = call.body.nested("source_blob")
    url, version = blob.text("url"), blob.optional_text("version")
    if call.core.deploys is None:
        raise Invalid(
            "Builds from a source tarball aren't here.", id="not_here_yet", fix="Deploy with `git push heroku main`."
        )
    source: str | Path = sources.uploaded(call, url) or url
    build = await call.core.deploys.deploy_source(
        call.app.id,
        by=call.actor.user.id,
        source=source,
        version=version,
        only_test=call.body.flag("only_test"),  # not Heroku's: `homeport ci:run`
    )
    return created(shape(call, call.app, build, await call.core.database.run(apps.buildpacks, call.app)))


async def output(call: Call, _request: Request) -> Response:
    build, key = call.params["build"], call.params["key"]
    if call.core.deploys is None or not call.core.capabilities.allows(key, _OUTPUT, build):
        raise NotFound("build")
    return await streamed(call.core.deploys.output(build))


async def streamed(pieces: AsyncIterator[bytes]) -> Response:
    """Plain text, as it comes. Raises what the first piece raises: there may be no output."""
    first = await anext(pieces, b"")
    return StreamingResponse(_all(first, pieces), media_type="text/plain", headers={"Cache-Control": "no-store"})


async def _all(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
