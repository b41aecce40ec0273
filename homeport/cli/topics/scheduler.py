"""`homeport scheduler`: jobs that run at their times, and what became of them."""

from __future__ import annotations

from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.confirmation import confirm
from homeport.cli.errors import ApiError, RemoteExit, UsageError
from homeport.cli.topics.run import command_line
from homeport.errors import HomeportError

Item = dict[str, Any]

HISTORY = 20
WAIT_SECONDS = 1.0
_WISHES = ("every", "at", "cron", "timezone", "size", "overlap", "grace", "name")
_UNFINISHED = ("waiting", "running")


def list_jobs(call: Call) -> None:
    found = call.api.all(_path(call, "jobs"))
    if call.has("json"):
        call.terminal.json(found)
        return
    if not found:
        call.terminal.out(f"No scheduled jobs for app {call.app}.")
        call.terminal.out('Add one: homeport scheduler:add "COMMAND" --every day --at 04:30')
        return
    rows = [
        (
            call.terminal.ink.name(job["name"]),
            layout.shortened(job["command"], 40),
            job["schedule"]["description"],
            _local(job["next_run_at"]),
            _outcome(job["last_run"]),
        )
        for job in found
    ]
    call.terminal.out(layout.table(("Job", "Command", "Schedule", "Next run", "Last run"), rows))


def add(call: Call) -> None:
    if not call.arguments:
        raise UsageError('Usage: homeport scheduler:add "COMMAND" --every day --at 04:30', command=call.command.name)
    command = command_line(call.arguments)
    with call.terminal.doing(f"Adding {call.terminal.talk_ink.code(command)}") as doing:
        job = call.api.post(_path(call, "jobs"), {"command": command, **_wishes(call)})
        doing.done = f"done, {job['name']}"
    _show(call, job)


def update(call: Call) -> None:
    changes = _wishes(call)
    if command := call.option("command"):
        changes["command"] = command
    if not changes:
        raise UsageError("Nothing to change: see homeport help scheduler:update", command=call.command.name)
    name = call.arguments[0]
    with call.terminal.doing(f"Updating {call.terminal.talk_ink.name(name)}"):
        job = call.api.patch(_path(call, "jobs", name), changes)
    _show(call, job)


def remove(call: Call) -> None:
    name = call.arguments[0]
    job = call.api.get(_path(call, "jobs", name))
    confirm(call, call.app, f"{job['name']} ({job['command']}) will not run any more.")
    with call.terminal.doing(f"Removing {call.terminal.talk_ink.name(job['name'])}"):
        call.api.delete(_path(call, "jobs", job["id"]))


def run(call: Call) -> int:
    name = call.arguments[0]
    with call.terminal.doing(f"Running {call.terminal.talk_ink.name(name)}") as doing:
        begun = call.api.post(_path(call, "jobs", name, "runs"))
        doing.done = f"{begun['status']}, {begun['dyno']}" if begun["dyno"] else begun["status"]
    if not call.has("wait"):
        if call.has("json"):
            call.terminal.json(begun)
        elif begun["dyno"]:
            view = call.terminal.ink.code(f"homeport scheduler:logs {begun['dyno']} -a {call.app}")
            call.terminal.out(f"Run {view} to view the output.")
        return 0
    ended = begun
    while ended["status"] in _UNFINISHED:
        call.world.sleep(WAIT_SECONDS)
        ended = call.api.get(_path(call, "runs", begun["id"]))
    if call.has("json"):
        call.terminal.json(ended)
    else:
        _print_log(call, ended)
    if ended["status"] != "succeeded":
        raise RemoteExit(ended["exit_code"] or 1)
    return 0


def history(call: Call) -> None:
    where = _path(call, "jobs", call.argument, "runs") if call.argument else _path(call, "runs")
    found = call.api.newest(where, call.number("num") or HISTORY, by="created_at")
    if call.has("json"):
        call.terminal.json(found)
        return
    if not found:
        call.terminal.out(f"No runs yet for app {call.app}.")
        return
    rows = [
        (
            call.terminal.ink.name(item["job"]["name"]),
            _local(item["due_at"]) or "by hand",
            _local(item["started_at"]),
            _span(item["duration"]),
            _status(item),
            "" if item["exit_code"] is None else str(item["exit_code"]),
            item["dyno"] or item["detail"],
        )
        for item in found
    ]
    call.terminal.out(layout.table(("Job", "Due", "Started", "Duration", "Status", "Exit", "Dyno"), rows))


def logs(call: Call) -> None:
    found = _run(call, call.argument)
    if call.has("json"):
        call.terminal.json(call.api.get(_path(call, "runs", found["id"], "log")))
        return
    _print_log(call, found)


def _run(call: Call, name: str | None) -> Item:
    """A run by its id or its dyno; else the last one that was begun of a job, or of all jobs.

    Raises `HomeportError` (`no_runs`).
    """
    where = _path(call, "runs")
    if name is not None:
        try:
            found: Item = call.api.get(_path(call, "runs", name))
            return found
        except ApiError as error:
            if error.status != 404:
                raise
        where = _path(call, "jobs", name, "runs")
    begun = [item for item in call.api.newest(where, 200, by="created_at") if item["dyno"]]
    if not begun:
        raise HomeportError("no_runs", f"{name} hasn't run yet." if name else "No job has run yet.")
    return dict(begun[0])


def _print_log(call: Call, item: Item) -> None:
    from homeport.cli.log_colours import LogColours

    said = call.api.get(_path(call, "runs", item["id"], "log"))
    colours = LogColours(call.terminal.ink)
    for line in said["lines"]:
        call.terminal.out(colours.paint(line))
    item = said["run"]
    code = "" if item["exit_code"] is None else f" with exit code {item['exit_code']}"
    detail = f": {item['detail']}" if item["detail"] else ""
    call.terminal.say(f"{item['job']['name']} ({item['dyno'] or 'no dyno'}) {_status(item)}{code}{detail}")


def _show(call: Call, job: Item) -> None:
    if call.has("json"):
        call.terminal.json(job)
        return
    facts = [
        ("Command", job["command"]),
        ("Schedule", job["schedule"]["description"]),
        ("Next run", _local(job["next_run_at"])),
        ("Size", job["size"]),
        ("Overlap", job["overlap"]),
    ]
    call.terminal.out(layout.pairs(facts, call.terminal.ink))


def _wishes(call: Call) -> Item:
    return {name: value for name in _WISHES if (value := call.option(name)) is not None}


def _path(call: Call, *more: str) -> str:
    return path("apps", call.app, "scheduler", *more)


def _local(text: str | None) -> str:
    """In local time, as the official CLI shows times."""
    return layout.moment(text).astimezone().strftime("%Y/%m/%d %H:%M:%S %z") if text else ""


def _outcome(last: Item | None) -> str:
    if last is None:
        return ""
    code = f" ({last['exit_code']})" if last["exit_code"] else ""
    return f"{_status(last)}{code} {_local(last['started_at'] or last['created_at'])}"


def _status(item: Item) -> str:
    return f"{item['status']} {item['times']} times" if item["times"] > 1 else str(item["status"])


def _span(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60}m"
