"""The formation: how many dynos of which process type and size.

https://devcenter.heroku.com/articles/scaling, https://devcenter.heroku.com/articles/procfile. The commands of the
process types are the current slug's; a formation is read against them, so that a rollback to a release without a
worker runs none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.dynos import sizes
from homeport.errors import Invalid, NotFound
from homeport.state import App, Crash, Formation, Slug, touch

LIMIT = 100
"""Dynos of one process type (Heroku's own limit for Standard dynos)."""

_QUANTITY = re.compile(r"[+-]?[0-9]{1,6}")


@dataclass(frozen=True)
class Update:
    """A wish for one process type. `quantity` is absolute ("2", 2) or relative ("+1", "-1"); None leaves it."""

    type: str
    quantity: str | int | None = None
    size: str | None = None


@dataclass(frozen=True)
class Scale:
    """How many, how large."""

    quantity: int
    size: str = sizes.DEFAULT


def align(present: Mapping[str, Scale], process_types: Iterable[str]) -> dict[str, Scale]:
    """The formation for these process types, pure: known ones stay, a new `web` starts with 1, others with 0."""
    return {
        name: present.get(name) or Scale(quantity=1 if name == "web" else 0)
        for name in sorted(process_types, key=lambda name: (name != "web", name))
    }


def scales(session: Session, app: App) -> dict[str, Scale]:
    """The formation as it was last set, whether or not the current slug has these process types."""
    rows = session.scalars(select(Formation).where(Formation.app_id == app.id))
    return {row.type: Scale(row.quantity, row.size) for row in rows}


def commands(session: Session, app: App) -> dict[str, str]:
    """The commands of the current release's process types; empty before the first deploy."""
    current = session.get_one(App, app.id).current_release
    return dict(current.slug.process_types) if current is not None and current.slug is not None else {}


def formation(session: Session, app: App) -> list[Formation]:
    """One row per process type of the current release, web first."""
    return _rows(session, app, commands(session, app))


def align_formation(session: Session, app: App, slug: Slug) -> list[Formation]:
    """Make the formation fit a new slug: new types get their first quantity, types that are gone are dropped."""
    for row in session.scalars(select(Formation).where(Formation.app_id == app.id)).all():
        if row.type not in slug.process_types:
            session.delete(row)
    rows = _rows(session, app, slug.process_types)
    touch(session, app.id)
    return rows


def scale(session: Session, app: App, updates: Sequence[Update], *, slug: Slug | None = None) -> list[Formation]:
    """Carry out all of the updates or none, and return the rows they named.

    The process types are those of `slug`, or else the current release's.
    Raises `NotFound` for a process type that the app does not have, `Invalid` for a quantity or size that cannot be.
    """
    types = slug.process_types if slug is not None else commands(session, app)
    rows = {row.type: row for row in _rows(session, app, types)}
    wanted = {name: Scale(row.quantity, row.size) for name, row in rows.items()}
    for update in updates:
        if update.type not in wanted:
            raise _unknown_type(update.type, wanted)
        wanted[update.type] = _apply(wanted[update.type], update)
    for update in updates:
        row, scale = rows[update.type], wanted[update.type]
        if (row.quantity, row.size) != (scale.quantity, scale.size):
            row.quantity, row.size = scale.quantity, scale.size
            _forget_crashes(session, app, update.type)
    app.asleep_release_id = None  # who scales wants to see it run
    session.flush()
    touch(session, app.id)
    return [rows[name] for name in dict.fromkeys(update.type for update in updates)]


def _apply(scale: Scale, update: Update) -> Scale:
    quantity = scale.quantity if update.quantity is None else _quantity(scale.quantity, update)
    if quantity and update.type == "release":
        raise Invalid(
            "The release process type can't be scaled.",
            why="Its command runs once in every new release, before any traffic.",
            fix="Run it by hand with `heroku run release`.",
        )
    size = scale.size if update.size is None else sizes.find(update.size).name
    return Scale(quantity, size)


def _quantity(current: int, update: Update) -> int:
    text = str(update.quantity).strip()
    relative = isinstance(update.quantity, str) and text[:1] in ("+", "-")
    if isinstance(update.quantity, bool) or not _QUANTITY.fullmatch(text):
        raise Invalid(
            f"{text[:40]!r} is not a quantity for {update.type}.",
            fix="Use a whole number, or +N or -N to change it: `heroku ps:scale web=2 worker+1`.",
        )
    quantity = current + int(text) if relative else int(text)
    if not 0 <= quantity <= LIMIT:
        raise Invalid(f"Cannot scale {update.type} to {quantity}.", fix=f"Use a quantity from 0 to {LIMIT}.")
    return quantity


def _unknown_type(type: str, known: Iterable[str]) -> NotFound:
    types = ", ".join(known)
    fix = (
        f"This app's process types are: {types}. They come from its Procfile."
        if types
        else "This app has none yet: deploy it first, with `git push heroku main`."
    )
    return NotFound("formation", f"Couldn't find that process type ({type[:60]}).", fix=fix)


def _rows(session: Session, app: App, process_types: Iterable[str]) -> list[Formation]:
    present = {row.type: row for row in session.scalars(select(Formation).where(Formation.app_id == app.id))}
    aligned = align({name: Scale(row.quantity, row.size) for name, row in present.items()}, process_types)
    for name in aligned.keys() - present.keys():
        row = Formation(app_id=app.id, type=name, quantity=aligned[name].quantity, size=aligned[name].size)
        session.add(row)
        present[name] = row
    session.flush()
    return [present[name] for name in aligned]


def _forget_crashes(session: Session, app: App, type: str) -> None:
    """A new quantity or size is a new start: nobody who scales wants to wait for an old cool-off period."""
    for crash in session.scalars(select(Crash).where(Crash.app_id == app.id)).all():
        if crash.slot.partition(".")[0] == type:
            session.delete(crash)
