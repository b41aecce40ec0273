"""The release phase: a release's `release` command, run once in the new build before any traffic.

https://devcenter.heroku.com/articles/release-phase
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from homeport.dynos import one_offs, rows
from homeport.dynos.actions import Why
from homeport.dynos.board import Board, Ending
from homeport.dynos.hands import Parts
from homeport.state import new_id

FAILED = 1
TIMED_OUT = 124
"""As timeout(1) has it."""


async def run(
    parts: Parts, board: Board, release_id: str, out: Callable[[str], None], wake: Callable[[str], None]
) -> int:
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
