"""GET, POST /api/events · GET /api/events/1"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from . import reading
from .extensions import db
from .models import Event
from .problems import Problem
from .tokens import for_admins

blueprint = Blueprint("events", __name__, url_prefix="/api/events")


@blueprint.get("")
def index() -> ResponseReturnValue:
    coming = select(Event).where(Event.starts_at > datetime.now(UTC)).order_by(Event.starts_at, Event.id)
    return {"events": [shown(event) for event in db.session.scalars(coming.limit(100))]}


@blueprint.get("/<int:number>")
def show(number: int) -> ResponseReturnValue:
    return shown(find(number))


@blueprint.post("")
@for_admins
def announce() -> ResponseReturnValue:
    sent = reading.body()
    event = Event(
        title=reading.text(sent, "title", longest=120),
        venue=reading.text(sent, "venue", longest=120),
        description=reading.text(sent, "description", shortest=0, longest=2000),
        starts_at=reading.moment(sent, "starts_at"),
        price_cents=reading.whole(sent, "price_cents", least=0, most=1_000_00),
        capacity=reading.whole(sent, "capacity", least=1, most=10_000),
    )
    db.session.add(event)
    db.session.commit()
    return shown(event), 201


def find(number: int) -> Event:
    event = db.session.get(Event, number) if number < 2**31 else None
    if event is None:
        raise Problem(404, "not_found", "There is no such event.")
    return event


def shown(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "title": event.title,
        "venue": event.venue,
        "description": event.description,
        "starts_at": event.starts_at.isoformat(),
        "price_cents": event.price_cents,
        "capacity": event.capacity,
        "sold": event.sold,
        "left": event.capacity - event.sold,
    }
