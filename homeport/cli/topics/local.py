"""`homeport local`: the Procfile's processes on this machine, with `.env`, and no platform."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from homeport import __version__
from homeport.cli.call import Call
from homeport.cli.ink import pad
from homeport.errors import HomeportError

_COLOURS = ("36", "33", "32", "35", "34", "96", "93", "92", "95", "94")


def start(call: Call) -> int:
    from homeport.cli import local

    types = _types(call)
    workers = local.plan(
        types,
        asked=call.arguments,
        concurrency=call.option("concurrency") or "",
        variables=_variables(call),
        outer=call.env,
        port=call.option("port"),
    )
    if not workers:
        raise HomeportError("nothing_to_run", "There is nothing to run: every quantity is 0.")
    import asyncio

    printer = _Printer(call, [worker.name for worker in workers])
    try:
        return asyncio.run(local.Crew(workers, printer).run())
    except ExceptionGroup as group:
        raise group.exceptions[0] from group  # a reader such as `head` that has seen enough, as a rule


def _types(call: Call) -> dict[str, str]:
    from homeport.cli import local

    path, instead = Path(call.option("procfile") or "Procfile"), call.option("start-cmd")
    if instead and not path.exists():
        return {"web": instead}
    if instead:
        call.terminal.warn(f"The specified start command, {instead}, is being ignored: there is a {path.name}.")
    return local.read(path, call.terminal.warn)


def _variables(call: Call) -> dict[str, str]:
    from homeport.cli import local

    named = call.option("env")
    paths = [Path(name.strip()) for name in (named or ".env").split(",") if name.strip()]
    if not named and not paths[0].exists():
        call.terminal.say("There is no .env here: the processes get the variables of this shell alone.")
    return local.read_files(paths, call.terminal.warn, optional=not named)


class _Printer:
    """`12:00:00 web.1    | a line`, every process in its colour."""

    def __init__(self, call: Call, names: list[str]) -> None:
        self._terminal = call.terminal
        self._width = max(len(name) for name in (*names, "system"))
        self._colours = {name: _COLOURS[place % len(_COLOURS)] for place, name in enumerate(names)}

    def __call__(self, name: str, line: str) -> None:
        head = f"{datetime.now().astimezone():%H:%M:%S} {pad(name, self._width)} |"
        painted = self._terminal.ink.paint(self._colours.get(name, "90"), head)
        self._terminal.out(f"{painted} {line}".rstrip())
        self._terminal.stdout.flush()


def run(call: Call) -> int:
    """In place of this program: its exit code, its terminal and its signals are the command's own."""
    from homeport.cli.local.planning import environment

    env = environment(_variables(call), call.env)
    if call.option("port"):
        env["PORT"] = call.option("port") or ""
    words = call.arguments
    call.terminal.stdout.flush()
    try:
        os.execvpe(words[0], list(words), env)  # noqa: S606 - to run what was typed is what this is for
    except OSError as error:
        reason = "There is no such command." if isinstance(error, FileNotFoundError) else f"{error.strerror}."
        raise HomeportError("command_not_found", f"{words[0]} cannot be run. {reason}") from error


def version(call: Call) -> None:
    call.terminal.out(__version__)
