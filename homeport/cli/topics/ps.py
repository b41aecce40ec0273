"""`homeport ps`, `ps:restart`, `ps:stop`, `ps:wait`."""

from __future__ import annotations

from typing import Any

from homeport.cli import layout
from homeport.cli.api import SDK, path
from homeport.cli.call import Call
from homeport.cli.errors import UsageError
from homeport.cli.ink import Ink
from homeport.errors import HomeportError

POLL_SECONDS = 2


def list_dynos(call: Call) -> None:
    dynos = sorted(call.api.all(path("apps", call.app, "dynos"), accept=SDK), key=lambda dyno: str(dyno["name"]))
    for wanted in call.arguments:
        if not any(dyno["type"] == wanted for dyno in dynos):
            raise HomeportError("no_dynos", f"No {wanted} dynos on {call.app}")
    if call.arguments:
        dynos = [dyno for dyno in dynos if dyno["type"] in call.arguments]
    if call.has("json"):
        call.terminal.json(dynos)
    elif dynos:
        _show(call, dynos)
    else:
        call.terminal.out(f"No dynos on {call.terminal.ink.app(call.app)}")


def _show(call: Call, dynos: list[dict[str, Any]]) -> None:
    """One-off dynos first, then a paragraph for each process type's command."""
    ink, now = call.terminal.ink, call.world.now()
    one_offs = sorted((dyno for dyno in dynos if dyno["type"] == "run"), key=_number)
    if one_offs:
        call.terminal.out(layout.header(f"run: one-off processes ({len(one_offs)})", ink))
        for dyno in one_offs:
            since = layout.ago(dyno["updated_at"], now)
            size = ink.info(dyno.get("size") or "1X")
            command = dyno["command"]
            call.terminal.out(f"{dyno['name']} ({size}): {_state(dyno, ink)} {ink.dim(since)}: {command}")
        call.terminal.out()
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for dyno in dynos:
        if dyno["type"] != "run":
            groups.setdefault((dyno["type"], dyno["command"]), []).append(dyno)
    for (kind, command), group in groups.items():
        size = ink.info(group[0].get("size") or "1X")
        call.terminal.out(layout.header(f"{kind} ({size}): {command} ({len(group)})", ink))
        for dyno in sorted(group, key=_number):
            since = ink.dim(layout.ago(dyno["updated_at"], now))
            call.terminal.out(f"{dyno['name']}: {_state(dyno, ink)} {since}")
        call.terminal.out()


def _state(dyno: dict[str, Any], ink: Ink) -> str:
    state: str = dyno["state"]
    return ink.success(state) if state == "up" else ink.warning(state)


def _number(dyno: dict[str, Any]) -> int:
    number = str(dyno["name"]).rpartition(".")[2]
    return int(number) if number.isdecimal() else 0


def restart(call: Call) -> None:
    dyno, kind = _target(call)
    ink = call.terminal.talk_ink
    if kind:
        what, where = f"all {ink.info(kind)} dynos", path("apps", call.app, "formations", kind)
    elif dyno:
        what, where = f"dyno {ink.name(dyno)}", path("apps", call.app, "dynos", dyno)
    else:
        what, where = "all dynos", path("apps", call.app, "dynos")
    with call.terminal.doing(f"Restarting {what} on {ink.app(call.app)}"):
        call.api.delete(where, accept=SDK)


def stop(call: Call) -> None:
    dyno, kind = _target(call)
    ink = call.terminal.talk_ink
    if kind:
        what, where = f"all {ink.info(kind)} dynos", path("apps", call.app, "formations", kind, "actions", "stop")
    elif dyno:
        what, where = f"dyno {ink.name(dyno)}", path("apps", call.app, "dynos", dyno, "actions", "stop")
    else:
        raise UsageError("Please specify a process type or dyno name to stop.", command=call.command.name)
    with call.terminal.doing(f"Stopping {what} on {ink.app(call.app)}"):
        call.api.post(where, accept=SDK)


def _target(call: Call) -> tuple[str | None, str | None]:
    """The dyno or the process type that is meant."""
    kind = call.option("process-type")
    dyno = call.option("dyno-name") or call.argument
    if call.argument:
        call.terminal.warn("DYNO is a deprecated argument. Use --dyno-name or --process-type instead.")
    return (None if kind else dyno), kind


def wait(call: Call) -> None:
    releases = call.api.newest(path("apps", call.app, "releases"), 1, by="version")
    if not releases:
        call.terminal.warn(f"App {call.app} has no releases")
        return
    version = releases[0]["version"]
    interval = call.number("wait-interval")
    if interval is not None and interval < 1:
        raise UsageError("wait-interval must be at least 1", command=call.command.name)
    ready, total = _progress(call, version)
    if ready == total:
        return
    with call.terminal.doing(f"Waiting for every dyno to be running v{version}") as doing:
        while ready < total:
            call.world.sleep(interval or POLL_SECONDS)
            ready, total = _progress(call, version)
        doing.done = f"{ready} / {total}, done"


def _progress(call: Call, version: int) -> tuple[int, int]:
    """How many dynos run that release or a later one, and how many there are."""
    dynos = [
        dyno
        for dyno in call.api.all(path("apps", call.app, "dynos"))
        if dyno["type"] != "release"
        and (call.has("with-run") or dyno["type"] != "run")
        and (call.option("type") in (None, dyno["type"]))
    ]
    ready = [
        dyno for dyno in dynos if dyno["state"] == "up" and (dyno.get("release") or {}).get("version", 0) >= version
    ]
    return len(ready), len(dynos)
