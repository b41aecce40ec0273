"""Newer major versions: `pg:upgrade:run`, `dryrun`, `wait`."""

from __future__ import annotations

from homeport.accounts import Action
from homeport.api.data.databases import wanted
from homeport.api.exchange import Call, Reply
from homeport.errors import Invalid


async def run(call: Call) -> Reply:
    addon = await wanted(call, Action.MANAGE)
    version = await call.data.upgrades.start(addon, call.body.optional_text("version"))
    return Reply(
        {
            "message": f"The database is upgraded to PostgreSQL {version.major} now; apps can't reach it until then. "
            "Follow it with `heroku pg:upgrade:wait`."
        }
    )


async def dry_run(call: Call) -> Reply:
    addon = await wanted(call, Action.MANAGE)
    version = await call.data.upgrades.start(addon, call.body.optional_text("version"), only_try=True)
    return Reply(
        {
            "message": f"The upgrade to PostgreSQL {version.major} is tried on a copy now. "
            "Follow it with `heroku pg:upgrade:wait`."
        }
    )


async def prepare(call: Call) -> Reply:
    await wanted(call, Action.MANAGE)
    return Reply({"message": "Nothing has to be prepared here. Begin with `heroku pg:upgrade:run`."})


async def cancel(call: Call) -> Reply:
    await wanted(call, Action.MANAGE)
    raise Invalid("An upgrade that has begun goes through to its end.", fix="If it fails, nothing has changed.")


async def wait_status(call: Call) -> Reply:
    status = call.data.upgrades.status(await wanted(call, Action.VIEW))
    failed = {"error?": True} if status.failed else {}
    return Reply({"message": status.message, "waiting?": status.waiting, **failed})
