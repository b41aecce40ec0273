"""A running HAProxy made to follow, without a reload."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

from homeport.errors import HomeportError
from homeport.router import paths
from homeport.router.configuration import app_id_of
from homeport.router.control import Control, Running
from homeport.router.plan import (
    Command,
    Plan,
    Snapshot,
    delete_server,
    load_certificate,
    replace_certificate,
    unload_certificate,
)

_DELETE_PAUSE = 0.5


class Runtime:
    """The worker that is current, and the servers that are on their way out of it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._control = Control(root / paths.ADMIN_SOCKET)
        self._leaving: set[tuple[str, str]] = set()
        self._reaper: asyncio.Task[None] | None = None

    async def running(self) -> Running | None:
        """What the worker says of itself; None when there is none. Raises `HomeportError` (`haproxy_busy`)."""
        try:
            return await self._control.running()
        except OSError:
            return None

    async def snapshot(self, running: Running) -> Snapshot:
        return Snapshot(
            digest=running.digest,
            servers=await self._control.servers(),
            hosts=await self._control.map(paths.HOSTS_MAP),
            certificates=await self._control.certificates(paths.CERTIFICATE_LIST),
        )

    async def last_requests(self, now: datetime) -> dict[str, datetime]:
        """By app id, for those that had any."""
        loads = await self._control.loads()
        quiet = {name: 0 if load.under_way else load.quiet for name, load in loads.items()}
        return {app_id_of(name): now - timedelta(seconds=each) for name, each in quiet.items() if each is not None}

    async def follow(self, todo: Plan) -> None:
        """Carry a plan out. Raises `HomeportError` (`haproxy_refused`)."""
        for path in todo.certificates:
            await self._carry_out(self._with_pem(path, load_certificate))
        await self._carry_out(todo.commands)
        for path in todo.stale_certificates:
            await self._carry_out(unload_certificate(path))
        self._leaving.update(todo.leaving)
        if self._leaving and (self._reaper is None or self._reaper.done()):
            self._reaper = asyncio.create_task(self._delete_when_idle(), name="router: delete drained servers")

    async def renew_default_certificate(self) -> None:
        await self._carry_out(self._with_pem(paths.DEFAULT_CERTIFICATE, replace_certificate))

    async def close(self) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
            await asyncio.gather(self._reaper, return_exceptions=True)

    async def _delete_when_idle(self) -> None:
        while self._leaving:
            await asyncio.sleep(_DELETE_PAUSE)
            for backend, name in list(self._leaving):
                try:
                    command = delete_server(backend, name)
                    await self._control.change(command.text, expect=command.expect)
                except HomeportError:
                    continue  # a request is still under way
                except OSError:
                    return  # no worker: a new one never hears of these servers
                self._leaving.discard((backend, name))

    def _with_pem(self, path: str, commands: Callable[[str, str], tuple[Command, ...]]) -> tuple[Command, ...]:
        return commands(path, (self._root / path).read_text())

    async def _carry_out(self, commands: Iterable[Command]) -> None:
        for command in commands:
            await self._control.change(command.text, expect=command.expect)
