"""`homeport builds`: as in Heroku's builds plugin."""

from __future__ import annotations

from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.ink import Ink
from homeport.cli.passthrough import copy
from homeport.errors import HomeportError

SHOWN = 15
CANCEL = "application/vnd.heroku+json; version=3.cancel-build"


def list_builds(call: Call) -> None:
    builds = call.api.newest(path("apps", call.app, "builds"), call.number("num") or SHOWN, by="created_at")
    if call.has("json"):
        call.terminal.json(builds)
        return
    ink = call.terminal.ink
    if not builds:
        call.terminal.out(f"{ink.app(call.app)} has no builds.")
        return
    now = call.world.now()
    rows = [
        (
            build["id"],
            _status(build, ink),
            (build["source_blob"].get("version") or "")[:8],
            ink.user(build["user"]["email"]),
            layout.ago(build["created_at"], now),
        )
        for build in builds
    ]
    call.terminal.out(layout.header(f"{ink.app(call.app)} Builds", ink))
    call.terminal.out(layout.table(("id", "status", "version", "user", "created_at"), rows))


def info(call: Call) -> None:
    build = _build(call)
    if call.has("json"):
        call.terminal.json(build)
        return
    ink = call.terminal.ink
    facts = [
        ("By", ink.user(build["user"]["email"])),
        ("Buildpacks", [buildpack["url"] for buildpack in build.get("buildpacks") or []]),
        ("Release", (build.get("release") or {}).get("id")),
        ("Status", _status(build, ink)),
        ("Version", build["source_blob"].get("version")),
        ("When", build["created_at"]),
    ]
    call.terminal.out(layout.header(f"Build {ink.name(build['id'])}", ink))
    call.terminal.out(layout.pairs(facts, ink))


def output(call: Call) -> None:
    build = _build(call)
    url = build.get("output_stream_url")
    if not url:
        call.terminal.warn(f"Build {build['id']} has no output available.")
        return
    copy(call, url)


def cancel(call: Call) -> None:
    build = _build(call)
    if build["status"] != "pending":
        raise HomeportError("build_finished", f"Build {build['id']} is not running: it has {build['status']}.")
    with call.terminal.doing(f"Cancelling build {build['id']} on {call.terminal.talk_ink.app(call.app)}"):
        call.api.delete(path("apps", call.app, "builds", build["id"]), accept=CANCEL)


def _build(call: Call) -> dict[str, Any]:
    """The one that was named, or the last one."""
    if call.argument:
        found: dict[str, Any] = call.api.get(path("apps", call.app, "builds", call.argument))
        return found
    newest: list[dict[str, Any]] = call.api.newest(path("apps", call.app, "builds"), 1, by="created_at")
    if not newest:
        raise HomeportError("no_builds", f"{call.app} has no builds.")
    return newest[0]


def _status(build: dict[str, Any], ink: Ink) -> str:
    status: str = build["status"]
    painters = {"succeeded": ink.success, "failed": ink.failure, "pending": ink.warning}
    return painters.get(status, ink.info)(status)
