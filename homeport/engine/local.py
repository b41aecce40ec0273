"""Dynos as processes of this machine, each below a shim that outlives the daemon.

What the engine knows it can always learn again from `root`: a folder per dyno, and a shim that answers in it. So
this object is a cache with open connections, and may be lost at any moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from homeport.engine import launch, processes, working_copy
from homeport.engine.connection import Connection, LocalAttachment
from homeport.engine.folder import Exited, Facts, Folder
from homeport.engine.interface import Address, Instance, Output, Phase, Sink, Spec
from homeport.engine.ports import Claim, Ports
from homeport.engine.shim import wire
from homeport.engine.watch import Watchers
from homeport.errors import Conflict, HomeportError, NotFound

logger = logging.getLogger(__name__)
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

HOST = "127.0.0.1"
ANSWER = 10.0
"""Seconds that a shim has for an answer that costs it nothing."""
ADOPTION = 3.0
"""Seconds that adopting one dyno may take: one whose shim says nothing is listed as running, and watched."""
BOOT = 30.0
"""Seconds until a dyno's process must have been executed, on a machine that is busy with builds."""
OVERDUE = 15.0
"""Seconds beyond its grace after which a dyno's shim is taken for hung, and killed with all of the dyno."""


@dataclass
class Dyno:
    """A dyno that we know, and our line to its shim: None when there is no shim any more."""

    folder: Folder
    instance: Instance
    attached: bool
    shim: int | None = None
    connection: Connection | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    following: asyncio.Task[None] | None = None
    stopping: asyncio.Task[None] | None = None


class LocalEngine:
    """Runs dynos as separate processes below `root`, one folder each.

    `sink` takes the lines of dynos that are not attached; it is called from the event loop. Web dynos listen on
    127.0.0.1 at a port of `ports`. Every `heal_every` seconds what is known is compared with what is.
    Memory limits (`Spec.memory_mb`) are not enforced: that needs cgroups.
    """

    def __init__(self, root: Path, *, sink: Sink, ports: range = range(20000, 30000), heal_every: float = 5.0) -> None:
        self._root = root.absolute()
        self._sink = sink
        self._ports = Ports(ports)
        self._heal_every = heal_every
        self._life = processes.life()
        self._dynos: dict[str, Dyno] = {}
        self._starting: dict[str, asyncio.Task[Instance]] = {}
        self._tasks: set[asyncio.Task[object]] = set()
        self._adopted: asyncio.Task[None] | None = None
        self._watchers = Watchers()
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="engine")

    # The six verbs.

    async def start(self, spec: Spec) -> Instance:
        await self._ready()
        if dyno := self._dynos.get(spec.id):
            return dyno.instance
        if spec.id not in self._starting:
            self._starting[spec.id] = task = self._background(self._start(spec))
            task.add_done_callback(lambda _: self._starting.pop(spec.id))
        # A caller who loses patience leaves a dyno that is listed, never half of one.
        return await asyncio.shield(self._starting[spec.id])

    async def stop(self, id: str, grace: float) -> None:
        await self._ready()
        if starting := self._starting.get(id):
            await asyncio.wait([starting])
        dyno = self._dynos.get(id)
        if dyno is None:
            return
        if dyno.connection and dyno.instance.phase is Phase.RUNNING:
            dyno.connection.send(wire.STOP, b"%d" % (max(grace, 0.0) * 1000))
        if dyno.stopping is None or dyno.stopping.done():
            dyno.stopping = self._background(self._stop(dyno, grace))
        await asyncio.shield(dyno.stopping)

    async def list(self) -> list[Instance]:
        await self._ready()
        return [dyno.instance for dyno in self._dynos.values()]

    def watch(self) -> AsyncIterator[Instance]:
        watch = self._watchers.watch()
        self._background(self._ready())  # so that the dynos of the last engine are followed too
        return watch

    async def attach(self, id: str) -> LocalAttachment:
        await self._ready()
        dyno = self._dynos.get(id)
        client = dyno.folder.connect() if dyno else None
        if dyno is None or client is None:
            raise NotFound("dyno")
        connection = await Connection.over(client)
        connection.send(wire.ATTACH)
        answer = await connection.answer(ANSWER)
        if answer and answer[0] == wire.RUNNING:
            return LocalAttachment(connection, lambda: self._exit_code(dyno))
        await connection.close()
        if answer is None:
            raise NotFound("dyno")
        raise Conflict(
            f"Dyno {id} has no terminal to give.",
            id="not_attachable",
            why="It was not started attached, or somebody is or was attached to it.",
            fix="Run the command again in a dyno of its own.",
        )

    async def close(self) -> None:
        self._watchers.close()
        if self._starting:
            await asyncio.wait(self._starting.values())
        tasks = self._tasks - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._dynos.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    # Starting.

    async def _start(self, spec: Spec) -> Instance:
        folder = Folder.of(self._root, spec.id)
        if folder is None:
            raise _start_failed(spec, f"{spec.id!r} is not an id")
        claim = self._ports.claim() if spec.wants_port else None
        pid: int | None = None
        connection: Connection | None = None
        try:
            pid = await self._thread(self._spawn, folder, spec, claim)
            client = folder.connect()
            if client is None:
                raise _start_failed(spec, "its shim does not listen")
            connection = await Connection.over(client)
            # The shim has been booting meanwhile.
            await self._thread(working_copy.make, spec.code, folder.home, spec.links)
            port = claim.port if claim else None
            connection.send(wire.START, launch.order(spec, folder, port))
            answer = await connection.answer(BOOT)
            if answer is None or answer[0] != wire.RUNNING:
                raise _start_failed(spec, _reason(answer, folder, spec))
        except BaseException as error:
            await self._abandon(folder, pid, connection)
            if isinstance(error, (OSError, ValueError)):
                raise _start_failed(spec, str(error)) from error
            raise
        finally:
            if claim:
                claim.close()
        dyno = self._know(folder, Facts(spec.name, port, spec.attached, self._life))
        self._follow(dyno, connection, pid)
        return dyno.instance

    def _spawn(self, folder: Folder, spec: Spec, claim: Claim | None) -> int:
        self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
        port = claim.port if claim else None
        with folder.create(Facts(spec.name, port, spec.attached, self._life)) as listener:
            return launch.spawn(folder, spec.name, listener, claim.holder if claim else None)

    async def _abandon(self, folder: Folder, pid: int | None, connection: Connection | None) -> None:
        """Nothing of a dyno that could not be started stays."""
        if connection:
            await connection.close()
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await processes.ended(pid)
            await self._thread(self._bury, folder)
        await self._thread(folder.remove)

    # Following.

    def _know(self, folder: Folder, facts: Facts) -> Dyno:
        """Remember and announce a dyno, as its folder describes it."""
        started = folder.started()
        dyno = Dyno(
            folder,
            Instance(
                folder.id,
                Phase.RUNNING,
                datetime.fromtimestamp(started.at if started else time.time(), UTC),
                Address(HOST, facts.port) if facts.port is not None else None,
            ),
            facts.attached,
        )
        self._dynos[folder.id] = dyno
        self._watchers.tell(dyno.instance)
        return dyno

    def _follow(self, dyno: Dyno, connection: Connection, shim: int | None) -> None:
        dyno.connection, dyno.shim = connection, shim
        dyno.following = self._background(self._listen(dyno, connection))

    async def _listen(self, dyno: Dyno, connection: Connection) -> None:
        """Take what a shim says until it ends, and see to what it leaves if it was killed."""
        try:
            if not await self._take(dyno, connection):
                return
        finally:
            await connection.close()
            dyno.connection = None
        if dyno.shim:
            await processes.ended(dyno.shim)
        if dyno.instance.phase is Phase.RUNNING:
            logger.warning("the shim of dyno %s was killed", dyno.instance.id)
            self._end(dyno, await self._thread(self._bury, dyno.folder))

    async def _take(self, dyno: Dyno, connection: Connection) -> bool:
        """Take what a shim says; False if it now says it to somebody else, True at its end."""
        while frame := await connection.receive():
            kind, payload = frame
            if kind == wire.RUNNING:
                dyno.shim = int(payload)
            elif kind == wire.OUTPUT:
                self._deliver(dyno, payload)
            elif kind == wire.EXITED:
                self._end(dyno, int(payload) if payload else None)
                if not dyno.attached:
                    connection.send(wire.QUIT)
            elif kind == wire.BUSY:
                logger.warning("another engine has taken over dyno %s", dyno.instance.id)
                return False
        return True

    def _deliver(self, dyno: Dyno, payload: bytes) -> None:
        output = Output(dyno.instance.id, payload[8:-1].split(b"\n"), int.from_bytes(payload[:8], "big"))
        try:
            self._sink(output)
        except Exception:
            logger.exception("the sink failed; lines of dyno %s are lost", dyno.instance.id)

    def _end(self, dyno: Dyno, code: int | None) -> None:
        if dyno.instance.phase is Phase.RUNNING:
            dyno.instance = replace(dyno.instance, phase=Phase.EXITED, exit_code=code)
            self._watchers.tell(dyno.instance)
            dyno.ended.set()

    def _bury(self, folder: Folder) -> int | None:
        """A shim is dead: end what it left, and answer the exit code if it lived to write that down."""
        facts, started, exited = folder.facts(), folder.started(), folder.exited()
        here = facts is not None and facts.life == self._life
        if started and here:
            processes.await_end(started.shim)  # it does not listen any more, and may still be on its way out
        if exited is None:
            if here:
                processes.kill_orphans(started, folder.home)
            exited = Exited(None, time.time())
            with contextlib.suppress(OSError):
                folder.record_exit(exited)
        return exited.code

    async def _exit_code(self, dyno: Dyno) -> int | None:
        await dyno.ended.wait()
        return dyno.instance.exit_code

    # Stopping.

    async def _stop(self, dyno: Dyno, grace: float) -> None:
        if not await self._has_ended(dyno, grace + OVERDUE):
            logger.error("the shim of dyno %s does not answer and is killed", dyno.instance.id)
            started = dyno.folder.started()
            if started and processes.is_alive(started.shim):
                with contextlib.suppress(OSError):
                    os.kill(started.shim[0], signal.SIGKILL)
            if not await self._has_ended(dyno, ANSWER):
                self._end(dyno, await self._thread(self._bury, dyno.folder))
        if dyno.connection:
            dyno.connection.send(wire.QUIT)
        if dyno.following and not dyno.attached:
            # An attachment may still be taking the last output: its shim needs no folder for that.
            await asyncio.wait([dyno.following], timeout=ANSWER)
        await self._thread(dyno.folder.remove)
        self._dynos.pop(dyno.instance.id, None)

    async def _has_ended(self, dyno: Dyno, patience: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):  # not wait_for: in Python 3.11 that can lose a cancellation
                await dyno.ended.wait()
        return dyno.ended.is_set()

    # Adopting, once at first and then again and again.

    async def _ready(self) -> None:
        if self._adopted is None or (self._adopted.done() and self._adopted.exception()):
            self._adopted = self._background(self._open())
        await asyncio.shield(self._adopted)

    async def _open(self) -> None:
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            await self._thread(Folder.sweep, self._root)
            await self._adopt()
        except OSError as error:
            raise HomeportError(
                "engine_unusable",
                f"The folder of the dynos, {self._root}, cannot be used: {error.strerror or error}.",
                why="Every dyno has its files there, and what runs is found there after a restart.",
                fix="Make the folder readable and writable for this user.",
            ) from error
        self._background(self._heal())

    async def _heal(self) -> None:
        """Re-read the truth on a timer, so that an event that was missed only delays."""
        while True:
            await asyncio.sleep(self._heal_every)
            try:
                await self._adopt()
            except OSError:
                logger.exception("cannot look for dynos in %s", self._root)
            for dyno in [dyno for dyno in self._dynos.values() if dyno.instance.phase is Phase.RUNNING]:
                exited = dyno.folder.exited()
                if exited and time.time() - exited.at > ANSWER:  # not while its last lines are still on their way
                    self._end(dyno, exited.code)

    async def _adopt(self) -> None:
        """Take over every dyno in `root` that we do not know."""
        folders = await self._thread(Folder.all, self._root)
        unknown = [f for f in folders if f.id not in self._dynos and f.id not in self._starting]
        done = await asyncio.gather(*(self._take_over(folder) for folder in unknown), return_exceptions=True)
        for folder, problem in zip(unknown, done, strict=True):
            if problem is not None:
                logger.error("cannot take over dyno %s", folder.id, exc_info=problem)

    async def _take_over(self, folder: Folder) -> None:
        facts = folder.facts()
        client = folder.connect() if facts else None
        if facts and client:
            connection = await Connection.over(client)
            connection.send(wire.WATCH)
            if (answer := await connection.answer(ADOPTION, otherwise=(wire.RUNNING, b""))) is not None:
                dyno = self._know(folder, facts)
                self._follow(dyno, connection, int(answer[1] or 0) or None)
                if folder.exited():
                    await self._has_ended(dyno, ADOPTION)  # its last lines come first
                return
            await connection.close()
        code = await self._thread(self._bury, folder)
        if facts is None or folder.started() is None:
            await self._thread(folder.remove)  # an engine ended in the middle of starting it
        else:
            self._end(self._know(folder, facts), code)

    # Running things beside.

    def _background(self, coroutine: Coroutine[object, object, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _thread(self, function: Callable[[*Ts], T], *arguments: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _reason(answer: tuple[bytes, bytes] | None, folder: Folder, spec: Spec) -> str:
    if answer and answer[0] == wire.FAILED:
        return f"{spec.argv[0]}: {os.strerror(int(answer[1]))}" if answer[1] else "its shim does not answer"
    with contextlib.suppress(OSError):
        if text := (folder.path / "shim.log").read_text(errors="replace").strip():
            return f"its shim failed: {text.splitlines()[-1]}"
    return "its shim ended without a word"


def _start_failed(spec: Spec, reason: str) -> HomeportError:
    return HomeportError(
        "engine_start_failed",
        f"{spec.name} could not be started: {reason}.",
        why="Its process never ran, so there is no output of its own to look at.",
        fix="Check that this machine has free disk space, memory and processes, then start it again.",
    )
