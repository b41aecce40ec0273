"""App setups: a new app from an app.json (Heroku buttons, Terraform, `homeport apps:setup`).

https://devcenter.heroku.com/articles/setting-up-apps-using-the-heroku-platform-api
"""

from __future__ import annotations

from urllib.parse import urljoin

from sqlalchemy.orm import Session

from homeport import setups
from homeport.api.exchange import Call, Reply, accepted
from homeport.api.fields import Fields
from homeport.api.resources import builds, sources
from homeport.api.shapes import Shape, stamp
from homeport.deploys import Archive
from homeport.errors import Invalid
from homeport.state import AppSetup

PRIVATE_FIELDS = ("organization", "space", "team")


def shape(call: Call, session: Session, setup: AppSetup) -> Shape:
    build = setups.build_of(session, setup)
    code, output = setup.postdeploy_exit_code, setup.postdeploy_output
    return {
        "app": {"id": setup.app_id, "name": setup.app_name},
        "build": {
            "id": build.id,
            "output_stream_url": builds.output_url(call, build.id),
            "status": build.status,
        }
        if build
        else None,
        "created_at": stamp(setup.created_at),
        "failure_message": setup.failure_message,
        "id": setup.id,
        "manifest_errors": setup.manifest_errors,
        "postdeploy": {"exit_code": code, "output": output or ""} if code is not None else None,
        "resolved_success_url": _resolved(call, setup),
        "status": setup.status,
        "updated_at": stamp(setup.updated_at),
    }


async def create(call: Call) -> Reply:
    """`{source_blob: {url, version?, checksum?}, app?, overrides?}`.

    Heroku's API has no `manifest`: the text of an app.json instead of a source, for an app that will be pushed.
    """
    if call.core.setups is None:
        raise Invalid("Apps can't be set up here.", id="not_here_yet", fix="Create the app and push it.")
    body = call.body
    manifest = body.optional_text("manifest")
    source = _archive(call, body.nested("source_blob")) if manifest is None else manifest
    setup = await call.core.setups.begin(_wish(body), source, by=call.actor.user)
    return accepted(await call.core.database.run(_shape_of, call, setup.id))


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(call, session, setups.find(session, call.params["setup"], call.actor.user)))


def _shape_of(session: Session, call: Call, setup_id: str) -> Shape:
    return shape(call, session, setups.find(session, setup_id, call.actor.user))


def _archive(call: Call, blob: Fields) -> Archive:
    url = blob.text("url")
    return Archive(sources.uploaded(call, url) or url, blob.optional_text("version"), blob.optional_text("checksum"))


def _wish(body: Fields) -> setups.Wish:
    app, overrides = body.nested("app"), body.nested("overrides")
    for unknown in PRIVATE_FIELDS:
        if unknown in app:
            raise Invalid(f"There are no {unknown}s here.", fix=f"Leave {unknown} out: the app will be yours.")
    env = {}
    for name, value in overrides.mapping("env").items():
        if not isinstance(value, str):
            raise Invalid(f"overrides.env.{name[:60]} must be a string.")
        env[name] = value
    buildpacks = None
    if "buildpacks" in overrides:
        buildpacks = [item.text("url") for item in overrides.items("buildpacks")]
    return setups.Wish(
        name=app.optional_text("name"),
        region=app.reference("region"),
        stack=app.reference("stack"),
        env=env,
        buildpacks=buildpacks,
    )


def _resolved(call: Call, setup: AppSetup) -> str | None:
    """The success URL of the app.json, within the app unless it is a whole one; once there is something to see."""
    if setup.status != "succeeded":
        return None
    return urljoin(call.core.urls.app_url(setup.app_name), setup.success_url or "")
