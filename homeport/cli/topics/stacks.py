"""`homeport stack`, `stack:set`."""

from __future__ import annotations

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call


def list_stacks(call: Call) -> None:
    app = call.api.get(path("apps", call.app))
    stacks = sorted(call.api.all("/stacks"), key=lambda stack: stack["name"])
    if call.has("json"):
        call.terminal.json(stacks)
        return
    ink = call.terminal.ink
    call.terminal.out(layout.header(f"{ink.app(app['name'])} Available Stacks", ink))
    for stack in stacks:
        name = stack["name"]
        if name == app["stack"]["name"]:
            call.terminal.out(ink.name(f"* {name}"))
        elif name == app["build_stack"]["name"]:
            call.terminal.out(f"  {name} (active on next deploy)")
        else:
            call.terminal.out(f"  {name}")


def set_stack(call: Call) -> None:
    stack = call.arguments[0]
    with call.terminal.doing(f"Setting stack to {call.terminal.talk_ink.name(stack)}"):
        app = call.api.patch(path("apps", call.app), {"build_stack": stack})
    if app["stack"]["name"] != app["build_stack"]["name"]:
        ink = call.terminal.ink
        push = f"git push {call.option('remote') or 'heroku'} main"
        call.terminal.out(f"You will need to redeploy {ink.app(app['name'])} for the change to take effect.")
        call.terminal.out(f"Run {ink.code(push)} to trigger a new build on {ink.app(app['name'])}.")
