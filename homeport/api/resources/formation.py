"""The formation and its dyno sizes: `ps:scale`, `ps:type`."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from homeport import dynos
from homeport.api.exchange import Call, Reply
from homeport.api.fields import Fields
from homeport.api.ranges import Keys
from homeport.api.shapes import GENERATION, Shape, app_ref, fixed_id, named, stamp
from homeport.dynos import Size
from homeport.errors import Invalid, NotFound
from homeport.state import App, Formation

KEYS: Keys[Formation] = {"type": lambda row: row.type, "id": lambda row: row.id}
SIZE_KEYS: Keys[Size] = {"name": lambda size: size.name, "id": lambda size: fixed_id("dyno-size", size.name)}


def shape(app: App, row: Formation) -> Shape:
    slug = app.current_release.slug if app.current_release else None
    return {
        "app": app_ref(app),
        "command": slug.process_types.get(row.type, "") if slug else "",
        "created_at": stamp(row.created_at),
        "dyno_size": named("dyno-size", row.size),
        "id": row.id,
        "quantity": row.quantity,
        "size": row.size,
        "type": row.type,
        "updated_at": stamp(row.updated_at),
    }


def index(call: Call, session: Session) -> Reply:
    return call.listing(dynos.formation(session, call.app), lambda row: shape(call.app, row), KEYS)


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(call.app, _find(call, session)))


def update(call: Call, session: Session) -> Reply:
    """All the updates or none; quantities may be strings and relative ("+1")."""
    wishes = [_wish(item, _type(call, session, item.text("type"))) for item in call.body.items("updates")]
    rows = _scale(call, session, wishes)
    return Reply([shape(call.app, row) for row in rows])


def update_one(call: Call, session: Session) -> Reply:
    rows = _scale(call, session, [_wish(call.body, _find(call, session).type)])
    return Reply(shape(call.app, rows[0]))


def _scale(call: Call, session: Session, wishes: Sequence[dynos.Update]) -> list[Formation]:
    rows = dynos.scale(session, call.app, wishes)
    if rows:
        call.say("Scaled to " + " ".join(f"{row.type}@{row.quantity}:{row.size}" for row in rows))
    return rows


def _wish(body: Fields, type: str) -> dynos.Update:
    quantity = body.values.get("quantity")
    if isinstance(quantity, bool) or not isinstance(quantity, str | int | None):
        raise Invalid("quantity must be a whole number, or +N or -N.")
    return dynos.Update(type, quantity, body.reference("size") or _size(body))


def _size(body: Fields) -> str | None:
    """`dyno_size`, by name, or by the id that /dyno-sizes gave it."""
    wanted = body.reference("dyno_size")
    for size in dynos.sizes.every():
        if wanted == fixed_id("dyno-size", size.name):
            return size.name
    return wanted


def _type(call: Call, session: Session, type_or_id: str) -> str:
    """A process type may also be named by the id of its formation."""
    return next((row.type for row in dynos.formation(session, call.app) if row.id == type_or_id), type_or_id)


def _find(call: Call, session: Session) -> Formation:
    wanted = call.params["type"]
    for row in dynos.formation(session, call.app):
        if wanted in (row.type, row.id):
            return row
    raise NotFound("formation", "Couldn't find that process type.")


def size_shape(size: Size) -> Shape:
    return {
        "architecture": "x86_64",
        "compute": size.processors,
        "cost": None,
        "dedicated": size.name.startswith(("Performance", "Private", "Shield")),
        "generation": GENERATION,
        "id": fixed_id("dyno-size", size.name),
        "memory": size.memory / 1024,
        "name": size.name,
        "precise_dyno_units": 0.0,
        "private_space_only": False,
    }


def sizes(call: Call, _session: Session) -> Reply:
    return call.listing(dynos.sizes.every(), size_shape, SIZE_KEYS)


def size(call: Call, _session: Session) -> Reply:
    wanted = call.params["size"]
    for size in dynos.sizes.every():
        if wanted.lower() == size.name.lower() or wanted == fixed_id("dyno-size", size.name):
            return Reply(size_shape(size))
    raise NotFound("dyno_size", "Couldn't find that dyno size.")
