"""The proxy: HAProxy kept in step with the route table.

`apply` writes the whole truth to disk first, so that a crash or a reload at any moment lands on it, and then tells the
running HAProxy what changed: by its run-time API where that suffices, by a reload where not. What runs is read
back from HAProxy each time, never remembered, so a change that got lost only comes later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
from collections.abc import Coroutine, Sequence
from datetime import UTC, datetime
from pathlib import Path

from homeport.errors import HomeportError
from homeport.home import Home
from homeport.router import disk, paths, ports, process
from homeport.router.access import AccessLog, Knock, LogSink, nobody_sleeps
from homeport.router.authority import Authority
from homeport.router.control import Running
from homeport.router.disk import Written
from homeport.router.plan import Plan, Reload, plan
from homeport.router.route_table import RouteTable
from homeport.router.runtime import Runtime
from homeport.router.settings import Settings, Timeouts

_log = logging.getLogger("homeport.router")

_BOOT_PATIENCE = 15.0
_RELOAD_PAUSE = 0.5
_GUARD_PAUSE = 2.0
_RENEWAL_ROUND = 3600.0
_POLL = 0.01
_RELEASES = 20
_RELEASE_PAUSE = 0.05
_PICKS = 3


class Proxy:
    """One HAProxy for one `$HOMEPORT_HOME`.

    `https_port` and `http_port`: 0 picks a free one, or the one that a running proxy has. `bind`: addresses to listen
    on; by default loopback for the domain localhost and everything for others. `api_socket` and
    `rendezvous_socket`: the daemon's unix sockets. `log_sink(app_id, texts)` takes router lines and must not block,
    nor must `knock(app_id)`, which is told of requests for an app that sleeps.
    """

    def __init__(
        self,
        home: Home,
        *,
        https_port: int = 8443,
        http_port: int = 8080,
        domain: str = "localhost",
        bind: str | Sequence[str] | None = None,
        api_socket: Path,
        rendezvous_socket: Path,
        log_sink: LogSink,
        knock: Knock = nobody_sleeps,
        timeouts: Timeouts | None = None,
        program: str = "haproxy",
    ) -> None:
        self.https_port = https_port
        self.http_port = http_port
        self.authority = Authority(home.tls)
        self._root = home.root
        self._domain = domain
        self._addresses = ports.addresses(domain, bind)
        self._sockets = api_socket, rendezvous_socket
        self._timeouts = timeouts or Timeouts()
        self._program_name = program
        self._program: process.Program | None = None
        self._runtime = Runtime(home.root)
        self._access = AccessLog(home.root, log_sink, knock)
        self._lock = asyncio.Lock()
        self._table: RouteTable | None = None
        self._next: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._checked = ""
        self._dropped = 0, 0  # by which worker, and how many router lines so far
        self._soon: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def start(self, table: RouteTable | None = None) -> None:
        """Start HAProxy with this table, or adopt the one that runs for this home: it goes on with the routes it has.

        Raises `HomeportError`: `haproxy_missing`, `haproxy_too_old`, `port_taken`, `port_forbidden`,
        `haproxy_configuration`, `haproxy_failed`.
        """
        self._program = await asyncio.to_thread(process.find, self._program_name)
        await asyncio.to_thread(self.authority.prepare)
        adopted = await self._runs_in_order()
        if not adopted:
            await process.end(self._root)
        asked_for = self.https_port, self.http_port
        await self._choose_ports_patiently(disk.ports(self._root) if adopted else {})
        self._access.start()
        if not adopted:
            await self._first_apply(table or RouteTable(), asked_for)
        self._in_background(self._keep_up(), name="router: guard")

    async def _choose_ports_patiently(self, running: dict[str, int]) -> None:
        """The kernel needs a moment to let go of the ports of a proxy that was killed just now."""
        for _ in range(_RELEASES):
            try:
                self._choose_ports(running)
                return
            except HomeportError as error:
                if error.id != "port_taken":
                    raise
            await asyncio.sleep(_RELEASE_PAUSE)
        self._choose_ports(running)

    async def _first_apply(self, table: RouteTable, asked_for: tuple[int, int]) -> None:
        """A port that was free when it was picked may be taken a moment later: then pick again."""
        for attempt in range(_PICKS):
            try:
                await self.apply(table)
                return
            except HomeportError as error:
                if error.id != "haproxy_failed" or 0 not in asked_for or attempt == _PICKS - 1:
                    raise
            self.https_port, self.http_port = asked_for
            self._choose_ports({})

    async def apply(self, table: RouteTable) -> None:
        """Make HAProxy serve this table, starting it anew if it is gone. Idempotent; calls that come while one is at
        work are answered together.

        When it returns, new requests go where the table says. Requests under way at dynos that left the table go on.
        Raises `HomeportError` (`haproxy_configuration`, `haproxy_failed`, `haproxy_busy`).
        """
        self._table = table
        if self._next is None:
            self._next = self._in_background(self._catch_up(), name="router: apply")
        await asyncio.shield(self._next)  # half a change is worse than one that nobody waits for any more

    async def alive(self) -> bool:
        """Whether HAProxy answers."""
        return await self._runtime.running() is not None

    async def last_requests(self) -> dict[str, datetime]:
        """When each app's dynos last got a request, by app id: now, while one is under way.

        A worker knows only of its own. Requests that began before its start are not counted, and of apps that had none
        since then nothing is said. Raises OSError when HAProxy is gone, `HomeportError` (`haproxy_busy`).
        """
        return await self._runtime.last_requests(datetime.now(UTC))

    async def stop(self) -> None:
        """End HAProxy, and with it every connection."""
        await self.close()
        await process.end(self._root)

    async def close(self) -> None:
        """Let go of HAProxy without stopping it: apps go on being served."""
        self._closing.set()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._runtime.close()
        self._access.close()

    async def _runs_in_order(self) -> bool:
        """Whether there is a master as well as a worker to adopt."""
        return await self.alive() and await process.processes(self._root, patience=process.MASTER_PATIENCE) is not None

    def _in_background(self, work: Coroutine[None, None, None], *, name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    async def _closing_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # not wait_for: in Python 3.11 that can lose a cancellation
                await self._closing.wait()
        return self._closing.is_set()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.debug("%s ended with %r", task.get_name(), task.exception())

    async def _keep_up(self) -> None:
        """See to it that HAProxy runs, and that its certificates are renewed in time, also when nothing changes."""
        rounds = 0
        while not await self._closing_within(_GUARD_PAUSE):
            rounds += 1
            if self._table is None:
                continue  # adopted, and nobody has said yet what the truth is
            try:
                if rounds % round(_RENEWAL_ROUND / _GUARD_PAUSE) == 0 or not await self.alive():
                    await self.apply(self._table)
            except (HomeportError, OSError) as error:
                _log.warning("HAProxy is not as it should be, and that is tried again: %s", error)

    async def _catch_up(self) -> None:
        async with self._lock:
            self._next = None  # who comes from now on may have read a later truth, and needs another round
            await self._sync()

    async def _sync(self) -> None:
        """Bring disk and HAProxy to the table."""
        table = self._table or RouteTable()
        written = await asyncio.to_thread(disk.write, self._root, self.authority, table, self._settings())
        try:
            running = await self._runtime.running()
            if running is not None:
                await self._bring(running, written)
                return
        except OSError as error:
            _log.warning("HAProxy has gone away (%s): starting it anew", error)
        await self._launch(written.configuration.digest)

    async def _bring(self, running: Running, written: Written) -> None:
        """Bring a running HAProxy to what was written. Raises OSError when it goes away meanwhile."""
        process.trim(self._root)
        self._count_dropped(running)
        todo = plan(written.configuration, written.certificates, await self._runtime.snapshot(running))
        if todo.reload is not Reload.NOW:
            try:
                if written.default_renewed:
                    await self._runtime.renew_default_certificate()
                await self._runtime.follow(todo)
            except HomeportError as error:
                if error.id != "haproxy_refused":
                    raise
                _log.warning("%s", error.message)
                todo = Plan(Reload.NOW)
        if todo.reload is Reload.NOW:
            await self._reload(running, written.configuration.digest)
        elif todo.reload is Reload.SOON and (self._soon is None or self._soon.done()):
            self._soon = self._in_background(self._reload_soon(), name="router: reload soon")

    def _count_dropped(self, running: Running) -> None:
        worker, before = self._dropped
        if running.pid == worker and running.dropped_logs > before:
            _log.warning("%d router lines were dropped: they came too fast", running.dropped_logs - before)
        self._dropped = running.pid, running.dropped_logs

    async def _reload_soon(self) -> None:
        """One reload for all the backends that were wanted within the pause."""
        if await self._closing_within(_RELOAD_PAUSE):
            return
        async with self._lock:
            try:
                running = await self._runtime.running()
                if running is not None:
                    await self._reload(running, running.digest)
            except (HomeportError, OSError):
                _log.exception("HAProxy could not be reloaded; the next change does it")

    async def _reload(self, before: Running, digest: str) -> None:
        """Hitless: the new worker takes the listening sockets over, the old one ends what it has begun."""
        await self._check(digest)
        await process.reload(self._root)
        await self._wait_until_serving(digest, other_than=before.pid)

    async def _launch(self, digest: str) -> None:
        await process.end(self._root)
        await self._check(digest)
        master = process.launch(self._found(), self._root, self._access.open())
        await self._wait_until_serving(digest, master=master)

    async def _check(self, digest: str) -> None:
        """Once for every skeleton: apps differ only by names and addresses of a checked form, and with the certificates
        of hundreds of apps a check takes as long as a start."""
        if digest != self._checked:
            await asyncio.to_thread(process.check, self._found(), self._root)
            self._checked = digest

    async def _wait_until_serving(self, digest: str, *, other_than: int = 0, master: int | None = None) -> None:
        deadline = asyncio.get_running_loop().time() + _BOOT_PATIENCE
        while True:
            running = await self._runtime.running()
            if running is not None and running.pid != other_than and running.digest == digest:
                await process.processes(
                    self._root, patience=process.MASTER_PATIENCE
                )  # so that the next reload is heard
                return
            ended = master is not None and not process.exists(master)
            if ended or asyncio.get_running_loop().time() > deadline:
                raise HomeportError(
                    "haproxy_failed",
                    "HAProxy did not start." if master else "HAProxy did not take its new configuration.",
                    why=process.last_messages(self._root),
                    fix=f"More may be in {self._root / paths.MESSAGES}.",
                )
            await asyncio.sleep(_POLL)

    def _choose_ports(self, used: dict[str, int]) -> None:
        """Settle on the ports; those a running proxy of this home has are free for it."""
        self.https_port = self._port(self.https_port, "https", "--port", used)
        self.http_port = self._port(self.http_port, "http", "--http-port", used)

    def _port(self, port: int, name: str, flag: str, used: dict[str, int]) -> int:
        if port == 0:
            return used.get(name) or ports.pick(self._addresses, taken=(self.https_port, self.http_port))
        if port not in used.values():
            ports.ensure_free(self._addresses, port, flag=flag)
        return port

    def _found(self) -> process.Program:
        if self._program is None:
            self._program = process.find(self._program_name)
        return self._program

    def _settings(self) -> Settings:
        program = self._found()
        api, rendezvous = (disk.seen_from(self._root, path) for path in self._sockets)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        return Settings(
            domain=self._domain,
            https_port=self.https_port,
            http_port=self.http_port,
            addresses=self._addresses,
            api_socket=api,
            rendezvous_socket=rendezvous,
            timeouts=self._timeouts,
            threads=max(1, min(4, os.cpu_count() or 1)),
            # A request takes two descriptors; some are left for everything else.
            connections=4000 if limit == resource.RLIM_INFINITY else max(100, min(4000, (limit - 500) // 2)),
            version=program.version,
            lua=program.lua,
        )
