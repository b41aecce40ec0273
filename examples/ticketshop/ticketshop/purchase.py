"""Buying tickets: the heart of the shop.

Many processes on many dynos sell the same tickets at the same moment. A lock inside one process guards nothing then;
the only place that all of them share is the database. So it decides, in one transaction:

1. The order claims the buyer's idempotency key. A retry of the same purchase waits here for the first to end, and gets
   its order.
2. `UPDATE events SET sold = sold + n WHERE … sold + n <= capacity` takes the tickets if there are enough. The condition
   and the change are one statement under the row's lock: between them nobody else can buy.
3. `UPDATE accounts SET balance = balance - total WHERE … balance >= total` takes the money, in the same way.
4. The tickets and the line of the statement are written down.

If any step finds that it cannot be, everything is rolled back, the claim of the key too. Everybody takes the locks in
this order, so no two purchases can wait for each other in a circle. The constraints in models.py say the same again.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, scoped_session

from .models import Account, Entry, Event, Order, Ticket
from .problems import Problem

Database = Session | scoped_session[Session]


def buy(session: Database, *, account_id: int, event_id: int, quantity: int, key: str) -> Order:
    """The order that was made, or the one that this key has made before.

    Raises `Problem`: `not_found`, `key_reused`, `over`, `sold_out`, `overspent`.
    """
    event = session.get(Event, event_id)
    if event is None:
        raise Problem(404, "not_found", "There is no such event.")
    total, title = quantity * event.price_cents, event.title
    try:
        order = _claim(session, account_id, event_id, quantity, total, key)
    except IntegrityError:
        session.rollback()
        return _bought_before(session, account_id, event_id, quantity, key)
    try:
        last = _take_tickets(session, event_id, quantity)
        _take_money(session, account_id, total)
    except Problem:
        session.rollback()
        raise
    numbers = range(last - quantity + 1, last + 1)
    session.add_all(Ticket(event_id=event_id, number=number, order_id=order.id) for number in numbers)
    if total:
        bill = f"{quantity} × {title}"
        session.add(Entry(account_id=account_id, amount_cents=-total, text=bill, key=f"order {order.id}"))
    session.commit()
    return order


def _claim(session: Database, account_id: int, event_id: int, quantity: int, total: int, key: str) -> Order:
    order = Order(account_id=account_id, event_id=event_id, quantity=quantity, total_cents=total, key=key)
    session.add(order)
    session.flush()
    return order


def _bought_before(session: Database, account_id: int, event_id: int, quantity: int, key: str) -> Order:
    order = session.scalars(select(Order).where(Order.account_id == account_id, Order.key == key)).one()
    if (order.event_id, order.quantity) != (event_id, quantity):
        raise Problem(409, "key_reused", "This Idempotency-Key has bought something else. Take a new one per purchase.")
    return order


def _take_tickets(session: Database, event_id: int, quantity: int) -> int:
    """The number of the last ticket that is ours now."""
    last = session.scalar(
        update(Event)
        .where(Event.id == event_id, Event.sold + quantity <= Event.capacity, Event.starts_at > datetime.now(UTC))
        .values(sold=Event.sold + quantity)
        .returning(Event.sold)
        .execution_options(synchronize_session=False)
    )
    if last is not None:
        return last
    event = session.get_one(Event, event_id, populate_existing=True)
    if event.starts_at <= datetime.now(UTC):
        raise Problem(409, "over", "This event has begun.")
    left = event.capacity - event.sold
    raise Problem(409, "sold_out", f"Only {left} left: somebody was faster." if left else "Sold out.")


def _take_money(session: Database, account_id: int, total: int) -> None:
    paid = session.scalar(
        update(Account)
        .where(Account.id == account_id, Account.balance_cents >= total)
        .values(balance_cents=Account.balance_cents - total)
        .returning(Account.id)
        .execution_options(synchronize_session=False)
    )
    if paid is None:
        raise Problem(402, "overspent", "There is not enough money in your wallet. Top it up.")
