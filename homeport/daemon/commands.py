"""`homeport up / down / status / env`. Data goes to stdout, talk to stderr; failures are `HomeportError`s."""

from __future__ import annotations

import asyncio
import json
import os
import select
import shutil
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from homeport.daemon import endpoint as endpoints
from homeport.daemon import lock, shell, stopping
from homeport.daemon.endpoint import Endpoint
from homeport.errors import HomeportError
from homeport.home import Home

READY_SECONDS = 60.0


def up(
    *,
    detach: bool = False,
    port: int = 8443,
    http_port: int = 8080,
    ssh_port: int | None = None,
    domain: str = "localhost",
    email: str | None = None,
    bind: str = "",
) -> None:
    """Run the platform until it is told to stop; with `detach` return once it is ready.

    `bind` are addresses to listen on, separated by commas.
    """
    # What is written from now on is for nobody else to read. Those who need more say so: dynos and builds, whose
    # programs expect the usual umask, and servers that run as accounts of their own.
    os.umask(0o077)
    home = Home.from_environment()
    home.prepare()
    if detach:
        arguments = ["--port", str(port), "--http-port", str(http_port), "--domain", domain]
        arguments += ["--ssh-port", str(ssh_port)] if ssh_port is not None else []
        arguments += ["--email", email] if email else []
        arguments += ["--bind", bind] if bind else []
        _up_detached(home, arguments)
        return
    from homeport.daemon.compose import serve
    from homeport.daemon.parts import Settings

    settings = Settings(
        https_port=port,
        http_port=http_port,
        ssh_port=ssh_port,
        domain=domain,
        email=email,
        bind=tuple(filter(None, bind.split(","))),
    )
    try:
        with lock.held(home):
            stopping.forget(home)
            interrupted = asyncio.run(serve(home, settings, _say_ready))
            endpoints.forget(home)
            if interrupted:
                talk("The dynos end too (end the process with TERM to leave them running).")
                stopping.note(home, _stop_what_runs(home), done=True)
    except HomeportError as error:
        _tell_parent({"id": error.id, "what": error.what, "why": error.why, "fix": error.fix})
        raise


def _say_ready(ready: Endpoint) -> None:
    _tell_parent({"ready": True})
    talk(_welcome(ready))


def _tell_parent(message: dict[str, Any]) -> None:
    """The parent of a detached start waits for one line on a pipe of its own."""
    descriptor = os.environ.pop("HOMEPORT_READY_FD", None)
    if descriptor is not None:
        with os.fdopen(int(descriptor), "w") as pipe:
            pipe.write(json.dumps(message) + "\n")


def _welcome(ready: Endpoint) -> str:
    notes = "".join(f"\n{note}" for note in ready.notes)
    return (
        f"Homeport is ready at {ready.url}\n"
        f"  Apps:   {ready.app_url('APP')}\n"
        f'  Shell:  eval "$({_program()} env)"   then use heroku, git and homeport as you know them\n'
        f"  Stop:   {_program()} down{notes}"
    )


def _program() -> str:
    """What to type to call this program: its name where the shell finds it, else its path."""
    called = Path(sys.argv[0])
    return "homeport" if called.name != "homeport" or shutil.which("homeport") else str(called)


def _not_running(home: Home) -> HomeportError:
    return HomeportError(
        "not_running", f"Homeport is not running for {home.root}.", fix=f"Start it: {_program()} up --detach"
    )


def _up_detached(home: Home, arguments: list[str]) -> None:
    running = _running(home)
    if running is not None:
        talk(f"Homeport already runs at {running.url} (process {running.pid}).")
        return
    reading, writing = os.pipe()
    log = home.logs / "daemon.log"
    with log.open("ab") as output:
        start = output.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "homeport", "up", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=(writing,),
            env={**os.environ, "HOMEPORT_READY_FD": str(writing), "NO_COLOR": "1"},
            cwd=home.root,
        )
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answered, _, _ = select.select([pipe], [], [], READY_SECONDS)
        told: dict[str, Any] = json.loads((pipe.readline() if answered else "") or "{}")
    if "id" in told:
        raise HomeportError(told["id"], told["what"], why=told["why"], fix=told["fix"])
    if "ready" not in told:
        process.poll()
        if process.returncode is None:
            process.terminate()
        said = log.read_bytes()[start:].decode(errors="replace").strip()
        raise HomeportError(
            "start_failed",
            "Homeport did not start.",
            why=said[-2000:] or f"It was not ready within {READY_SECONDS:.0f} seconds.",
            fix=f"The whole log is in {log}.",
        )
    endpoint = endpoints.read(home)
    if endpoint is not None:
        talk(_welcome(endpoint))


def down(*, keep_dynos: bool = False) -> None:
    """Stop the platform and its dynos; with `keep_dynos` they, and the router before them, go on."""
    home = Home.from_environment()
    if not home.root.exists():
        talk(f"Nothing to stop: there is no {home.root}.")
        return
    home.prepare()
    pid = lock.holder(home)
    if keep_dynos:
        if pid is not None:
            stopping.let_go(home, pid)
        talk("Homeport is stopped. Its dynos and the router go on; `homeport up` takes them over again.")
        return
    count = stopping.end(home, pid, _say_stopping) if pid is not None else None
    if count is None:
        with lock.held(home):
            count = _stop_what_runs(home)
    talk(f"Homeport is stopped{f', and {count} dyno' + 's' * (count != 1) if count else ''}.")


def _stop_what_runs(home: Home) -> int:
    from homeport.daemon.compose import stop_everything

    def announce(dynos: int) -> None:
        stopping.note(home, dynos)
        _say_stopping(dynos)

    return asyncio.run(stop_everything(home, announce))


def _say_stopping(dynos: int) -> None:
    if dynos:
        talk(f"Stopping {dynos} dyno{'s' * (dynos != 1)}: what is under way may take up to 30 seconds to end…")


def status(*, as_json: bool = False) -> None:
    """Say what runs. Raises `HomeportError` (`not_running`) when nothing does, so that scripts can ask."""
    home = Home.from_environment()
    endpoint = _running(home)
    if endpoint is None:
        if as_json:
            print(json.dumps({"running": False, "home": str(home.root)}))
        raise _not_running(home)
    listed, warnings = _apps(home, endpoint), _warnings(home)
    report = {
        "running": True,
        "home": str(home.root),
        "pid": endpoint.pid,
        "url": endpoint.url,
        "http_port": endpoint.http_port,
        "ssh": endpoint.ssh,
        "domain": endpoint.domain,
        "version": endpoint.version,
        "started_at": endpoint.started_at,
        "apps": listed,
        "warnings": warnings,
    }
    if as_json:
        print(json.dumps(report, indent=2))
        return
    print(f"Homeport {endpoint.version} runs at {endpoint.url} (process {endpoint.pid}, since {endpoint.started_at}).")
    print(f"Everything is kept in {home.root}.")
    print(f"Git over SSH: {endpoint.ssh}APP.git" if endpoint.ssh else "Git over SSH is off: its port was taken.")
    for app in listed:
        dynos = ", ".join(f"{state} {count}" for state, count in sorted(app["dynos"].items())) or "no dynos"
        print(f"  {app['name']}: {dynos}  {app['web_url']}")
    for warning in warnings:
        print(f"\nWarning: {warning}", file=sys.stderr)


def _warnings(home: Home) -> list[str]:
    """What the operator must know that no app shows."""
    if not home.backups.is_dir():
        return []
    from homeport.backup import schedule  # not at the top: it takes a second

    return schedule.warnings(home)


def env() -> None:
    """Print what to `eval` in a shell."""
    home = Home.from_environment()
    endpoint = _running(home)
    if endpoint is None:
        raise _not_running(home)
    token = (home.secrets / "token").read_text().strip()
    print(shell.exports(endpoint, token, program=_folder_of_the_program(home)), end="")


def _folder_of_the_program(home: Home) -> Path | None:
    """A folder for PATH that holds `homeport` and nothing else: the one that it lies in holds a Python too, which must
    not come before the person's own. None if it was not called by its name."""
    program = Path(sys.argv[0]).resolve()
    if program.name != "homeport":
        return None
    folder = home.run / "bin"
    folder.mkdir(mode=0o700, exist_ok=True)
    draft = folder / f".homeport.{os.getpid()}"
    draft.symlink_to(program)
    draft.replace(folder / "homeport")
    return folder


def _running(home: Home) -> Endpoint | None:
    """The endpoint of the daemon that holds the lock and is ready."""
    pid = lock.holder(home) if home.root.exists() else None
    endpoint = endpoints.read(home)
    return endpoint if endpoint is not None and endpoint.pid == pid else None


def _apps(home: Home, endpoint: Endpoint) -> list[dict[str, Any]]:
    """Every app with how many dynos are in which state, asked over the API as any client would."""
    found = []
    for app in _get(home, endpoint, "/apps"):
        states: dict[str, int] = {}
        for dyno in _get(home, endpoint, f"/apps/{app['id']}/dynos"):
            states[dyno["state"]] = states.get(dyno["state"], 0) + 1
        found.append({"name": app["name"], "web_url": app["web_url"], "dynos": states})
    return found


def _get(home: Home, endpoint: Endpoint, path: str) -> Any:
    token = (home.secrets / "token").read_text().strip()
    request = urllib.request.Request(  # noqa: S310 - the URL is our own, and https
        endpoint.url + path,
        headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.heroku+json; version=3"},
    )
    trust = ssl.create_default_context(cafile=endpoint.ca)
    try:
        with urllib.request.urlopen(request, timeout=15, context=trust) as response:  # noqa: S310
            return json.load(response)
    except (urllib.error.URLError, TimeoutError) as error:
        raise HomeportError(
            "api_unreachable",
            f"The process runs, but {endpoint.url} does not answer: {getattr(error, 'reason', error)}.",
            fix=f"Look into {home.logs / 'daemon.log'}; `homeport down` and `homeport up --detach` start it anew.",
        ) from error


def talk(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
