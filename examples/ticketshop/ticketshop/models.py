"""The tables. What must never happen is forbidden here, by constraints: no code can then make it happen.

Money is whole cents in integers. Every default is the database's own, so that a row inserted by hand in `pg:psql` is as
good as one of ours.
"""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship
from werkzeug.security import check_password_hash, generate_password_hash

from .extensions import Base


class Moment(TypeDecorator[datetime]):
    """A point in time. SQLite forgets time zones, so what it returns is told again that it is UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value and (value if value.tzinfo else value.replace(tzinfo=UTC))


class Account(Base):
    """Somebody with a wallet. `generation` is part of every token: raising it ends all of them."""

    __tablename__ = "accounts"
    __table_args__ = (CheckConstraint("balance_cents >= 0", name="accounts_never_overspend"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(60))
    password_hash: Mapped[str] = mapped_column(String(255))
    balance_cents: Mapped[int] = mapped_column(BigInteger, server_default="0")
    is_admin: Mapped[bool] = mapped_column(server_default=false())
    generation: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[datetime] = mapped_column(Moment, server_default=func.now())

    def set_password(self, password: str) -> None:
        self.password_hash = generate_password_hash(password)

    def has_password(self, password: str) -> bool:
        return check_password_hash(self.password_hash, password)


class Event(Base):
    """Something to go to. `sold` counts; `tickets` are what was counted."""

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint("sold >= 0 AND sold <= capacity", name="events_never_oversell"),
        CheckConstraint("price_cents >= 0", name="events_price"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    venue: Mapped[str] = mapped_column(String(120))
    description: Mapped[str] = mapped_column(Text, server_default="")
    starts_at: Mapped[datetime] = mapped_column(Moment, index=True)
    price_cents: Mapped[int] = mapped_column(BigInteger)
    capacity: Mapped[int]
    sold: Mapped[int] = mapped_column(server_default="0")


class Order(Base):
    """A purchase. A buyer's `key` can be used once: whoever sends it again gets the order that it made."""

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("account_id", "key", name="orders_once_per_key"),
        CheckConstraint("quantity > 0", name="orders_quantity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    quantity: Mapped[int]
    total_cents: Mapped[int] = mapped_column(BigInteger)
    key: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(Moment, server_default=func.now())

    event: Mapped[Event] = relationship()
    tickets: Mapped[list[Ticket]] = relationship(order_by="Ticket.number")


class Ticket(Base):
    """A place at an event. Each number exists once per event, whatever happens."""

    __tablename__ = "tickets"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)


class Entry(Base):
    """A line of an account's statement. The entries of an account add up to its balance, always."""

    __tablename__ = "entries"
    __table_args__ = (UniqueConstraint("account_id", "key", name="entries_once_per_key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    text: Mapped[str] = mapped_column(String(200))
    key: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(Moment, server_default=func.now())
