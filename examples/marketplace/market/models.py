"""The tables: people, categories, and items, each at a place on the earth."""

from __future__ import annotations

from datetime import datetime

from geoalchemy2 import Geography, Geometry
from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, String, Text, cast, func
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship
from werkzeug.security import check_password_hash, generate_password_hash

from .extensions import Base


class Account(Base):
    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str] = mapped_column(String(255))

    def set_password(self, password: str) -> None:
        self.password_hash = generate_password_hash(password)

    def has_password(self, password: str) -> bool:
        return check_password_hash(self.password_hash, password)


class Category(Base):
    __tablename__ = "categories"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(60))


class Item(Base):
    """Something for sale. `picture` is the name under which storage.py keeps it, or nothing.

    `place` is a geography: points on the round earth, distances in metres. A geometry would measure in degrees, which
    are long at the equator and short in Oslo. Its GiST index answers both "within 25 km" and "the nearest first".
    """

    __tablename__ = "items"
    __table_args__ = (
        Index("items_place", "place", postgresql_using="gist"),
        CheckConstraint("price_cents >= 0", name="items_price"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    seller_id: Mapped[int] = mapped_column(ForeignKey("accounts.id"), index=True)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id"), index=True)
    title: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(Text, server_default="")
    price_cents: Mapped[int] = mapped_column(BigInteger)
    place_name: Mapped[str] = mapped_column(String(80))
    place = mapped_column(Geography("POINT", srid=4326, spatial_index=False), nullable=False)
    picture: Mapped[str | None] = mapped_column(String(40))
    posted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)

    seller: Mapped[Account] = relationship()
    category: Mapped[Category] = relationship()

    latitude: Mapped[float] = column_property(func.ST_Y(cast(place, Geometry("POINT", srid=4326))))
    longitude: Mapped[float] = column_property(func.ST_X(cast(place, Geometry("POINT", srid=4326))))
