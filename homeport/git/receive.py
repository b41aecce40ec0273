"""The daemon's side of the pre-receive hook.

A push is announced before git is started, so that the hook has only to name it: who pushes and to which app is known
here, not told by a process that works on foreign objects.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from homeport.errors import HomeportError
from homeport.git.repositories import Objects
from homeport.home import write_whole

DECISION = b"\x00"
HOOK = Path(__file__).with_name("hook.py")
STOPPING = """
 !     Homeport is being stopped, and this push was given up.
 !     Push again when it runs.
 !
 !     Error ID: platform_stopping
"""

_log = logging.getLogger("homeport")


@dataclass(frozen=True)
class Update:
    """One ref of a push. `new` is None when it is deleted, `old` when it is new."""

    old: str | None
    new: str | None
    ref: str


@dataclass(frozen=True)
class Push:
    """Who pushes which refs to which app; `objects` sees what was pushed although it is still in quarantine.

    `moved` are refs that another push has moved since this one's client looked at them.
    """

    app_id: str
    user_id: str
    updates: tuple[Update, ...] = ()
    objects: Objects = field(default_factory=lambda: Objects(Path()))
    moved: frozenset[str] = frozenset()


Say = Callable[[str], None]
Decide = Callable[[Push, Say], Awaitable[None]]
"""Takes a push and a way to say lines to the person; raises `HomeportError` to refuse it."""


class Refused(HomeportError):
    """The push is refused, and why has been said already."""

    def __init__(self, error: HomeportError) -> None:
        super().__init__(error.id, error.what)


class Receiver:
    """Serves the hook's socket and lets `decide` accept (by returning) or refuse (by raising) each push."""

    def __init__(self, socket: Path, hooks: Path, decide: Decide) -> None:
        self._socket = socket
        self._hooks = hooks
        self._decide = decide
        self._expected: dict[str, Push] = {}
        self._server: asyncio.Server | None = None
        self._deciding: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def start(self) -> None:
        self._install_hook()
        self._socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._answer, self._socket, limit=16 * 1024 * 1024)

    async def stop(self) -> None:
        """Refuse the pushes that are under way and all that come, and tell them why. git must be answered still."""
        self._stopping = True
        deciding = list(self._deciding)
        if deciding:
            _log.info("stopping: %d push%s given up", len(deciding), "es are" if len(deciding) > 1 else " is")
        for task in deciding:
            task.cancel()
        await asyncio.gather(*deciding, return_exceptions=True)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self.stop()

    @contextlib.contextmanager
    def announced(self, push: Push) -> Iterator[dict[str, str]]:
        """What git must have in its environment for this push; valid inside the block."""
        name = secrets.token_urlsafe(24)
        self._expected[name] = push
        try:
            yield {"HOMEPORT_PUSH": name, "HOMEPORT_RECEIVE_SOCKET": str(self._socket), **self._hook_setting()}
        finally:
            self._expected.pop(name, None)

    def _hook_setting(self) -> dict[str, str]:
        # One more setting after those of `repositories.configuration`; the later one counts.
        from homeport.git.repositories import configuration

        count = int(configuration()["GIT_CONFIG_COUNT"])
        return {
            "GIT_CONFIG_COUNT": str(count + 1),
            f"GIT_CONFIG_KEY_{count}": "core.hooksPath",
            f"GIT_CONFIG_VALUE_{count}": str(self._hooks),
        }

    def _install_hook(self) -> None:
        """Written anew at every start: the interpreter and this file may have moved."""
        self._hooks.mkdir(parents=True, exist_ok=True)
        hook = self._hooks / "pre-receive"
        write_whole(hook, f'#!/bin/sh\nexec "{sys.executable}" -I -S "{HOOK}"\n', mode=0o700)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio starts this as a task
        self._deciding.add(task)
        try:
            try:
                code = await self._decision(reader, writer)
            except asyncio.CancelledError:  # by `stop`
                writer.write(STOPPING.encode())
                code = 1
            writer.write(DECISION + str(code).encode())
            await writer.drain()
        except ConnectionError:
            pass  # the hook is gone: git was killed, and the ref has not moved
        finally:
            self._deciding.discard(task)
            writer.close()

    async def _decision(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> int:
        def say(line: str) -> None:
            if not writer.is_closing():
                writer.write(line.replace("\x00", "").encode() + b"\n")

        try:
            message = json.loads(await reader.readline())
            push = self._expected.pop(message["push"])
        except (ValueError, KeyError):
            say(" !     This push was not announced.")
            return 1
        if self._stopping:
            raise asyncio.CancelledError
        quarantine = {name: str(value) for name, value in message["quarantine"].items()}
        updates = tuple(_update(*fields) for fields in message["updates"])
        try:
            objects = Objects(push.objects.directory, quarantine)
            await self._decide(replace(push, updates=updates, objects=objects), say)
        except Refused:
            return 1
        except HomeportError as error:
            for line in ("", *error.message.splitlines(), "", f"Error ID: {error.id}"):
                say(f" !     {line}".rstrip())
            return 1
        return 0


def _update(old: str, new: str, ref: str) -> Update:
    return Update(None if set(old) == {"0"} else old, None if set(new) == {"0"} else new, ref)
