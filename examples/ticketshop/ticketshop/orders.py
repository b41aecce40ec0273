"""GET, POST /api/orders"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from . import events, reading
from .extensions import db
from .models import Order
from .purchase import buy
from .tokens import for_members

blueprint = Blueprint("orders", __name__, url_prefix="/api/orders")

MOST_AT_ONCE = 8


@blueprint.get("")
@for_members
def index() -> ResponseReturnValue:
    mine = select(Order).where(Order.account_id == g.account.id).order_by(Order.id.desc()).limit(100)
    orders = db.session.scalars(mine.options(selectinload(Order.event), selectinload(Order.tickets)))
    return {"orders": [shown(order) for order in orders]}


@blueprint.post("")
@for_members
def order() -> ResponseReturnValue:
    sent = reading.body()
    bought = buy(
        db.session,
        account_id=g.account.id,
        event_id=reading.whole(sent, "event_id", least=1, most=2**31 - 1),
        quantity=reading.whole(sent, "quantity", least=1, most=MOST_AT_ONCE),
        key=reading.idempotency_key(),
    )
    return shown(bought), 201


def shown(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "event": events.shown(order.event),
        "quantity": order.quantity,
        "total_cents": order.total_cents,
        "tickets": [ticket.number for ticket in order.tickets],
        "at": order.created_at.isoformat(),
    }
