"""GET /api/wallet · POST /api/wallet/deposits"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from . import reading
from .extensions import db
from .models import Account, Entry
from .tokens import for_members

blueprint = Blueprint("wallet", __name__, url_prefix="/api/wallet")

LARGEST_DEPOSIT = 500_00  # cents


@blueprint.get("")
@for_members
def show() -> ResponseReturnValue:
    return statement(g.account.id)


@blueprint.post("/deposits")
@for_members
def deposit() -> ResponseReturnValue:
    """Play money. A real shop would wait here for its payment provider to say that the money has arrived."""
    amount = reading.whole(reading.body(), "amount_cents", least=1, most=LARGEST_DEPOSIT)
    key, account_id = reading.idempotency_key(), g.account.id
    db.session.add(Entry(account_id=account_id, amount_cents=amount, text="Topped up", key=f"deposit {key}"[:80]))
    try:
        db.session.flush()
    except IntegrityError:  # this deposit was made before: nothing to add
        db.session.rollback()
        return statement(account_id)
    # `balance_cents + :amount` is computed by the database, under the row's lock. Reading the balance, adding to it in
    # Python and writing it back would lose one of two deposits that arrive together.
    db.session.execute(
        update(Account).where(Account.id == account_id).values(balance_cents=Account.balance_cents + amount)
    )
    db.session.commit()
    return statement(account_id), 201


def statement(account_id: int) -> dict[str, Any]:
    account = db.session.get_one(Account, account_id, populate_existing=True)
    latest = select(Entry).where(Entry.account_id == account_id).order_by(Entry.id.desc()).limit(100)
    return {
        "balance_cents": account.balance_cents,
        "entries": [
            {"id": entry.id, "text": entry.text, "amount_cents": entry.amount_cents, "at": entry.created_at.isoformat()}
            for entry in db.session.scalars(latest)
        ],
    }
