"""`homeport run`, `run:detached`: one-off dynos."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.errors import ApiError, RemoteExit, UsageError
from homeport.cli.topics import logs
from homeport.errors import HomeportError

_VARIABLE = re.compile(r"\s*([\w.-]+)\s*=\s*(.*)?\s*")
TRIES = 3  # a dyno can be asked for a moment before its release is there (409); the official CLI tries as often


def attached(call: Call) -> int:
    from homeport.cli import rendezvous

    typed = _command(call)
    wants_code = call.has("exit-code")
    body = _body(call, rendezvous.reporting_exit_code(typed) if wants_code else typed)
    body["attach"] = True
    # What is piped in is for the command itself: a terminal in between would echo it and end it at a ^D.
    has_terminal = call.terminal.is_interactive and not call.has("no-tty")
    if not has_terminal:
        body["force_no_tty"] = True
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"Running {ink.code(typed)} on {ink.app(call.app)}") as doing:
        dyno = _start(call, body)
        target = rendezvous.target_of(dyno["attach_url"])
        connection = rendezvous.connect(target, call.endpoint)
        doing.done = f"up, {dyno['name']}"
    code = rendezvous.converse(
        connection,
        call.terminal,
        raw=has_terminal,
        has_terminal=has_terminal,
        wants_code=wants_code,
    )
    if not wants_code:
        return 0
    if code is None:
        raise HomeportError(
            "no_exit_code",
            "The dyno ended without an exit code.",
            fix=f"Look what became of it: homeport logs --dyno {dyno['name']} -a {call.app}",
        )
    if code:
        raise RemoteExit(code)
    return 0


def detached(call: Call) -> None:
    typed = _command(call)
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"Running {ink.code(typed)} on {ink.app(call.app)}") as doing:
        dyno = _start(call, {**_body(call, typed), "attach": False})
        doing.done = f"done, {dyno['name']}"
    if call.has("tail"):
        logs.show(call, lines=logs.LINES, tail=True, dyno=dyno["name"])
        return
    view = call.terminal.ink.code(f"homeport logs --app {call.app} --dyno {dyno['name']}")
    call.terminal.out(f"Run {view} to view the output.")


def _command(call: Call) -> str:
    if not call.arguments:
        raise UsageError(
            f"Usage: homeport {call.command.name} COMMAND\n\nExample: homeport {call.command.name} bash",
            command=call.command.name,
        )
    return command_line(call.arguments)


def command_line(words: Sequence[str]) -> str:
    """The words as one line for the dyno's shell.

    As with Heroku, one word is a line already (`run "rake db:migrate && echo done"`), and of several only those with
    spaces or double quotes in them are put in quotes: `run echo '$HOME'` means the dyno's HOME.
    """
    if len(words) == 1:
        return words[0]
    return " ".join(_quoted(word) if " " in word or '"' in word else word for word in words)


def _quoted(word: str) -> str:
    return '"' + word.replace('"', r"\"") + '"'


def variables(text: str) -> tuple[dict[str, str], list[str]]:
    """`A=1;B=2`, and the parts of it that are no assignment."""
    found, invalid = {}, []
    for part in text.split(";"):
        assignment = _VARIABLE.fullmatch(part)
        if assignment:
            found[assignment[1]] = assignment[2] or ""
        else:
            invalid.append(part)
    return found, invalid


def _body(call: Call, command: str) -> dict[str, Any]:
    env: dict[str, Any] = {}
    if call.option("env"):
        env, invalid = variables(call.option("env") or "")
        for part in invalid:
            call.terminal.warn(f"env flag {part} appears invalid. Avoid using ';' in values.")
    body: dict[str, Any] = {"command": command, "env": {**env, **_terminal_size(call)}}
    for name in ("size", "type"):
        if call.option(name):
            body[name] = call.option(name)
    return body


def _terminal_size(call: Call) -> Mapping[str, Any]:
    """What a pseudo-terminal for this terminal must be like."""
    found: dict[str, Any] = {"TERM": call.env["TERM"]} if call.env.get("TERM") else {}
    if call.terminal.columns is not None:
        import shutil

        size = shutil.get_terminal_size()
        found |= {"COLUMNS": size.columns, "LINES": size.lines}
    return found


def _start(call: Call, body: dict[str, Any]) -> dict[str, Any]:
    for tries_left in reversed(range(TRIES)):
        try:
            dyno: dict[str, Any] = call.api.post(path("apps", call.app, "dynos"), body)
            return dyno
        except ApiError as error:
            if error.status != 409 or not tries_left:
                raise
    raise AssertionError("unreachable")
