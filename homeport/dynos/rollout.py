"""Bringing a release up beside the one that serves, and telling who pushed it how that goes."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import releases
from homeport.dynos import orders, rows, words
from homeport.dynos.actions import Why
from homeport.dynos.board import Board, Candidate, Change
from homeport.dynos.hands import Parts
from homeport.dynos.states import State
from homeport.errors import Conflict, NotFound
from homeport.state import App, Dyno, Release

INDENT = "       "


@dataclass(frozen=True)
class RolloutResult:
    """`reason` is a sentence without its full stop, empty when `ok`; `lines` are the failed dyno's last."""

    ok: bool
    reason: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Progress:
    """Of the slots that the release is to fill, those whose dyno is up."""

    app_id: str
    names: frozenset[str]
    up: frozenset[str]
    config: str


async def run(
    parts: Parts, board: Board, release_id: str, out: Callable[[str], None], wake: Callable[[str], None]
) -> RolloutResult:
    """Raises `Conflict` when the release is not pending (any more), `NotFound` when its app is gone."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    progress = await parts.database.run(_progress, release_id)
    app_id, ok, told = progress.app_id, False, progress.up
    with board.watch(release_id) as changes:
        candidate = board.candidates[app_id] = Candidate(release_id, progress.config)
        wake(app_id)
        try:
            while not progress.names <= progress.up:
                change = await _next(changes)
                if change is not None and change.state is State.CRASHED:
                    return _failed(parts, change, out)
                if change is not None and change.detail:
                    out(f" !     {change.name} {change.detail}.")
                    out(f" !     With {rows.HEALTH_PATH} set to a path of the app, such a release is refused.")
                progress = await parts.database.run(_progress, release_id)
                for name in sorted(progress.up - told):
                    out(f"{INDENT}{name} up in {loop.time() - started:.1f} s")
                told |= progress.up
            ok = True
        finally:
            # Once up it stays the candidate until it is current: nobody may take its dynos away meanwhile.
            if not ok and board.candidates.get(app_id) == candidate:
                del board.candidates[app_id]
                wake(app_id)
    return RolloutResult(ok=True)


async def _next(changes: asyncio.Queue[Change]) -> Change | None:
    """None from time to time: the formation may have been scaled, the app destroyed, and nobody says so here."""
    try:
        async with asyncio.timeout(1.0):
            return await changes.get()
    except TimeoutError:
        return None


def _progress(session: Session, release_id: str) -> _Progress:
    release = session.get(Release, release_id)
    if release is None:
        raise NotFound("release", "The app was destroyed while its release was coming up.")
    if release.status != "pending":
        raise Conflict(f"v{release.version} is not pending: it has {release.status}.")
    app = session.get_one(App, release.app_id)
    slots = rows.generation(session, app, release, only="web").slots
    up = session.scalars(
        select(Dyno.name).where(Dyno.release_id == release_id, Dyno.type == "web", Dyno.state == State.UP.value)
    )
    return _Progress(app.id, frozenset(slot.name for slot in slots), frozenset(up), _digest(session, release))


def settle(session: Session, candidate: Candidate, *, now: datetime, stop_by: datetime) -> None:
    """What is left to do when a candidate is no longer pending.

    Config vars that were changed while its dynos came up are in the release, but not in those dynos.
    """
    release = session.get(Release, candidate.release_id)
    if release is None or release.status != "succeeded" or _digest(session, release) == candidate.config:
        return
    app = session.get_one(App, release.app_id)
    for dyno in orders.running(session, app):
        if dyno.type == "web" and dyno.release_id == release.id and not rows.is_one_off(dyno):
            orders.restart(session, app, dyno=dyno.name, now=now, stop_by=stop_by)


def _digest(session: Session, release: Release) -> str:
    variables = json.dumps(releases.variables(session, release), sort_keys=True)
    return hashlib.sha256(variables.encode()).hexdigest()


def _failed(parts: Parts, change: Change, out: Callable[[str], None]) -> RolloutResult:
    lines = tuple(parts.outputs.tail(change.dyno_id))
    reason = words.failure(change.name, change.why or Why.EXITED, change.exit_code, change.detail, parts.limits.boot)
    out("")
    out(f" !     {reason}." if lines else f" !     {reason}, and printed nothing.")
    if lines:
        out(f" !     The last that {change.name} printed:")
        out("")
    for line in lines:
        out(f"{INDENT}{line}")
    return RolloutResult(ok=False, reason=reason, lines=lines)
