"""`homeport redis`: key-value stores by the Data API; what is asked of their contents, by `redis-cli`."""

from __future__ import annotations

import subprocess
from typing import Any
from urllib.parse import urlsplit

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.confirmation import confirm
from homeport.cli.endpoint import is_loopback
from homeport.cli.errors import UsageError
from homeport.errors import HomeportError

Item = dict[str, Any]

SERVICE = "heroku-redis"
WAIT_SECONDS = 2


def info(call: Call) -> None:
    addons = [addon for addon in _stores(call, call.argument) if addon["state"] == "provisioned"]
    found = [call.api.get(_store(addon)) for addon in addons]
    if call.has("json"):
        call.terminal.json(
            [
                {**facts, "app": addon["app"], "config_vars": addon["config_vars"]}
                for addon, facts in zip(addons, found, strict=True)
            ]
        )
        return
    ink = call.terminal.ink
    for addon, facts in zip(addons, found, strict=True):
        call.terminal.out(layout.header(f"{ink.name(addon['name'])} ({_variables(addon)})", ink))
        call.terminal.out(layout.pairs([(fact["name"], fact["values"]) for fact in facts["info"]], ink))


def open_prompt(call: Call) -> int:
    addon = _one(call)
    url = urlsplit(call.api.get(_store(addon))["resource_url"])
    if is_loopback(url.hostname or "") and not call.endpoint.is_loopback:
        raise HomeportError(
            "store_out_of_reach",
            f"{addon['name']} can only be reached on the platform's own machine.",
            why="Stores of the plan mini speak without TLS, and so do not listen elsewhere.",
            fix=f"Use another plan, which costs nothing: homeport addons:upgrade {addon['name']} {SERVICE}:premium-0",
        )
    call.terminal.say(f"Connecting to {call.terminal.talk_ink.name(addon['name'])} ({_variables(addon)}):")
    words = ["redis-cli", "-h", url.hostname or "", "-p", str(url.port)]
    # As the official CLI does: the certificate is the platform's own, which no system knows.
    words += ["--tls", "--insecure"] if url.scheme == "rediss" else []
    call.terminal.stdout.flush()
    try:
        return subprocess.run(words, env={**call.env, "REDISCLI_AUTH": url.password or ""}, check=False).returncode
    except FileNotFoundError:
        raise HomeportError(
            "program_missing",
            "redis-cli is not installed.",
            fix="Install it: `sudo apt-get install redis-tools`, `brew install redis`.",
        ) from None


def credentials(call: Call) -> None:
    addon = _one(call)
    if call.has("reset"):
        call.terminal.out(f"Resetting credentials for {call.terminal.ink.name(addon['name'])}")
        call.api.post(_store(addon, "credentials_rotation"), {})
    else:
        call.terminal.out(call.api.get(_store(addon))["resource_url"])


def keyspace_notifications(call: Call) -> None:
    events = _given(call, "config")
    addon = _one(call)
    now = call.api.patch(_store(addon, "config"), {"notify_keyspace_events": events})
    chosen = now["notify_keyspace_events"]["value"]
    call.terminal.out(f"Keyspace notifications for {addon['name']} ({_variables(addon)}) set to '{chosen}'.")


def maxmemory(call: Call) -> None:
    policy = _given(call, "policy")
    addon = _one(call)
    now = call.api.patch(_store(addon, "config"), {"maxmemory_policy": policy})["maxmemory_policy"]
    call.terminal.out(f"Maxmemory policy for {addon['name']} ({_variables(addon)}) set to {now['value']}.")
    call.terminal.out(f"{now['value']} {now['values'][now['value']]}.")


def promote(call: Call) -> None:
    addon = _one(call)
    wanted = call.option("as") or "REDIS"
    attached = call.api.all(path("apps", call.app, "addon-attachments"))
    current = next((item for item in attached if item["name"] == wanted), None)
    if current is not None and current["addon"]["id"] == addon["id"]:
        raise HomeportError("already_promoted", f"{addon['name']} is already {wanted}_URL on {call.app}.")
    if current is not None:
        others = [item for item in attached if item["addon"]["id"] == current["addon"]["id"] and item is not current]
        if not others:  # its data would be out of the app's reach
            _attach(call, current["addon"]["id"])
    talk = call.terminal.talk_ink
    with call.terminal.doing(f"Promoting {talk.name(addon['name'])} to {wanted}_URL on {talk.app(call.app)}"):
        _attach(call, addon["id"], name=wanted)


def reset_statistics(call: Call) -> None:
    addon = _one(call)
    confirm(call, call.app, f"All stats covered by RESETSTAT will be reset on {addon['name']}.")
    with call.terminal.doing(f"Resetting stats on {call.terminal.talk_ink.name(addon['name'])}") as doing:
        doing.done = call.api.post(_store(addon, "stats", "reset"), {})["message"]


def timeout(call: Call) -> None:
    seconds = int(_given(call, "seconds"))
    addon = _one(call)
    chosen = call.api.patch(_store(addon, "config"), {"timeout": seconds})["timeout"]["value"]
    call.terminal.out(f"Timeout for {addon['name']} ({_variables(addon)}) set to {chosen} seconds.")
    if chosen:
        call.terminal.out(f"Connections to the Redis instance will be stopped after idling for {chosen} seconds.")
    else:
        call.terminal.out("Connections to the Redis instance can idle indefinitely.")


def upgrade(call: Call) -> None:
    version = _given(call, "version")
    addon = _one(call)
    confirm(call, call.app, f"{addon['name']} will be upgraded to {version}. This cannot be undone.")
    with call.terminal.doing(f"Requesting upgrade of {addon['name']} to {version}") as doing:
        doing.done = call.api.post(_store(addon, "upgrade"), {"version": version})["message"]


def wait(call: Call) -> None:
    addon = _one(call)
    every = call.number("wait-interval") or WAIT_SECONDS
    status = call.api.get(_store(addon, "wait"))
    if not status["waiting?"]:
        return
    with call.terminal.doing(f"Waiting for database {call.terminal.talk_ink.name(addon['name'])}") as doing:
        while status["waiting?"]:
            call.world.sleep(every)
            status = call.api.get(_store(addon, "wait"))
        doing.done = status["message"]


def _one(call: Call) -> Item:
    """The store that is meant: the only one whose name, or config var's name, has the argument in it.

    Raises `HomeportError` (`no_store`, `multiple_matches`).
    """
    found = _stores(call, call.argument)
    if not found:
        raise HomeportError(
            "no_store", "No Redis instances found.", fix=f"Create one: homeport addons:create {SERVICE} -a {call.app}"
        )
    exactly = [addon for addon in found if call.argument in (addon["name"], addon["id"])]
    if len(exactly or found) > 1:
        listed = ", ".join(addon["name"] for addon in found)
        raise UsageError(f"Please specify a single instance. Found: {listed}", id="multiple_matches")
    return (exactly or found)[0]


def _stores(call: Call, name: str | None) -> list[Item]:
    """Those of the app that may be meant by a name, by the rule of the official CLI."""
    there = [
        addon
        for addon in call.api.all(path("apps", call.app, "addons"))
        if addon["addon_service"]["name"].startswith(SERVICE)
    ]
    if name is None:
        return there
    wanted = name.upper()
    return [
        addon for addon in there if any(wanted in known.upper() for known in (addon["name"], *addon["config_vars"]))
    ]


def _store(addon: Item, *more: str) -> str:
    return path("redis", "v0", "databases", addon["id"], *more)


def _variables(addon: Item) -> str:
    return ", ".join(addon["config_vars"])


def _attach(call: Call, addon_id: str, *, name: str | None = None) -> None:
    body = {"addon": addon_id, "app": call.app, "confirm": call.app}
    call.api.post("/addon-attachments", {**body, "name": name} if name else body)


def _given(call: Call, flag: str) -> str:
    """The value of a flag that must be there. Raises `UsageError`."""
    value = call.option(flag)
    if value is None:
        raise UsageError(f"Missing required flag {flag}", command=call.command.name)
    return value
