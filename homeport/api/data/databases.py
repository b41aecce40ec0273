"""Databases: `pg:info`, `pg:wait`, `pg:reset`, `pg:killall`, `pg:stats-reset`."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from homeport import accounts, addons
from homeport.accounts import Action
from homeport.addons import Facts, Postgres, Resource, State
from homeport.api.exchange import Call, Reply
from homeport.api.resources.addons import find
from homeport.api.shapes import Shape, stamp
from homeport.errors import NotFound
from homeport.state import Addon

SERVICE = "heroku-postgresql"


async def info(call: Call) -> Reply:
    addon, names = await call.core.database.run(_seen, call)
    resource = await call.addons.resource(addon)
    facts = await call.data.postgres.facts(resource)
    return Reply(_shape(call, addon, resource, facts, names))


async def wait_status(call: Call) -> Reply:
    """Waiting while it is being made. The CLI asks until it isn't."""
    addon = await wanted(call, Action.VIEW, ready=False)
    if addon.state == State.PROVISIONING.value:
        return Reply({"message": "preparing", "waiting?": True})
    await call.data.postgres.facts(await call.addons.resource(addon))
    return Reply({"message": "available", "waiting?": False})


async def reset(call: Call) -> Reply:
    addon = await wanted(call, Action.MANAGE)
    await call.data.transfers.reset(addon, call.body.texts("extensions") or ())
    return Reply({"message": "Reset successful."})


async def reset_connections(call: Call) -> Reply:
    addon = await wanted(call, Action.OPERATE)
    ended = await call.data.postgres.disconnect(await call.addons.resource(addon))
    return Reply({"message": f"Connections terminated: {ended}."})


async def reset_statistics(call: Call) -> Reply:
    addon = await wanted(call, Action.OPERATE)
    await call.data.postgres.reset_statistics(await call.addons.resource(addon))
    return Reply({"message": "Statistics reset successful."})


async def followers(call: Call) -> Reply:
    """Nobody follows: there are no replicas here."""
    await wanted(call, Action.VIEW)
    return Reply([])


async def wanted(call: Call, action: Action, *, ready: bool = True) -> Addon:
    """The database that the path names. Raises `NotFound`, also while it is being made: the CLI then says so itself."""
    addon: Addon = await call.core.database.run(lambda session: find(call, session, action))
    if addon.service != SERVICE or (ready and addon.state != State.PROVISIONED.value):
        raise NotFound("database", "Couldn't find that database.")
    return addon


def _seen(session: Session, call: Call) -> tuple[Addon, list[str]]:
    addon = find(call, session, Action.VIEW)
    if addon.service != SERVICE or addon.state != State.PROVISIONED.value:
        raise NotFound("database", "Couldn't find that database.")
    return addon, [found.name for found in addons.attachments_of(session, addon)]


def _shape(call: Call, addon: Addon, resource: Resource, facts: Facts, names: list[str]) -> Shape:
    login = Postgres.login(resource)
    may_know = accounts.may(call.actor, Action.REVEAL, addon.app)
    return {
        "addon_id": addon.id,
        "available_for_ingress": True,
        "created_at": stamp(addon.created_at),
        "credentials": 1,
        "database_name": login.name,
        "database_password": login.password if may_know else "",
        "database_user": login.user,
        "following": None,
        "formation": {"id": addon.id, "primary": addon.id},
        "heroku_resource_id": addon.id,
        "info": [{"name": name, "values": values} for name, values in _facts(addon, resource, facts)],
        "leader": None,
        "name": addon.name,
        "num_bytes": facts.bytes,
        "plan": resource.plan.name,
        "port": login.port,
        "postgres_version": facts.version,
        "resource_url": login.url if may_know else None,
        "service_names": names,
        "target_transaction": None,
        "waiting?": False,
    }


def _facts(addon: Addon, resource: Resource, facts: Facts) -> list[tuple[str, list[Any]]]:
    holds, limit = resource.plan.limits["bytes"], resource.plan.limits["connections"]
    share = 100 * facts.bytes / holds
    word = "In compliance" if facts.bytes <= holds else "Exceeded"
    return [
        ("Plan", [resource.plan.title]),
        ("Status", ["Available"]),
        ("Connections", [f"{facts.connections}/{limit}"]),
        ("PG Version", [facts.version]),
        ("Created", [addon.created_at.strftime("%Y-%m-%d %H:%M")]),
        ("Data Size", [f"{_size(facts.bytes)} / {_size(holds)} ({share:.2f}%) ({word})"]),
        ("Tables", [facts.tables]),
        ("Extensions", [", ".join(facts.extensions)] if facts.extensions else []),
        ("Fork/Follow", ["Unsupported"]),
        ("Rollback", ["Unsupported"]),
        ("Continuous Protection", ["Off"]),
    ]


def _size(count: float) -> str:
    """7.9 MB"""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1024:
            return f"{count:.1f} {unit}" if count % 1 else f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} TB" if count % 1 else f"{count:.0f} TB"
