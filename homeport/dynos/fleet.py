"""All dynos of this machine: the loop that makes what runs follow what should, and the verbs that ask it to.

Each app is looked at when something about it has changed, when its plan asked for it, and every half minute anyway.
One app's looks follow each other; different apps don't wait for each other. Nothing here needs an orderly end: what
the next process finds in the database and at the engine is enough to go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.dynos import errands, one_offs, orders, release_phase, rollout, rows
from homeport.dynos.actions import Why
from homeport.dynos.board import Board, Candidate, Ending
from homeport.dynos.environment import NOTHING, Layers
from homeport.dynos.hands import Hands, OnEnd, Parts, nobody_listens
from homeport.dynos.limits import Limits
from homeport.dynos.outputs import Outputs
from homeport.dynos.plan import plan
from homeport.dynos.probe import UntilReady, until_ready
from homeport.dynos.rollout import RolloutResult
from homeport.dynos.routes import Routes
from homeport.dynos.situation import Facts
from homeport.engine import Engine, Phase
from homeport.state import App, Database, Dyno, now

_log = logging.getLogger("homeport.dynos")

_MOST_LOOKS = 1000
"""In a row, without anything coming to rest. More can only be a plan that goes in circles."""


class Fleet:
    """`routes_changed` makes the router follow the database, and returns when it does. `hostname` is the host name
    of an app by its name. `outputs` must be the engine's sink. `machine` are variables that every dyno begins with.
    `on_end` is told how one-off dynos end."""

    def __init__(
        self,
        database: Database,
        engine: Engine,
        layers: Layers,
        outputs: Outputs,
        *,
        routes_changed: Callable[[], Awaitable[None]],
        hostname: Callable[[str], str],
        clock: Callable[[], datetime] = now,
        limits: Limits | None = None,
        until_ready: UntilReady = until_ready,
        machine: Mapping[str, str] = NOTHING,
        on_end: OnEnd = nobody_listens,
    ) -> None:
        self.parts = Parts(
            database,
            engine,
            layers,
            outputs,
            Routes(routes_changed),
            hostname,
            clock,
            limits or Limits(),
            until_ready,
            machine,
            on_end,
        )
        self.board = Board()
        self.hands = Hands(self.parts, self.board, self.wake)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._alarms: dict[str, asyncio.TimerHandle] = {}
        self._apps: dict[str, str] = {}
        self._sweep_now = asyncio.Event()

    # The loop

    async def run(self) -> None:
        """Until cancelled. Dynos go on running afterwards."""
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._watch())
                tasks.create_task(self._sweep())
        finally:
            self._loop = None
            for alarm in self._alarms.values():
                alarm.cancel()
            looking = list(self._looking.values())
            for look in looking:
                look.cancel()
            await asyncio.gather(*looking, return_exceptions=True)
            await self.hands.close()

    def wake(self, app_id: str) -> None:
        """Look at this app soon. Callable from any thread; quiet while the loop does not run, which begins with a
        look at everything."""
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it was closed just now
                loop.call_soon_threadsafe(self._look, app_id)

    def _look(self, app_id: str) -> None:
        if self._loop is None:
            return
        if app_id in self._looking:
            self._again.add(app_id)
            return
        task = self._loop.create_task(self._look_until_settled(app_id))
        self._looking[app_id] = task

    async def _look_until_settled(self, app_id: str) -> None:
        try:
            for _ in range(_MOST_LOOKS):
                self._again.discard(app_id)
                if not await self._sync(app_id) and app_id not in self._again:
                    break
            else:
                raise RuntimeError(f"the plan for app {app_id} does not settle")
        except Exception:
            _log.exception("looking after the dynos of app %s failed and is tried again", app_id)
            self._remind(app_id, self.parts.limits.retry)
        finally:
            del self._looking[app_id]
            if app_id in self._again and self._loop is not None:
                self._look(app_id)

    async def _sync(self, app_id: str) -> bool:
        """One look at one app. Whether another one may find more to do."""
        board, parts = self.board, self.parts
        # Who works on what is read before and after the truth: whatever changes in between counts as being worked on.
        busy, held = frozenset(board.busy), frozenset(board.held)
        instances = {instance.id: instance for instance in await parts.engine.list()}
        candidate = board.candidates.get(app_id)
        situation = await parts.database.run(rows.read, app_id, candidate.release_id if candidate else None)
        if situation is None:
            self._app_is_gone(app_id)
            return False
        if candidate is not None and situation.wanted.candidate is None:
            await self._settle(app_id, candidate)
        for row in situation.rows:
            self._apps[row.id] = app_id
            if row.id in instances:
                parts.outputs.introduce(row.id, app_id, row.name)
        facts = Facts(
            instances=instances,
            gates={dyno_id: verdict.gate for dyno_id, verdict in board.gates.items()},
            busy=busy | board.busy,
            gating=frozenset(board.gating),
            held=held | board.held,
        )
        decided = plan(situation.wanted, situation.rows, facts, situation.setbacks, parts.clock(), parts.limits.rules)
        await self.hands.carry_out(app_id, decided.actions, instances)
        if decided.again_at is not None:
            self._remind(app_id, max((decided.again_at - parts.clock()).total_seconds(), 0.0))
        return bool(decided.actions)

    async def _settle(self, app_id: str, candidate: Candidate) -> None:
        if self.board.candidates.get(app_id) == candidate:
            del self.board.candidates[app_id]
        now, stop_by = self._from_now()
        await self.parts.database.run(rollout.settle, candidate, now=now, stop_by=stop_by)

    def _remind(self, app_id: str, delay: float) -> None:
        if self._loop is not None:
            if app_id in self._alarms:
                self._alarms.pop(app_id).cancel()
            # A timer may fire a little early, and a plan that is asked too early only sets another.
            self._alarms[app_id] = self._loop.call_later(delay + 0.01, self._look, app_id)

    def _app_is_gone(self, app_id: str) -> None:
        """It was destroyed. Its dynos have no rows any more, so they are found when everything is looked at."""
        if app_id in self._alarms:
            self._alarms.pop(app_id).cancel()
        for dyno_id in [dyno_id for dyno_id, of in self._apps.items() if of == app_id]:
            self.board.ended(dyno_id, Ending(Why.UNWANTED, None))
        self._sweep_now.set()

    async def _watch(self) -> None:
        while True:
            try:
                async for instance in self.parts.engine.watch():
                    if instance.phase is Phase.EXITED:
                        self.board.exits[instance.id] = instance.exit_code
                    app_id = self._apps.get(instance.id)
                    if app_id is not None:
                        self._look(app_id)
            except Exception:
                _log.exception("the engine's events broke off; looking at everything instead")
            self._sweep_now.set()
            await asyncio.sleep(self.parts.limits.retry)

    async def _sweep(self) -> None:
        """Look at everything, again and again: a lost event only delays."""
        while True:
            try:
                await self._look_at_everything()
            except Exception:
                _log.exception("looking for dynos failed and is tried again")
            self._sweep_now.clear()
            # Not wait_for: in Python 3.11 that loses a cancellation which comes together with the event.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.parts.limits.resync):
                    await self._sweep_now.wait()

    async def _look_at_everything(self) -> None:
        awaited = set(self.board.awaited)
        instances = await self.parts.engine.list()  # before the rows: a row is there before its instance is
        names, app_ids = await self.parts.database.run(_everything)
        for instance in instances:
            if instance.id in names:
                app_id, name = names[instance.id]
                self._apps[instance.id] = app_id
                self.parts.outputs.introduce(instance.id, app_id, name)
            elif instance.id not in self.board.busy:
                self.hands.stop_orphan(instance.id)
        for dyno_id in (self._apps.keys() | awaited) - names.keys():
            self._apps.pop(dyno_id, None)
            self.board.exits.pop(dyno_id, None)
            self.board.ended(dyno_id, Ending(Why.UNWANTED, None))
        for app_id in app_ids:
            self._look(app_id)

    # What others ask for

    async def release_phase(self, release_id: str, out: Callable[[str], None]) -> int:
        """Run the release's `release` process type, if it has one, giving its output to `out` line by line.

        Returns its exit code; 0 when there is nothing to run.
        """
        return await release_phase.run(self.parts, self.board, release_id, out, self.wake)

    async def rollout(self, release_id: str, out: Callable[[str], None]) -> RolloutResult:
        """Bring the web dynos of a pending release up beside the current ones.

        Once they are up they wait for the release to become current. If one does not come up, all of them are
        cleared away, and the result says why.
        """
        return await rollout.run(self.parts, self.board, release_id, out, self.wake)

    async def run_dyno(
        self,
        app_id: str,
        *,
        by: str,
        command: str,
        size: str | None = None,
        type: str | None = None,
        env: Mapping[str, object] | None = None,
        attach: bool = False,
        force_no_tty: bool = False,
    ) -> tuple[Dyno, str | None]:
        """A one-off dyno, and with `attach` the secret by which its client finds it; it starts when that comes.

        `by` is the e-mail address of who asked. Raises `Invalid` (`no_code` before the first deploy) and `Conflict`
        (`too_many_one_offs`).
        """
        wish = one_offs.wish(command, env or {}, type=type, size=size, attach=attach, force_no_tty=force_no_tty)
        secret = one_offs.new_secret() if attach else None
        dyno = await self.parts.database.run(one_offs.create, app_id, wish, secret=secret, now=self.parts.clock())
        self.parts.outputs.say(app_id, "api", [one_offs.started(command, by)], source="app")
        if attach:
            self.parts.outputs.say(app_id, dyno.name, ["Awaiting client"])
        self.wake(app_id)
        return dyno, secret

    async def run_to_end(
        self, app_id: str, *, command: str, type: str, by: str, out: Callable[[str], None]
    ) -> int | None:
        """Run a command in a one-off dyno, give its output to `out` line by line, and return its exit code.

        None if it could not be started, or nobody knows how it ended. If this process ends, the dyno goes on.
        Raises as `run_dyno` does.
        """
        return await errands.run(
            self.parts, self.board, app_id, one_offs.wish(command, {}, type=type), by, out, self.wake
        )

    async def restart(self, app_id: str, *, dyno: str | None = None, type: str | None = None) -> None:
        """`ps:restart`: everything, one dyno, or those of a type. Raises `NotFound`."""
        await self.parts.database.run(self._order, orders.restart, app_id, dyno, type)
        self.wake(app_id)

    async def stop(self, app_id: str, *, dyno: str | None = None, type: str | None = None) -> None:
        """`ps:stop`: one dyno or those of a type; the formation's are started anew. Raises `NotFound`."""
        await self.parts.database.run(self._order, orders.stop, app_id, dyno, type)
        self.wake(app_id)

    def _order(
        self, session: Session, order: orders.Order, app_id: str, dyno: str | None, type: str | None
    ) -> list[Dyno]:
        at, stop_by = self._from_now()
        return order(session, session.get_one(App, app_id), dyno=dyno, type=type, now=at, stop_by=stop_by)

    def _from_now(self) -> tuple[datetime, datetime]:
        """Now, and when a dyno that is told to go now must have gone."""
        at = self.parts.clock()
        return at, at + timedelta(seconds=self.parts.limits.drain + self.parts.limits.grace)

    async def reroute(self) -> None:
        """Returns once the router knows all that is committed, or has been given up for now."""
        await self.parts.routes.changed()

    async def halt(self) -> None:
        """End every dyno, for when the platform goes down; `run` must have ended. The next one starts them anew.

        A web dyno that still boots takes no requests, and often heeds TERM only when it has booted: it gets less time.
        """
        engine, limits = self.parts.engine, self.parts.limits
        booting = await self.parts.database.run(rows.booting)
        graces = {it.id: limits.boot_grace if it.id in booting else limits.grace for it in await engine.list()}
        await asyncio.gather(*(engine.stop(dyno_id, grace) for dyno_id, grace in graces.items()))
        await self.parts.database.run(rows.remove_all)


def _everything(session: Session) -> tuple[dict[str, tuple[str, str]], list[str]]:
    return rows.names(session), list(session.scalars(select(App.id)))
