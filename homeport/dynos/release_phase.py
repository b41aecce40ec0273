"""The release phase: a release's `release` command, run once in the new build before any traffic.

https://devcenter.heroku.com/articles/release-phase
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.dynos import one_offs, rows
from homeport.dynos.actions import Why
from homeport.dynos.board import Board, Ending
from homeport.dynos.hands import Parts
from homeport.errors import Conflict
from homeport.state import Dyno, Release, new_id

FAILED = 1
TIMED_OUT = 124
"""As timeout(1) has it."""

PATIENCE = 30.0
"""Seconds beyond the time in which a dyno is stopped."""

_LOOK = 0.1


async def run(
    parts: Parts, board: Board, release_id: str, out: Callable[[str], None], wake: Callable[[str], None]
) -> int:
    await _alone(parts, release_id, wake)
    dyno_id = new_id()
    with board.hold(dyno_id) as ending:
        dyno = await parts.database.run(one_offs.create_release_phase, release_id, dyno_id, now=parts.clock())
        if dyno is None:
            return 0
        board.awaited.add(dyno_id)
        parts.outputs.introduce(dyno_id, dyno.app_id, dyno.name)
        parts.outputs.listen(dyno_id, out)
        try:
            wake(dyno.app_id)
            return await _exit_code(parts, ending, out)
        finally:
            if not ending.done():  # nobody waits for it any more, or it took too long
                await asyncio.shield(parts.database.run(_dismiss, dyno_id, parts.clock()))
            wake(dyno.app_id)


async def _alone(parts: Parts, release_id: str, wake: Callable[[str], None]) -> None:
    """Until no other release command of the app runs: one that a killed platform has left is being stopped.

    Raises `Conflict` (`release_command_running`) when it does not go.
    """
    try:
        async with asyncio.timeout(2 * parts.limits.grace + PATIENCE):
            while app_id := await parts.database.run(_app_with_another, release_id):
                wake(app_id)
                await asyncio.sleep(_LOOK)
    except TimeoutError:
        raise Conflict(
            "The release command of an earlier release still runs.",
            id="release_command_running",
            why="Two of them at once would migrate one database twice.",
            fix="End it: `heroku ps`, `heroku ps:stop release.1234`. Then try again.",
        ) from None


def _app_with_another(session: Session, release_id: str) -> str | None:
    """The id of the release's app if it has a release command already."""
    release = session.get_one(Release, release_id)
    return session.scalar(select(Dyno.app_id).where(Dyno.app_id == release.app_id, Dyno.type == "release").limit(1))


async def _exit_code(parts: Parts, ending: asyncio.Future[Ending], out: Callable[[str], None]) -> int:
    limit = parts.limits.release_phase
    try:
        async with asyncio.timeout(limit):
            ended = await asyncio.shield(ending)
    except TimeoutError:
        out(f" !     The release command did not end within {limit / 60:.0f} minutes and is stopped.")
        return TIMED_OUT
    if ended.why is Why.UNSTARTABLE:
        out(f" !     The release command could not be started: {ended.detail}")
    elif ended.exit_code is None:
        out(" !     The release command is gone, and nobody knows how it ended.")
    return FAILED if ended.exit_code is None else ended.exit_code


def _dismiss(session: Session, dyno_id: str, at: datetime) -> None:
    dyno = rows.find(session, dyno_id)
    if dyno is not None:
        rows.mark_down(session, dyno_id, now=at, stop_by=at)
