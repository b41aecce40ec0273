"""`homeport config`, `config:get`, `config:set`, `config:unset`."""

from __future__ import annotations

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.errors import UsageError


def list_vars(call: Call) -> None:
    variables = read(call)
    if call.has("shell"):
        if variables:
            call.terminal.out(layout.shell_pairs(variables))
    elif call.has("json"):
        call.terminal.json(variables)
    else:
        ink = call.terminal.ink
        call.terminal.out(layout.header(f"{ink.app(call.app)} Config Vars", ink))
        call.terminal.out(layout.pairs(((ink.name(name), value) for name, value in variables.items()), ink))


def get(call: Call) -> None:
    variables = read(call)
    names = call.arguments
    if call.has("json"):
        found = [{"key": name, "value": variables.get(name)} for name in names]
        call.terminal.json(found[0] if len(found) == 1 else found)
    elif call.has("shell"):
        call.terminal.out(layout.shell_pairs({name: variables.get(name, "") for name in names}))
    else:
        for name in names:
            call.terminal.out(variables.get(name, ""))


def set_vars(call: Call) -> None:
    changes = {}
    for word in call.arguments:
        name, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"{word} is invalid. Must be in the format FOO=bar.", command=call.command.name)
        changes[name] = value
    if not changes:
        raise UsageError(
            "Usage: homeport config:set KEY1=VALUE1 [KEY2=VALUE2 ...]\nMust specify KEY and VALUE to set.",
            command=call.command.name,
        )
    variables = _change(call, "Setting", changes)
    ink = call.terminal.ink
    shown = [(ink.name(name), value) for name, value in variables.items() if changes.get(name)]
    if shown:
        call.terminal.out(layout.pairs(shown, ink))


def unset(call: Call) -> None:
    if not call.arguments:
        raise UsageError(
            "Usage: homeport config:unset KEY1 [KEY2 ...]\nMust specify KEY to unset.", command=call.command.name
        )
    _change(call, "Unsetting", dict.fromkeys(call.arguments))


def read(call: Call) -> dict[str, str]:
    variables: dict[str, str] = call.api.get(path("apps", call.app, "config-vars"))
    return variables


def write(call: Call, changes: dict[str, str] | dict[str, str | None]) -> dict[str, str]:
    """All config vars after the change; None removes one."""
    variables: dict[str, str] = call.api.patch(path("apps", call.app, "config-vars"), changes)
    return variables


def _change(call: Call, verb: str, changes: dict[str, str] | dict[str, str | None]) -> dict[str, str]:
    ink = call.terminal.talk_ink
    names = ", ".join(ink.name(name) for name in changes)
    with call.terminal.doing(f"{verb} {names} and restarting {ink.app(call.app)}") as doing:
        variables = write(call, changes)
        releases = call.api.newest(path("apps", call.app, "releases"), 1, by="version")
        if releases:
            doing.done = f"done, {ink.name('v' + str(releases[0]['version']))}"
    return variables
