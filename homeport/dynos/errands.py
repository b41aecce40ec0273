"""A one-off dyno that somebody in this process waits for: an app.json's `postdeploy`.

https://devcenter.heroku.com/articles/github-integration-review-apps#the-postdeploy-script
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from homeport.dynos import one_offs
from homeport.dynos.actions import Why
from homeport.dynos.board import Board
from homeport.dynos.hands import Parts
from homeport.dynos.one_offs import Wish
from homeport.state import new_id


async def run(
    parts: Parts,
    board: Board,
    app_id: str,
    wish: Wish,
    by: str,
    out: Callable[[str], None],
    wake: Callable[[str], None],
) -> int | None:
    dyno_id = new_id()
    with board.hold(dyno_id) as ending:
        dyno = await parts.database.run(one_offs.create, app_id, wish, now=parts.clock(), dyno_id=dyno_id)
        board.awaited.add(dyno_id)
        parts.outputs.say(app_id, "api", [one_offs.started(wish.command, by)], source="app")
        parts.outputs.introduce(dyno_id, app_id, dyno.name)
        parts.outputs.listen(dyno_id, out)
        wake(app_id)
        ended = await asyncio.shield(ending)
    if ended.why is Why.UNSTARTABLE:
        out(f" !     It could not be started: {ended.detail}")
    return ended.exit_code
