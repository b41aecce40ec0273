"""What people ask about and of dynos: `ps`, `ps:restart`, `ps:stop`. Verbs over a session.

They leave marks; the plan does the rest, also after a restart of the platform in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.dynos import idling, rows
from homeport.dynos.formations import commands
from homeport.dynos.situation import Slot
from homeport.dynos.states import State
from homeport.errors import NotFound
from homeport.state import App, Dyno, touch


class Order(Protocol):
    """`restart` or `stop`: of one dyno, of a type, or of all. Returns those that it meant."""

    def __call__(
        self,
        session: Session,
        app: App,
        *,
        dyno: str | None = None,
        type: str | None = None,
        now: datetime,
        stop_by: datetime,
    ) -> list[Dyno]: ...


def running(session: Session, app: App) -> list[Dyno]:
    """The app's dynos as people see them, one per name: a replacement in place of the one it replaces, and nothing
    of a release that is still on trial."""
    shown: dict[str, Dyno] = {}
    for dyno in _dynos(session, app):
        before = shown.get(dyno.name)
        if before is None or _presence(dyno) >= _presence(before):
            shown[dyno.name] = dyno
    return sorted(shown.values(), key=lambda dyno: (dyno.type != "web", dyno.type, rows.number(dyno)))


def _presence(dyno: Dyno) -> tuple[bool, bool]:
    return rows.is_one_off(dyno) or dyno.release.status == "succeeded", dyno.state != State.DOWN.value


def serving(session: Session, app: App) -> list[Dyno]:
    """The web dynos that requests may go to now; each has a `host` and a `port`."""
    return [
        dyno
        for dyno in _dynos(session, app)
        if dyno.type == "web"
        and dyno.state == State.UP.value
        and dyno.host is not None
        and not rows.is_one_off(dyno)
        and dyno.release.status == "succeeded"
    ]


def find_dyno(session: Session, app: App, name_or_id: str) -> Dyno:
    """Raises `NotFound`."""
    for dyno in running(session, app):
        if name_or_id in (dyno.name, dyno.id):
            return dyno
    raise NotFound("dyno", "Couldn't find that dyno.", fix="`heroku ps` lists those that there are.")


def restart(
    session: Session, app: App, *, dyno: str | None = None, type: str | None = None, now: datetime, stop_by: datetime
) -> list[Dyno]:
    """Replace the dynos of the formation, one of them, or those of a type. A web dyno serves until its replacement
    does. A one-off has no replacement: it ends. An app that sleeps wakes. Raises `NotFound`."""
    chosen = _chosen(session, app, dyno=dyno, type=type)
    idling.rouse(session, app)
    for each in chosen:
        rows.forget_crashes(session, app.id, each.name)
        if each.type == "web" and each.state == State.UP.value and not rows.is_one_off(each):
            _succeed(session, app, each, now)
        else:
            _dismiss(session, each, now=now, stop_by=stop_by)
    touch(session, app.id)
    return chosen


def stop(
    session: Session, app: App, *, dyno: str | None = None, type: str | None = None, now: datetime, stop_by: datetime
) -> list[Dyno]:
    """End one dyno or those of a type now. The formation's are started anew, as on Heroku: to have fewer, scale.

    https://devcenter.heroku.com/articles/dyno-restarts#manual-restarts. Raises `NotFound`.
    """
    chosen = _chosen(session, app, dyno=dyno, type=type)
    for each in chosen:
        rows.forget_crashes(session, app.id, each.name)
    names = {each.name for each in chosen}
    for each in _dynos(session, app):  # also one that is being replaced: it would go on serving
        if each.name in names:
            _dismiss(session, each, now=now, stop_by=stop_by)
    touch(session, app.id)
    return chosen


def _chosen(session: Session, app: App, *, dyno: str | None, type: str | None) -> list[Dyno]:
    if dyno is not None:
        return [find_dyno(session, app, dyno)]
    present = running(session, app)
    if type is None:
        return [each for each in present if not rows.is_one_off(each)]
    if type not in commands(session, app) and all(each.type != type for each in present):
        raise NotFound("formation", f"Couldn't find that process type ({type[:60]}).")
    return [each for each in present if each.type == type]


def _succeed(session: Session, app: App, dyno: Dyno, now: datetime) -> None:
    """A second dyno in the same slot: the plan lets go of the first once the second is up."""
    if dyno.release_id != app.current_release_id:
        return  # it is being replaced already
    slot = Slot(dyno.type, rows.number(dyno), dyno.size, dyno.command)
    # A plan takes the newest for the target, and clocks may stand still.
    rows.create(session, app.id, dyno.release_id, slot, now=max(now, dyno.created_at + timedelta(microseconds=1)))


def _dismiss(session: Session, dyno: Dyno, *, now: datetime, stop_by: datetime) -> None:
    if dyno.state != State.DOWN.value:
        rows.mark_down(session, dyno.id, now=now, stop_by=stop_by)


def _dynos(session: Session, app: App) -> Sequence[Dyno]:
    return session.scalars(select(Dyno).where(Dyno.app_id == app.id).order_by(Dyno.created_at, Dyno.id)).all()
