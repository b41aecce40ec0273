"""Key-value stores: `redis:info`, `cli`, `credentials`, `maxmemory`, `timeout`, `keyspace-notifications`, `wait`,
`stats-reset`, `upgrade`."""

from __future__ import annotations

from typing import Any

from homeport import accounts
from homeport.accounts import Action
from homeport.addons import Redis, RedisFacts, RedisTuning, Resource, State, redis_tuning
from homeport.api.exchange import Call, Reply
from homeport.api.resources.addons import find, say_release
from homeport.api.shapes import Shape, stamp
from homeport.errors import Invalid, NotFound
from homeport.state import Addon

MB = 1024**2


async def info(call: Call) -> Reply:
    addon = await _wanted(call, Action.VIEW)
    resource = await call.addons.resource(addon)
    facts = await _provider(call).facts(resource)
    login = _provider(call).login(resource)
    may_know = accounts.may(call.actor, Action.REVEAL, addon.app)
    return Reply(
        {
            "addon_id": addon.id,
            "created_at": stamp(addon.created_at),
            "formation": {"id": addon.id, "primary": addon.id},
            "info": [{"name": name, "values": [value]} for name, value in _facts(addon, resource, facts)],
            "metaas_source": addon.id,
            "name": addon.name,
            "plan": resource.plan.name,
            "port": int(login.url.rpartition(":")[2]),
            # Without native TLS the CLI connects, by TLS, to the port after that of resource_url.
            "prefer_native_tls": login.requires_tls,
            "resource_url": login.url if may_know else None,
            "version": facts.version,
        }
    )


async def wait(call: Call) -> Reply:
    """Waiting while it is being made. The CLI asks until it isn't."""
    addon = await _wanted(call, Action.VIEW, ready=False)
    if addon.state == State.PROVISIONING.value:
        return Reply({"message": "preparing", "waiting?": True})
    await _provider(call).facts(await call.addons.resource(addon))
    return Reply({"message": "available", "waiting?": False})


async def config(call: Call) -> Reply:
    resource = await call.addons.resource(await _wanted(call, Action.VIEW))
    return Reply(_tuned(RedisTuning.of(resource.secret)))


async def update_config(call: Call) -> Reply:
    """Any of `{maxmemory_policy, timeout, notify_keyspace_events}`; what is left out stays."""
    addon = await _wanted(call, Action.OPERATE)
    now = RedisTuning.of((await call.addons.resource(addon)).secret)
    body = call.body
    policy, events = body.optional_text("maxmemory_policy"), body.optional_text("notify_keyspace_events")
    timeout = body.number("timeout", least=0, most=redis_tuning.MAX_TIMEOUT)
    wanted = RedisTuning(
        policy=now.policy if policy is None else policy,
        timeout=now.timeout if timeout is None else timeout,
        events=now.events if events is None else events,
    ).check()
    if wanted != now:
        await call.addons.renew(addon, wanted.remembered())
    return Reply(_tuned(wanted))


async def rotate(call: Call) -> Reply:
    """A new password. Connections that are open end: whoever holds the old one is to be out."""
    addon = await _wanted(call, Action.DEPLOY)
    await call.addons.renew(addon, {"password": _provider(call).new_password()})
    if addon.app is not None:
        await say_release(call, addon.app)
    return Reply({"message": f"Credentials of {addon.name} were reset."})


async def reset_statistics(call: Call) -> Reply:
    addon = await _wanted(call, Action.OPERATE)
    await _provider(call).reset_statistics(await call.addons.resource(addon))
    return Reply({"message": "Stats reset successful."})


async def upgrade(call: Call) -> Reply:
    """All servers are of the one version that is installed; a newer one is used from a server's next start on."""
    addon = await _wanted(call, Action.OPERATE)
    version = (await _provider(call).facts(await call.addons.resource(addon))).version
    wanted = call.body.optional_text("version")
    if wanted is not None and not f"{version}.".startswith(f"{wanted}."):
        raise Invalid(
            f"Redis {wanted[:20]} isn't what this machine has: {addon.name} runs {version}.",
            fix="Versions are installed by the operator: `sudo apt-get install --only-upgrade redis-server`.",
        )
    return Reply({"message": f"{addon.name} runs version {version} already."})


async def maintenance(call: Call) -> Reply:
    await _wanted(call, Action.VIEW)
    return Reply({"message": "No maintenance is planned, and none is ever needed."})


async def _wanted(call: Call, action: Action, *, ready: bool = True) -> Addon:
    """The store that the path names. Raises `NotFound`, also while it is being made: the CLI waits for that to end."""
    addon: Addon = await call.core.database.run(lambda session: find(call, session, action))
    if addon.service != Redis.service or (ready and addon.state != State.PROVISIONED.value):
        raise NotFound("database", "Couldn't find that key-value store.")
    return addon


def _provider(call: Call) -> Redis:
    provider = call.addons.provider(Redis.service)
    if not isinstance(provider, Redis):
        raise NotFound("addon_service", "There are no key-value stores here.")
    return provider


def _facts(addon: Addon, resource: Resource, facts: RedisFacts) -> list[tuple[str, str | int]]:
    """In the order of Heroku's own."""
    tuned = RedisTuning.of(resource.secret)
    limits = resource.plan.limits
    rate = "" if facts.hit_rate is None else f"{100 * facts.hit_rate:.1f}%"
    return [
        ("Plan", resource.plan.title),
        ("Status", "available"),
        ("Created", addon.created_at.strftime("%Y-%m-%d %H:%M")),
        ("Version", facts.version),
        ("Timeout", tuned.timeout),
        ("Maxmemory", tuned.policy),
        ("Keyspace Notifications", tuned.events or "Disabled"),
        ("Maintenance", "not required"),
        ("Persistence", "AOF" if facts.persists else "AOF, and the disk refuses to be written"),
        ("HA Status", "Unavailable"),
        ("Requires TLS", "Yes" if Redis.login(resource).requires_tls else "No"),
        ("Memory", f"{facts.memory / MB:.1f} MB / {limits['memory'] // MB} MB"),
        ("Connections", f"{facts.connections}/{limits['connections']}"),
        *([("Hit Rate", rate)] if rate else []),
    ]


def _tuned(now: RedisTuning) -> Shape:
    usual = RedisTuning()
    return {
        "maxmemory_policy": {
            **_setting(now.policy, usual.policy, "What happens to keys when the memory is full."),
            "values": redis_tuning.POLICIES,
        },
        "notify_keyspace_events": _setting(now.events, usual.events, "Which events of keys are published."),
        "standby_segv_workaround": _setting(False, False, "There is no standby here."),
        "timeout": _setting(now.timeout, usual.timeout, "Seconds after which connections that say nothing are closed."),
    }


def _setting(value: Any, usual: Any, description: str) -> Shape:
    return {"default": usual, "desc": description, "value": value}
