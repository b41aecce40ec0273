"""Credentials: `pg:credentials`, `pg:credentials:url`, `pg:credentials:rotate`. A database has one, `default`."""

from __future__ import annotations

from homeport.accounts import Action
from homeport.addons import Postgres, Resource
from homeport.api.data.databases import wanted
from homeport.api.exchange import Call, Reply
from homeport.api.resources.addons import say_release
from homeport.api.shapes import Shape, fixed_id
from homeport.errors import Invalid, NotFound

DEFAULT = "default"


def _shape(resource: Resource) -> Shape:
    login = Postgres.login(resource)
    return {
        "credentials": [{"password": login.password, "state": "active", "user": login.user}],
        "database": login.name,
        "host": login.host,
        "name": DEFAULT,
        "port": login.port,
        "state": "active",
        "uuid": fixed_id("credential", resource.id),
    }


async def index(call: Call) -> Reply:
    return Reply([_shape(await call.addons.resource(await wanted(call, Action.REVEAL)))])


async def info(call: Call) -> Reply:
    _require_default(call)
    return Reply(_shape(await call.addons.resource(await wanted(call, Action.REVEAL))))


async def create(call: Call) -> Reply:
    await wanted(call, Action.DEPLOY)
    raise Invalid(
        "A database has one credential here.",
        id="not_here_yet",
        fix="Create a role in it yourself, or another database for what is to be apart.",
    )


async def rotate(call: Call) -> Reply:
    """A new password. Connections that are open end: whoever holds the old one is to be out."""
    if "credential" in call.params:
        _require_default(call)
    addon = await wanted(call, Action.DEPLOY)
    await call.addons.renew(addon, {"password": Postgres.new_password()})
    await call.data.postgres.disconnect(await call.addons.resource(addon))
    if addon.app is not None:
        await say_release(call, addon.app)
    return Reply({"message": "Rotating credential default."})


def _require_default(call: Call) -> None:
    if call.params["credential"] != DEFAULT:
        raise NotFound("credential", "Couldn't find that credential.", fix="There is one: default.")
