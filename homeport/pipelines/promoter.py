"""The loop that carries promotions out: what is pending in the database is begun, whoever wrote it down and when."""

from __future__ import annotations

import asyncio
import logging
from functools import partial

from homeport.deploys import Journal, Launch, Launcher
from homeport.errors import HomeportError
from homeport.loops import UnderWay, Waker
from homeport.pipelines import promotions
from homeport.pipelines.promotions import Step
from homeport.state import Database

EVERY = 15.0
AT_ONCE = 4
"""Rollouts beside each other: each starts new dynos before old ones go."""

_log = logging.getLogger("homeport")


class Promoter:
    """One task per target; those of one app wait for their turn, behind pushes to it."""

    def __init__(self, database: Database, launcher: Launcher, journal: Journal) -> None:
        self._database = database
        self._launcher = launcher
        self._journal = journal
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waker = Waker()
        self._under_way = UnderWay()

    def wake(self) -> None:
        """Something was written down."""
        self._waker.wake()

    async def run(self) -> None:
        """Until cancelled; what is under way is given up then, and finished by the next platform."""
        try:
            while True:
                await self._begin_what_is_pending()
                await self._waker.wait(EVERY)
        finally:
            await self._under_way.give_up()

    async def _begin_what_is_pending(self) -> None:
        try:
            steps = await self._database.run(promotions.pending)
        except Exception:
            _log.exception("promotions could not be looked up; they are looked for again")
            return
        for step in steps:
            self._under_way.begin(step.id, partial(self._carry_out, step))

    async def _carry_out(self, step: Step) -> None:
        launch: Launch | None = None
        try:
            async with self._launcher.turns.take(step.app_id, _unheard), self._room:
                launch = await self._database.run(promotions.begin, step)
                if launch is not None:
                    await self._launch(step, launch)
        except HomeportError as error:
            await self._give_up(step, launch, " ".join(error.message.splitlines()), error.what)
        except Exception:
            _log.exception("a promotion failed")
            text = "Homeport met an error of its own; its log has the details."
            await self._give_up(step, launch, text, text)

    async def _launch(self, step: Step, launch: Launch) -> None:
        await self._launcher.launch(launch, _unheard, lambda session: promotions.succeed(session, step, launch))

    async def _give_up(self, step: Step, launch: Launch | None, why: str, what: str) -> None:
        await self._database.run(promotions.fail, step, launch, why)
        self._journal.write(step.app_id, "app", "api", [f"Promotion failed: {what}"])


def _unheard(_line: str) -> None:
    """Nobody listens to a promotion while it runs: how it ends is in its rows, and what dynos say in the app's log."""
