"""Carrying out what a plan says: the one thin place of this room that acts.

Quick marks are made at once; what takes time (starting, waiting, stopping) goes on beside, noted on the board, and
wakes the app's loop when it is done. Each of them may be cut off anywhere: the rows say how to go on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from homeport.dynos import one_offs, probe, rows, sockets, words
from homeport.dynos.actions import (
    Action,
    Await,
    Clear,
    Complete,
    Create,
    ForgetCrashes,
    Idle,
    Launch,
    MarkCrashed,
    MarkUp,
    Remove,
    Replace,
    Rest,
    Retire,
    Stop,
    Why,
)
from homeport.dynos.board import Board, Change, Ending
from homeport.dynos.environment import Layers, spec
from homeport.dynos.limits import Limits
from homeport.dynos.outputs import Outputs
from homeport.dynos.probe import Verdict
from homeport.dynos.routes import Routes
from homeport.dynos.situation import Gate
from homeport.dynos.states import State
from homeport.engine import Address, Engine, Instance, Phase
from homeport.errors import HomeportError
from homeport.state import Database, Dyno

_log = logging.getLogger("homeport.dynos")


OnEnd = Callable[[Session, Dyno, Ending], None]
"""Told how a one-off dyno has ended, in a transaction, before anything of it is cleared away. A crash in between tells
it again."""


def nobody_listens(_session: Session, _dyno: Dyno, _ending: Ending) -> None:
    """The `OnEnd` of who has no use for it."""


@dataclass(frozen=True)
class Parts:
    """What dynos are made with: everything that this room is given."""

    database: Database
    engine: Engine
    layers: Layers
    outputs: Outputs
    routes: Routes
    hostname: rows.Hostname
    clock: Callable[[], datetime]
    limits: Limits
    until_ready: probe.UntilReady
    machine: Mapping[str, str]
    on_end: OnEnd


class Hands:
    """`wake` is called with an app's id when something about it has come to an end."""

    def __init__(self, parts: Parts, board: Board, wake: Callable[[str], None]) -> None:
        self._parts = parts
        self._board = board
        self._wake = wake
        self._tasks: set[asyncio.Task[None]] = set()
        self._starts = asyncio.Semaphore(8)

    async def carry_out(self, app_id: str, actions: Sequence[Action], instances: Mapping[str, Instance]) -> None:
        rerouted = [await self._carry_out(app_id, action, instances) for action in actions]
        if any(rerouted):
            await self._parts.routes.changed()

    def stop_orphan(self, dyno_id: str) -> None:
        """End what no row knows: its app was destroyed."""
        self._beside(None, dyno_id, self._parts.engine.stop(dyno_id, self._parts.limits.grace))

    async def close(self) -> None:
        """Drop everything that is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry_out(self, app_id: str, action: Action, instances: Mapping[str, Instance]) -> bool:
        """Whether requests go elsewhere now."""
        run, now = self._parts.database.run, self._parts.clock()
        match action:
            case Create():
                await self._create(app_id, action, now)
            case Replace():
                await self._replace(app_id, action, now)
            case Launch(dyno_id):
                self._beside(app_id, dyno_id, self.launch(app_id, dyno_id))
            case Await(dyno_id):
                self._board.gating[dyno_id] = self._task(self._await(app_id, dyno_id, instances[dyno_id]))
            case MarkUp(dyno_id):
                return await self.mark_up(app_id, dyno_id, instances[dyno_id].address)
            case MarkCrashed():
                return await self._crash(app_id, action, now)
            case Retire():
                return await self._retire(app_id, action, now)
            case Idle(dyno_id):
                return await self._idle(app_id, dyno_id, now)
            case Rest(dyno_id) | Stop(dyno_id):
                end = self._rest if isinstance(action, Rest) else self._stop
                running = instances[dyno_id].phase is Phase.RUNNING
                self._beside(app_id, dyno_id, end(app_id, dyno_id, running=running))
            case Clear(dyno_id):
                self._beside(app_id, dyno_id, self._parts.engine.stop(dyno_id, 0))
            case Remove(dyno_id):
                await self._remove(dyno_id)
            case Complete(dyno_id):
                self._beside(app_id, dyno_id, self._complete(app_id, action))
            case ForgetCrashes(slot_name):
                await run(rows.forget_crashes, app_id, slot_name)
        return False

    # What takes no time

    async def _create(self, app_id: str, action: Create, now: datetime) -> None:
        run, slot = self._parts.database.run, action.slot
        await run(rows.forget_crashes, app_id, slot.name)
        state = State.IDLE if action.idle else State.STARTING
        created = await run(rows.create, app_id, action.release_id, slot, now=now, state=state)
        if created is not None and action.woken:
            self._say(app_id, slot.name, words.UNIDLING, words.changed(State.DOWN, State.STARTING))

    async def _replace(self, app_id: str, action: Replace, now: datetime) -> None:
        run = self._parts.database.run
        old = await run(rows.find, action.id)
        if old is None or State(old.state) is State.DOWN:
            return
        if action.cycle:
            self._say(app_id, old.name, words.CYCLING)
            # The plan takes the younger one for the target, and two readings of a clock may be equal.
            now = max(now, old.created_at + timedelta(microseconds=1))
        else:
            self._say(app_id, old.name, words.changed(State.CRASHED, State.STARTING))
            await self._remove(old.id)
        await run(rows.create, app_id, old.release_id, action.slot, now=now)

    async def mark_up(self, app_id: str, dyno_id: str, address: Address | None) -> bool:
        self._board.stop_gating(dyno_id)
        dyno = await self._parts.database.run(rows.mark_up, dyno_id, address, now=self._parts.clock())
        if dyno is None:
            return False
        verdict = self._board.gates.get(dyno_id)
        detail = verdict.detail if verdict else ""
        self._say(app_id, dyno.name, *words.in_spite_of(detail), words.changed(State.STARTING, State.UP))
        self._board.tell(dyno.release_id, Change(dyno.id, dyno.name, State.UP, detail=detail))
        return dyno.host is not None

    async def _crash(self, app_id: str, action: MarkCrashed, now: datetime) -> bool:
        self._board.stop_gating(action.id)
        database, verdict = self._parts.database, self._board.gates.get(action.id)
        before = await database.run(rows.find, action.id)
        marked = await database.run(rows.mark_crashed, action.id, action.exit_code, counts=action.counts, now=now)
        if before is None or marked is None:
            return False
        (dyno, delay), detail = marked, verdict.detail if verdict else ""
        self._say(
            app_id,
            dyno.name,
            *words.crash(action.why, action.exit_code, detail, self._parts.limits.boot),
            words.changed(State(before.state), State.CRASHED),
            *words.next_try(delay),
            *_on_trial(dyno),
        )
        change = Change(dyno.id, dyno.name, State.CRASHED, action.why, action.exit_code, detail)
        self._board.tell(dyno.release_id, change)
        return dyno.host is not None

    async def _retire(self, app_id: str, action: Retire, now: datetime) -> bool:
        self._board.stop_gating(action.id)
        limits, run = self._parts.limits, self._parts.database.run
        before = await run(rows.find, action.id)
        stop_by = now + timedelta(seconds=limits.drain + limits.grace)
        marked = await run(rows.mark_down, action.id, now=now, stop_by=stop_by)
        if before is None or marked is None:
            return False
        said = _on_trial(marked) or words.retire(action.why, State(before.state))
        self._say(app_id, before.name, *said)
        return marked.host is not None

    async def _idle(self, app_id: str, dyno_id: str, now: datetime) -> bool:
        marked = await self._parts.database.run(rows.mark_idle, dyno_id, now=now)
        if marked is None:
            return False
        self._say(app_id, marked.name, words.IDLING, words.changed(State.UP, State.DOWN))  # Heroku says down here
        return marked.host is not None

    async def _remove(self, dyno_id: str) -> None:
        await self._parts.database.run(rows.remove, [dyno_id])
        self._board.forget(dyno_id)
        self._parts.outputs.forget(dyno_id)

    # What goes on beside

    async def launch(self, app_id: str, dyno_id: str) -> Instance | None:
        """Start a dyno; None if it cannot be, which the board then says why."""
        parts = self._parts
        launch = await parts.database.run(rows.launch, dyno_id, parts.hostname)
        if launch is None:
            self._board.gates[dyno_id] = Verdict(Gate.UNSTARTABLE, "it was forgotten meanwhile")
            return None
        parts.outputs.introduce(dyno_id, app_id, launch.name)
        try:
            async with self._starts:
                self._say(app_id, launch.name, words.starting(launch.command))
                return await parts.engine.start(spec(launch, parts.layers, parts.machine))
        except HomeportError as error:
            detail = f"{error.what} {error.fix}".strip().removeprefix(f"{launch.name} could not be started: ")
            self._board.gates[dyno_id] = Verdict(Gate.UNSTARTABLE, detail.replace("\n", " ").rstrip("."))
        except Exception as error:
            _log.exception("dyno %s could not be started", dyno_id)
            self._board.gates[dyno_id] = Verdict(Gate.UNSTARTABLE, str(error) or type(error).__name__)
        return None

    async def _await(self, app_id: str, dyno_id: str, instance: Instance) -> None:
        parts = self._parts
        try:
            health = await parts.database.run(rows.health, dyno_id, parts.hostname)
            left = parts.limits.boot - (parts.clock() - instance.started_at).total_seconds()
            if instance.address is None:
                verdict = Verdict(Gate.UNBOUND)
            else:
                verdict = await parts.until_ready(instance.address, left, health)
            self._board.gates[dyno_id] = verdict
        except Exception:
            _log.exception("waiting for dyno %s failed and is begun again", dyno_id)
            await asyncio.sleep(parts.limits.retry)
        self._board.gating.pop(dyno_id, None)
        self._wake(app_id)

    async def _stop(self, app_id: str, dyno_id: str, *, running: bool) -> None:
        """End it and forget it."""
        dyno = await self._parts.database.run(rows.find, dyno_id)
        if dyno is None:
            return
        code = await self._end(app_id, dyno, running=running)
        await self._tell_end(dyno_id, Ending(Why.UNWANTED, code))
        self._board.ended(dyno_id, Ending(Why.EXITED, code))
        await self._remove(dyno_id)

    async def _rest(self, app_id: str, dyno_id: str, *, running: bool) -> None:
        """End it, but keep its row: it is to be seen that it sleeps."""
        dyno = await self._parts.database.run(rows.find, dyno_id)
        if dyno is not None:
            await self._end(app_id, dyno, running=running)

    async def _end(self, app_id: str, dyno: Dyno, *, running: bool) -> int | None:
        """Take its traffic away, let it finish, TERM, KILL. Returns its exit code if anybody knows it."""
        parts = self._parts
        if running and dyno.host is not None and dyno.port is not None:
            await parts.routes.changed()
            await self._drain(Address(dyno.host, dyno.port))
        if running:
            await self._terminate(app_id, dyno)
        else:
            await parts.engine.stop(dyno.id, 0)
        code = self._board.exits.get(dyno.id)
        self._say(app_id, dyno.name, words.exited(code))
        return code

    async def _terminate(self, app_id: str, dyno: Dyno) -> None:
        parts = self._parts
        left = (dyno.stop_by - parts.clock()).total_seconds() if dyno.stop_by else parts.limits.grace
        grace = min(max(left, 0.0), parts.limits.grace)
        self._say(app_id, dyno.name, words.TERM)
        overdue = asyncio.get_running_loop().call_later(
            grace, self._say, app_id, dyno.name, words.exit_timeout(parts.limits.grace), words.KILL
        )
        try:
            await parts.engine.stop(dyno.id, grace)
        finally:
            overdue.cancel()

    async def _drain(self, address: Address) -> None:
        """Requests that the router gave it before it knew better."""
        limits, loop = self._parts.limits, asyncio.get_running_loop()
        deadline = loop.time() + limits.drain
        await asyncio.sleep(limits.settle)
        while loop.time() < deadline and sockets.connections(address):  # noqa: ASYNC110 - the kernel has no event for it
            await asyncio.sleep(0.1)

    async def _complete(self, app_id: str, action: Complete) -> None:
        parts = self._parts
        expires = action.why is Why.NO_CLIENT
        dyno = await parts.database.run(one_offs.expire if expires else rows.find, action.id)
        if dyno is None:
            return
        verdict = self._board.gates.get(action.id)
        detail = verdict.detail if verdict else ""
        said = {
            Why.NO_CLIENT: [words.ATTACH_ERROR],
            Why.HUNG_UP: [words.HANG_UP],
            Why.INTERRUPTED: words.retire(Why.INTERRUPTED, State.UP),
        }.get(action.why) or words.crash(action.why, action.exit_code, detail, parts.limits.boot)
        self._say(app_id, dyno.name, *said, words.changed(State(dyno.state), State.COMPLETE))
        ending = Ending(action.why, action.exit_code, detail)
        await self._tell_end(action.id, ending)
        self._board.ended(action.id, ending)
        await parts.engine.stop(action.id, 0)
        await self._remove(action.id)

    async def _tell_end(self, dyno_id: str, ending: Ending) -> None:
        await self._parts.database.run(self._record_end, dyno_id, ending)

    def _record_end(self, session: Session, dyno_id: str, ending: Ending) -> None:
        dyno = rows.find(session, dyno_id)
        if dyno is not None and rows.is_one_off(dyno):
            self._parts.on_end(session, dyno, ending)

    # How it goes on beside

    def _beside(self, app_id: str | None, dyno_id: str, work: Coroutine[object, object, object]) -> None:
        self._board.busy.add(dyno_id)

        async def do() -> None:
            try:
                await work
            except Exception:
                _log.exception("work on dyno %s failed and is tried again", dyno_id)
                await asyncio.sleep(self._parts.limits.retry)
            finally:
                self._board.busy.discard(dyno_id)
                if app_id is not None:
                    self._wake(app_id)

        self._task(do())

    def _task(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _say(self, app_id: str, dyno: str, *texts: str) -> None:
        self._parts.outputs.say(app_id, dyno, texts)


def _on_trial(dyno: Dyno) -> list[str]:
    return [] if rows.is_one_off(dyno) else words.on_trial(dyno.release)
