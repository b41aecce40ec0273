"""HAProxy as a process: found, started in a session of its own so that it outlives the daemon, adopted, stopped."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from homeport.errors import HomeportError
from homeport.router import paths
from homeport.router.control import ask

_MESSAGES_LIMIT = 1 << 20
_OLDEST = (2, 6)
MASTER_PATIENCE = 3.0


@dataclass(frozen=True)
class Program:
    """An installed HAProxy."""

    path: str
    version: tuple[int, int]
    lua: bool


@dataclass(frozen=True)
class Processes:
    """The master and its workers, those of before the last reload included."""

    master: int
    workers: tuple[int, ...]


def find(name: str = "haproxy") -> Program:
    """The HAProxy on PATH, or where Debian keeps it, outside of ordinary users' PATH.

    Raises `HomeportError` (`haproxy_missing`, `haproxy_too_old`).
    """
    path = shutil.which(name) or shutil.which(name, path="/usr/local/sbin:/usr/sbin:/sbin")
    fix = "Run `make setup` in Homeport's folder, or install the package haproxy (2.6 or newer)."
    why = "HAProxy takes every request for apps, API and git."
    if path is None:
        raise HomeportError("haproxy_missing", f"The program {name} is not installed.", why=why, fix=fix)
    about = subprocess.run([path, "-vv"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"version (\d+)\.(\d+)", about)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < _OLDEST:
        raise HomeportError(
            "haproxy_too_old", f"{path} is version {version[0]}.{version[1]}, older than 2.6.", why=why, fix=fix
        )
    return Program(path, version, lua="+LUA" in about)


def check(program: Program, root: Path) -> None:
    """Raises `HomeportError` (`haproxy_configuration`) when HAProxy would not take the configuration as it lies."""
    outcome = subprocess.run(
        [program.path, "-C", str(root), "-c", "-f", paths.CONFIG_FILE],
        capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    if outcome.returncode != 0:
        alerts = [line for line in outcome.stderr.splitlines() if "ALERT" in line]
        raise HomeportError(
            "haproxy_configuration",
            "HAProxy does not take the configuration that was written for it.",
            why="\n".join(alerts) or outcome.stderr.strip(),
            fix=f"This is a defect of Homeport: please report it, with {root / paths.CONFIG_FILE}.",
        )


def launch(program: Program, root: Path, output: int) -> int:
    """Start master and worker; standard output goes to `output`. Returns the master's process id."""
    messages = root / paths.MESSAGES
    errors = os.open(messages, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    trim(root)
    try:
        return os.posix_spawn(
            program.path,
            [
                program.path, "-W",
                "-S", f"unix@{paths.MASTER_SOCKET},mode,600",
                "-C", str(root), "-f", paths.CONFIG_FILE, "-p", paths.PID_FILE,
            ],
            {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, output, 1),
                (os.POSIX_SPAWN_DUP2, errors, 2),
            ],
            setsid=True,
        )  # fmt: skip
    finally:
        os.close(errors)


def trim(root: Path) -> None:
    """Forget old messages of HAProxy when they have become many."""
    messages = root / paths.MESSAGES
    if messages.exists() and messages.stat().st_size > _MESSAGES_LIMIT:
        os.truncate(messages, 0)


def last_messages(root: Path, count: int = 6) -> str:
    """The end of what HAProxy had to say."""
    try:
        return "\n".join((root / paths.MESSAGES).read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ""


async def processes(root: Path, *, patience: float = 0.0) -> Processes | None:
    """What runs for this `$HOMEPORT_HOME`, as the master says; None when no master answers within `patience` seconds.

    A master that has just begun, or executes itself anew for a reload, is deaf for a moment.
    """
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        try:
            answer = await ask(root / paths.MASTER_SOCKET, "show proc")
            break
        except OSError:
            if asyncio.get_running_loop().time() >= deadline:
                return None
            await asyncio.sleep(0.01)
    rows = [line.split() for line in answer.splitlines() if line and not line.startswith("#")]
    masters = [int(row[0]) for row in rows if len(row) > 1 and row[1] == "master"]
    workers = [int(row[0]) for row in rows if len(row) > 1 and row[1] == "worker"]
    return Processes(masters[0], tuple(workers)) if masters else None


async def reload(root: Path) -> None:
    """Ask the master for new workers with the configuration on disk. Newer HAProxys answer when it is done.

    Raises OSError when there is no master to ask.
    """
    trim(root)
    await processes(root, patience=MASTER_PATIENCE)
    await ask(root / paths.MASTER_SOCKET, "reload")


def remains(root: Path) -> set[int]:
    """Every process of this user that is a HAProxy of this `$HOMEPORT_HOME`, by its command line: also one that answers
    nobody, because it executes itself anew just now or has lost its master."""
    ours = [b"-C", os.fsencode(root), b"-f", os.fsencode(paths.CONFIG_FILE), b"-p", os.fsencode(paths.PID_FILE)]
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid != os.geteuid():
                continue  # somebody else's, whatever its command line claims
            if (process / "cmdline").read_bytes().split(b"\0")[-len(ours) - 1 : -1] == ours:
                found.add(int(process.name))
    return {pid for pid in found if exists(pid)}


async def end(root: Path, *, grace: float = 5.0) -> None:
    """End every HAProxy of this `$HOMEPORT_HOME`: TERM, and KILL after `grace` seconds. Returns when all are gone."""
    told: set[int] = set()
    deadline = asyncio.get_running_loop().time() + grace
    while left := await asyncio.to_thread(remains, root):
        if asyncio.get_running_loop().time() > deadline:
            _signal(left, signal.SIGKILL)
        else:
            _signal(left - told, signal.SIGTERM)  # also to workers that a master forked meanwhile
            told |= left
        await asyncio.sleep(0.02)


def exists(pid: int) -> bool:
    """Whether a process still runs; collects it when it is our own child and has ended."""
    try:
        ended, _ = os.waitpid(pid, os.WNOHANG)
        return ended == 0
    except ChildProcessError:
        pass
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return not Path("/proc/self").exists()


def _signal(pids: Iterable[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
