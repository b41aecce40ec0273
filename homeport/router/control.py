"""Talking to HAProxy: its run-time API over the admin socket, and the master's command line."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from homeport.errors import HomeportError

_TIMEOUT = 10.0
_LONGEST_SOCKET_PATH = 100  # sun_path has 108 bytes on Linux, 104 on others


@dataclass(frozen=True)
class Running:
    """What a HAProxy worker says about itself: process id, skeleton digest, connections, log lines it dropped."""

    pid: int
    digest: str
    connections: int
    dropped_logs: int


@dataclass(frozen=True)
class RunningServer:
    """A server as HAProxy has it. `taking`: new requests go to it (it is not in maintenance)."""

    backend: str
    name: str
    host: str
    port: int
    taking: bool


@dataclass(frozen=True)
class Load:
    """`under_way`: connections to the dynos behind a backend. `quiet`: seconds since the last one was made, None if
    this worker has made none."""

    under_way: int
    quiet: int | None


@contextmanager
def _reachable(path: Path) -> Iterator[str]:
    """A path short enough for a socket address: a deep `$HOMEPORT_HOME` is reached through its open folder."""
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


async def ask(socket: Path, command: str) -> str:
    """One command on a fresh connection, and the whole answer.

    `command` may end in a payload (`<<` and lines up to an empty one). Raises OSError when nobody listens (any more),
    and `HomeportError` (`haproxy_busy`) when somebody does but does not answer.
    """
    try:
        async with asyncio.timeout(_TIMEOUT):
            answer = await _ask(socket, command)
    except TimeoutError as error:
        raise HomeportError(
            "haproxy_busy",
            f"HAProxy did not answer within {_TIMEOUT:.0f} seconds.",
            why="It may be overloaded. That is no reason to end it: it may still be serving.",
            fix="Homeport asks again by itself. `homeport down` and `homeport up` start it anew.",
        ) from error
    return answer.decode(errors="replace").strip("\n")


async def _ask(socket: Path, command: str) -> bytes:
    with _reachable(socket) as address:
        reader, writer = await asyncio.open_unix_connection(address, limit=1 << 20)
    try:
        writer.write(command.encode() + b"\n")
        writer.write_eof()  # the master goes on listening otherwise
        return await reader.read(-1)
    finally:
        writer.close()


class Control:
    """The run-time API of the worker that is current, by its admin socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def ask(self, command: str) -> str:
        return await ask(self._socket, command)

    async def change(self, command: str, *, expect: Sequence[str] = ("",)) -> None:
        """A command that changes something. Raises `HomeportError` (`haproxy_refused`) on an unexpected answer.

        `expect`: the beginnings of good answers; most commands answer nothing when they succeed.
        """
        answer = await self.ask(command)
        good = any(answer.startswith(start) if start else not answer for start in expect)
        if not good:
            raise HomeportError(
                "haproxy_refused",
                f"HAProxy refused a change of its routes: {answer.splitlines()[0] if answer else 'no answer'}",
                why=f"The command was: {command.splitlines()[0]}",
                fix="Homeport reloads it with the whole truth instead; if this stays, see run/haproxy.log.",
            )

    async def running(self) -> Running:
        """Raises OSError when there is no worker (any more)."""
        facts = dict(line.split(":", 1) for line in (await self.ask("show info")).splitlines() if ":" in line)
        if "Pid" not in facts:
            raise ConnectionResetError("the answer broke off")
        return Running(
            pid=int(facts["Pid"]),
            digest=facts.get("description", "").strip().removeprefix("homeport-"),
            connections=int(facts.get("CurrConns", 0)),
            dropped_logs=int(facts.get("DroppedLogs", 0)),
        )

    async def servers(self) -> dict[str, list[RunningServer]]:
        """The servers of every app's backend, by backend name; also the backends that have none."""
        found: dict[str, list[RunningServer]] = {
            name: [] for name in (await self.ask("show backend")).splitlines() if name.startswith("app-")
        }
        for line in (await self.ask("show servers state")).splitlines():
            words = line.split()
            if len(words) < 19 or words[0] == "#" or words[1] not in found:
                continue
            found[words[1]].append(
                RunningServer(
                    backend=words[1],
                    name=words[3],
                    host=words[4],
                    port=int(words[18]),
                    taking=words[5] != "0" and words[6] == "0",
                )
            )
        return found

    async def loads(self) -> dict[str, Load]:
        """What every app's backend has to do, by backend name."""
        header, *lines = (await self.ask("show stat -1 2 -1")).splitlines() or [""]
        columns = header.removeprefix("# ").split(",")
        rows = (dict(zip(columns, line.split(","), strict=False)) for line in lines)
        return {
            row["pxname"]: Load(int(row["scur"] or 0), int(row["lastsess"]) if row["lastsess"].isdigit() else None)
            for row in rows
            if row.get("pxname", "").startswith("app-")
        }

    async def map(self, path: str) -> dict[str, str]:
        """The entries of a map."""
        entries = (line.split(" ", 2) for line in (await self.ask(f"show map {path}")).splitlines())
        return {entry[1]: entry[2] for entry in entries if len(entry) == 3}

    async def certificates(self, path: str) -> set[str]:
        """The certificate files in a crt-list."""
        lines = (await self.ask(f"show ssl crt-list {path}")).splitlines()
        return {line.split()[0] for line in lines if line and not line.startswith("#")}
