"""The web process does not listen where the router looks for it.

A dyno is told its port by the variable PORT, another one each time, and must listen on it within 60 seconds (else
R10), on every address (0.0.0.0), not only on 127.0.0.1. gunicorn does so by itself as long as it is not told
otherwise; uvicorn, hypercorn, daphne, waitress, Flask's and Django's own servers have to be told:

    web: uvicorn app:app --host 0.0.0.0 --port $PORT
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from homeport.doctor.commands import Command
from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project
from homeport.doctor.source import Source, keyword, reads_environment, text_of

_WHY = "The router looks on the port in the variable PORT; after 60 seconds the dyno is ended (R10) and the push fails."
_HERE = "127.0.0.1 can be reached from within the dyno only, so the router cannot reach it."


def find(project: Project) -> Iterator[Finding]:
    command = project.web
    if command is None or project.procfile is None:
        return
    match command.program:
        case "gunicorn":
            yield from _gunicorn(project, command)
        case "uvicorn" | "hypercorn" | "daphne" | "waitress-serve" | "granian" | "fastapi" | "streamlit":
            yield from _told(command)
        case "flask" | "python":
            yield from _makeshift(project, command)


def _gunicorn(project: Project, command: Command) -> Iterator[Finding]:
    bound = command.options("-b", "--bind")
    if bound:
        if not any("$" in where or where.startswith(("unix:", "fd:")) for where in bound):
            fixed = re.sub(r"\s*(--bind[= ]|-b ?)\S+", "", command.text)
            yield _finding(command, bound[-1], f"Leave it out; gunicorn reads PORT:\n\n  {command.process}: {fixed}")
        return
    path = (command.option("-c", "--config") or "gunicorn.conf.py").removeprefix("python:")
    source = project.source(path)
    for node in source.tree.body if source is not None and source.tree is not None else []:
        if isinstance(node, ast.Assign) and any(ast.unparse(target) == "bind" for target in node.targets):
            where = text_of(node.value)
            if where is not None and not where.startswith("unix:"):
                fix = f"Take the line out of {path}: gunicorn then reads PORT by itself."
                what = f"gunicorn is bound to {where} by {path}."
                yield error(path, node.lineno, what, why=_HERE if _only_here(where) else _WHY, fix=fix)


_PORTS = {
    "uvicorn": (("--port",), ("--host",), "--host 0.0.0.0 --port $PORT"),
    "hypercorn": (("-b", "--bind"), (), "--bind 0.0.0.0:$PORT"),
    "daphne": (("-p", "--port"), ("-b", "--bind"), "-b 0.0.0.0 -p $PORT"),
    "waitress-serve": (("--port", "--listen"), ("--host",), "--listen=0.0.0.0:$PORT"),
    "granian": (("--port",), ("--host",), "--interface asgi --host 0.0.0.0 --port $PORT"),
    "fastapi": (("--port",), ("--host",), "--port $PORT"),
    "streamlit": (("--server.port",), (), "--server.port $PORT"),
}
_EVERYWHERE_BY_DEFAULT = ("waitress-serve", "fastapi", "streamlit", "hypercorn")


def _told(command: Command) -> Iterator[Finding]:
    ports, hosts, right = _PORTS[command.program]
    port, host = command.option(*ports), command.option(*hosts) if hosts else None
    elsewhere = ("--uds", "--fd", "-u", "--endpoint", "-e", "--unix-socket", "-c", "--config")
    if command.option(*elsewhere):
        return
    if port is None:
        yield _finding(command, "a port of its own", f"Tell it:\n\n  {command.process}: {command.text} {right}")
    elif "$" not in port:
        fixed = command.text.replace(port, re.sub(r"\d+$", "$PORT", port))
        yield _finding(command, port, f"Let it be $PORT:\n\n  {command.process}: {fixed}")
    elif _only_here(host or port) or (host is None and hosts and command.program not in _EVERYWHERE_BY_DEFAULT):
        flag = hosts[-1] if hosts else ports[-1]
        where = host or "127.0.0.1"
        yield error(
            command.file, command.line, f"{command.program} listens on {where} only.", why=_HERE,
            fix=f"Tell it to listen everywhere: {flag} 0.0.0.0{':$PORT' if not hosts else ''}",
        )  # fmt: skip


def _makeshift(project: Project, command: Command) -> Iterator[Finding]:
    if command.program == "flask":
        if "run" in command.words:
            yield from _flask_run(command)
    elif command.script is not None and command.script.endswith("manage.py"):
        if "runserver" in command.words and not any("$" in word for word in command.words):
            yield _finding(command, "port 8000", f"Tell it:\n\n  {command.process}: {command.text} 0.0.0.0:$PORT")
    elif command.script is not None and (source := project.source(command.script)) is not None:
        yield from _run_calls(source)


def _flask_run(command: Command) -> Iterator[Finding]:
    port, host = command.option("-p", "--port"), command.option("-h", "--host")
    if "FLASK_RUN_PORT" in command.environment:
        return
    if port is None or "$" not in port or host is None or _only_here(host):
        right = "gunicorn " + (command.target.text if command.target else "app:app")
        yield _finding(
            command, f"{host or '127.0.0.1'}:{port or 5000}", f"Use a server made for this:\n\n  web: {right}"
        )


def _run_calls(source: Source) -> Iterator[Finding]:
    """`app.run(port=5000)`, `uvicorn.run(app)` in the script that is the web process."""
    for call in source.calls("run"):
        runner = ast.unparse(call.func)
        if not (re.search(r"(^|\.)(app|application|server|socketio|uvicorn|api)\.run$", runner)):
            continue
        port, host = keyword(call, "port"), keyword(call, "host")
        if any(given.arg is None for given in call.keywords) or len(call.args) > 1:
            continue
        given = text_of(call.args[0]) if call.args and host is None else text_of(host)
        fix = f'Read it from the environment:\n\n  {runner}(host="0.0.0.0", port=int(os.environ.get("PORT", 5000)))'
        fix += "\n\nBetter: serve the app by gunicorn (`web: gunicorn app:app`), which does so by itself."
        if port is None or (isinstance(port, ast.Constant) and not reads_environment(port)):
            where = ast.unparse(port) if port is not None else "its usual one"
            yield error(source.path, call.lineno, f"{runner} listens on port {where}, not on $PORT.", why=_WHY, fix=fix)
        elif (host is None and not call.args) or (given is not None and _only_here(given)):
            yield error(source.path, call.lineno, f"{runner} listens on 127.0.0.1 only.", why=_HERE, fix=fix)


def _only_here(where: str) -> bool:
    return where.startswith(("127.", "localhost", "[::1]"))


def _finding(command: Command, where: str, fix: str) -> Finding:
    only = f"{_HERE}\n" if _only_here(where) else ""
    what = f"{command.process} listens on {where}, not on $PORT."
    return error(command.file, command.line, what, why=only + _WHY, fix=fix)
