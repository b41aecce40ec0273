"""Starting a shim, and telling it what to run."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

from homeport.engine.folder import Folder
from homeport.engine.interface import Spec
from homeport.engine.shim import LAUNCH, loop
from homeport.engine.shim.process import LOG, PIPES, TERMINAL, pack

_ = loop  # imported so that it is compiled once, by us: compiling costs a shim 10 ms and 1 MB
SHIM_FOLDER = os.fspath(Path(__file__).parent)


def spawn(folder: Folder, name: str, listener: socket.socket, claim: socket.socket | None) -> int:
    """Start a shim in a session of its own and answer its pid. It waits for START on the socket.

    `posix_spawn` because forking a large daemon is slow, and because whatever else happens in its threads the child
    never runs our code. `name` is only for people who read `ps`.
    """
    log = os.open(folder.path / "shim.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    actions = [
        (os.POSIX_SPAWN_DUP2, listener.fileno(), 0),
        (os.POSIX_SPAWN_DUP2, log, 1),
        (os.POSIX_SPAWN_DUP2, log, 2),
    ]
    actions.append((os.POSIX_SPAWN_DUP2, claim.fileno(), 3) if claim else (os.POSIX_SPAWN_DUP2, log, 3))
    program = [sys.executable, "-I", "-S", "-E", "-c", LAUNCH, SHIM_FOLDER]
    # Some Pythons find their own library only with this; nothing else of our environment is passed on.
    env = {key: value for key, value in os.environ.items() if key == "LD_LIBRARY_PATH"}
    try:
        return os.posix_spawn(
            sys.executable,
            [*program, os.fspath(folder.path), name],
            env,
            file_actions=actions,
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD],
        )
    finally:
        os.close(log)


def order(spec: Spec, folder: Folder, port: int | None) -> bytes:
    """The payload of START."""
    mode = LOG
    if spec.attached:
        mode = TERMINAL if spec.terminal else PIPES
    size = (spec.terminal.columns, spec.terminal.lines) if spec.terminal else (80, 24)
    argv = [os.fsencode(argument) for argument in spec.argv]
    env = {os.fsencode(key): os.fsencode(value) for key, value in environment(spec, folder, port).items()}
    return pack(os.fsencode(folder.home), mode, argv, env, size)


def environment(spec: Spec, folder: Folder, port: int | None) -> dict[str, str]:
    """All variables of a dyno: those of its spec, and what only the engine knows."""
    home = os.fspath(folder.home)
    env = {"TMPDIR": os.fspath(folder.tmp)}
    env |= {key: value.replace("{app}", home) for key, value in spec.env.items()}
    env |= {"HOME": home, "PWD": home}
    if port is not None:
        env["PORT"] = str(port)
    if spec.terminal:
        env["TERM"] = spec.terminal.term
        env["COLUMNS"] = str(spec.terminal.columns)
        env["LINES"] = str(spec.terminal.lines)
    return env
