"""The loop that carries out changes of apps with a release command: config vars, rollbacks, slugs, add-ons.

What waits in the database is begun, whoever wrote it down and when; what a killed platform leaves is begun again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from functools import partial

from sqlalchemy.orm import Session

from homeport import releases
from homeport.deploys.launch import Journal, Launch, Launcher
from homeport.errors import HomeportError
from homeport.loops import UnderWay, Waker
from homeport.state import App, Database, Release

EVERY = 15.0
AT_ONCE = 4
"""Release commands beside each other; those of one app wait for their turn, as pushes to it do."""

_log = logging.getLogger("homeport")


@dataclass(frozen=True)
class Step:
    """A change whose turn has come. `hopeless`: its command has taken the platform down too often."""

    launch: Launch
    turn: releases.Turn
    hopeless: bool


class Releaser:
    """One task per app that has something to wait for."""

    def __init__(self, database: Database, launcher: Launcher, journal: Journal) -> None:
        self._database = database
        self._launcher = launcher
        self._journal = journal
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waker = Waker()
        self._under_way = UnderWay()

    @property
    def busy(self) -> bool:
        """Whether anything is being carried out."""
        return bool(self._under_way)

    def wake(self) -> None:
        """Something may have been written down. Callable from any thread."""
        self._waker.wake()

    async def run(self) -> None:
        """Until cancelled; what is under way is given up then, and begun again by the next platform."""
        try:
            while True:
                await self._begin_what_waits()
                await self._waker.wait(EVERY)
        finally:
            await self._under_way.give_up()

    async def _begin_what_waits(self) -> None:
        try:
            apps = await self._database.run(releases.apps_that_wait)
        except Exception:
            _log.exception("releases that wait could not be looked up; they are looked for again")
            return
        for app_id in apps:
            self._under_way.begin(app_id, partial(self._carry_out, app_id))

    async def _carry_out(self, app_id: str) -> None:
        """One after another, until nothing waits."""
        try:
            while True:
                async with self._launcher.turns.take(app_id, _unheard), self._room:
                    step = await self._database.run(_begin, app_id)
                    if step is None:
                        return
                    await self._take(step)
        except Exception:
            _log.exception("a release that waits could not be carried out; it is tried again")

    async def _take(self, step: Step) -> None:
        launch, by = step.launch, f"by user {step.launch.by.email}"
        try:
            if step.hopeless:
                raise HomeportError(
                    "release_command_interrupted", f"The platform stopped {releases.MOST_ATTEMPTS} times while it ran."
                )
            self._note(launch, f"Running release v{launch.release.version} commands {by}")
            current = await self._launcher.release(launch, partial(self._succeed, step=step))
        except HomeportError as error:
            await self._give_up(step, error.what)
        except Exception:
            _log.exception("a release failed")
            await self._give_up(step, "Homeport met an error of its own; its log has the details.")
        else:
            self._note(launch, f"Release v{current.version} created {by}")

    def _succeed(self, session: Session, *, step: Step) -> Release:
        """The release becomes current, and what it makes superfluous is over too, all at once."""
        for release in step.turn.beside:
            releases.supersede(session, release)
        return releases.succeed(session, step.launch.release, attached=self._launcher.attached)

    async def _give_up(self, step: Step, why: str) -> None:
        await self._database.run(_fail, step.turn)
        self._note(step.launch, f"Release v{step.launch.release.version} failed: {why}")

    def _note(self, launch: Launch, text: str) -> None:
        self._journal.write(launch.app.id, "app", "api", [text])


def _begin(session: Session, app_id: str) -> Step | None:
    """None when nothing waits any more, or the app is gone."""
    app = session.get(App, app_id)
    turn = releases.next_turn(session, app) if app is not None else None
    if app is None or turn is None:
        return None
    release = turn.release
    seen = f"Its output: `heroku releases:output v{release.version} -a {app.name}`."
    launch = Launch(app, release.user, release, releases.current(session, app), again=_AGAIN, seen=seen)
    return Step(launch, turn, hopeless=not releases.begin(session, release))


def _fail(session: Session, turn: releases.Turn) -> None:
    """Quiet about what is gone meanwhile."""
    for release in turn.all:
        row = session.get(Release, release.id)
        if row is not None and row.status == "pending":
            releases.fail(session, row)


_AGAIN = "try the same again: `heroku releases:retry`"


def _unheard(_line: str) -> None:
    """Nobody listens to a change while it waits: what its command says is kept, how it ends is in the app's log."""
