"""What is near? The one interesting query, and how to ask it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from geoalchemy2 import Geography
from sqlalchemy import Float, Select, cast, func, null, or_, select
from sqlalchemy.orm import joinedload

from . import gazetteer, tracking
from .gazetteer import Place
from .models import Category, Item

RADII = (5, 25, 100, 500)  # km
FARTHEST = 20_000  # km: the other side of the earth


@dataclass(frozen=True)
class Search:
    """What somebody looks for. Without `near` the newest come first; with it, the nearest."""

    words: str = ""
    category: str = ""
    near: Place | None = None
    within: float | None = 25  # km; None is anywhere


def read(asked: Mapping[str, str]) -> Search:
    """From the query of an address. Raises `ValueError` with a sentence for people, `gazetteer.Unknown`."""
    near = locate(asked["near"]) if asked.get("near", "").strip() else None
    try:
        within = float(asked.get("within") or 25)
    except ValueError:
        within = -1
    if not 0 < within <= FARTHEST:  # NaN is refused too: it compares as false
        raise ValueError(f"within is a distance in km, up to {FARTHEST}.")
    # NUL is a character for Python and none for Postgres.
    words, category = (asked.get(name, "").replace("\0", "")[:100].strip() for name in ("q", "category"))
    return Search(words, category, near, within)


def locate(asked: str) -> Place:
    """Where is that? Raises `gazetteer.Unknown`, and reports it: the table may need another line."""
    try:
        return gazetteer.find(asked)
    except gazetteer.Unknown as unknown:
        tracking.notice("geocoding failed", place=unknown.asked)
        raise


def items(search: Search) -> Select[tuple[Item, float | None]]:
    """Rows of an item and its distance in km (None when no place was named)."""
    distance = cast(null(), Float)
    order = [Item.posted_at.desc(), Item.id.desc()]
    query = select(Item).options(joinedload(Item.category, innerjoin=True), joinedload(Item.seller, innerjoin=True))
    if search.near:
        here = point(search.near)
        distance = func.ST_Distance(Item.place, here) / 1000
        # The index serves both questions. With a circle it finds what is inside, and that little is sorted (the id keeps
        # pages apart that begin in the middle of equals). Without one it hands out the items from the point outwards,
        # and stops at the limit; any second column to sort by would make Postgres read and sort the whole table.
        order = [Item.place.op("<->")(here)]
        if search.within is not None:
            query = query.where(func.ST_DWithin(Item.place, here, search.within * 1000))
            order.append(Item.id)
    if search.category:
        query = query.join(Item.category).where(Category.slug == search.category)
    if search.words:
        # icontains is ILIKE, which ignores case, and takes % and _ literally.
        words = search.words
        query = query.where(
            or_(Item.title.icontains(words, autoescape=True), Item.description.icontains(words, autoescape=True))
        )
    return query.add_columns(distance.label("distance")).order_by(*order)


def neighbours(item: Item, count: int = 4) -> Select[tuple[Item, float | None]]:
    """The others that are nearest to this item, however far."""
    here = Place(item.place_name, item.latitude, item.longitude)
    return items(Search(near=here, within=None)).where(Item.id != item.id).limit(count)


def point(place: Place) -> object:
    """A place as PostGIS has it. Mind the order: x is the longitude."""
    return cast(func.ST_SetSRID(func.ST_MakePoint(place.longitude, place.latitude), 4326), Geography("POINT", srid=4326))
