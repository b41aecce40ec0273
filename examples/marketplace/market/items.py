"""The pages: look around, look closer, sell, take back."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from flask import Blueprint, abort, current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from . import gazetteer, pictures, search, storage
from .accounts import for_members
from .extensions import db
from .models import Category, Item

blueprint = Blueprint("items", __name__)

MOST = Decimal(1_000_000)  # euros


@dataclass(frozen=True)
class Page:
    """Some rows of an item and its distance, and whether there are more."""

    rows: list[tuple[Item, float | None]]
    number: int
    more: bool


def page_of(wanted: search.Search, number: int) -> Page:
    size = current_app.config["ITEMS_PER_PAGE"]
    number = min(max(number, 1), 1000)
    # One row more than is shown tells whether there is a next page, without counting all of them.
    rows = db.session.execute(search.items(wanted).limit(size + 1).offset((number - 1) * size)).all()
    return Page([(item, distance) for item, distance in rows[:size]], number, len(rows) > size)


def categories() -> list[Category]:
    return list(db.session.scalars(select(Category).order_by(Category.name)))


@blueprint.app_template_filter("money")
def money(cents: int) -> str:
    if cents == 0:
        return "free"
    return f"€{cents // 100:,}" if cents % 100 == 0 else f"€{cents / 100:,.2f}"


@blueprint.app_template_filter("distance")
def distance(km: float) -> str:
    if km < 1:
        return "under 1 km"
    return f"{km:.1f} km" if km < 10 else f"{km:,.0f} km"


@blueprint.get("/")
def index() -> ResponseReturnValue:
    try:
        wanted = search.read(request.args)
    except (ValueError, gazetteer.Unknown) as problem:
        flash(str(problem))
        wanted = search.Search()
    page = page_of(wanted, request.args.get("page", 1, int))
    return render_template(
        "index.html", page=page, wanted=wanted, categories=categories(), radii=search.RADII, places=gazetteer.names()
    )


@blueprint.get("/items/<int:number>")
def show(number: int) -> ResponseReturnValue:
    item = find(number)
    neighbours = db.session.execute(search.neighbours(item)).all()
    return render_template("show.html", item=item, neighbours=neighbours)


@blueprint.route("/sell", methods=["GET", "POST"])
@for_members
def sell() -> ResponseReturnValue:
    if request.method == "POST":
        try:
            item = Item(seller_id=g.account.id, **checked(request.form))
            file = request.files.get("picture")
            picture = pictures.read(file.stream) if file and file.filename else None
        except (ValueError, gazetteer.Unknown) as problem:
            flash(str(problem))
        else:
            if picture:
                try:
                    item.picture = storage.keep(picture)
                except storage.Unavailable:
                    flash("Your item is for sale, but its picture could not be kept. We have been told.")
            db.session.add(item)
            db.session.commit()
            return redirect(url_for("items.show", number=item.id))
    return render_template("sell.html", categories=categories(), places=gazetteer.names())


@blueprint.get("/mine")
@for_members
def mine() -> ResponseReturnValue:
    rows = db.session.execute(search.items(search.Search()).where(Item.seller_id == g.account.id).limit(200)).all()
    return render_template("mine.html", rows=rows)


@blueprint.post("/items/<int:number>/delete")
@for_members
def delete(number: int) -> ResponseReturnValue:
    item = find(number)
    if item.seller_id != g.account.id:
        abort(403, "Only its seller can take an item back.")
    picture = item.picture
    db.session.delete(item)
    db.session.commit()
    # The row first: a picture without an item is waste, an item without its picture would be broken.
    if picture:
        try:
            storage.forget(picture)
        except storage.Unavailable:
            flash("The item is gone; its picture will be taken away later.")
    return redirect(url_for("items.mine"))


def find(number: int) -> Item:
    item = db.session.get(Item, number) if number < 2**31 else None
    if item is None:
        abort(404, "There is no such item, or not any more.")
    return item


def checked(form: Any) -> dict[str, Any]:
    """The columns of an item, from what somebody typed. Raises `ValueError` and `gazetteer.Unknown` for them to read."""
    names = ("title", "description", "price", "category", "place")
    texts = {name: form.get(name, "").replace("\0", "").strip() for name in names}
    if not 1 <= len(texts["title"]) <= 80:
        raise ValueError("A title has 1 to 80 characters.")
    if len(texts["description"]) > 2000:
        raise ValueError("A description has at most 2000 characters.")
    category = db.session.scalar(select(Category).where(Category.slug == texts["category"]))
    if category is None:
        raise ValueError("Choose a category.")
    place = search.locate(texts["place"])
    return {
        "title": texts["title"],
        "description": texts["description"],
        "price_cents": cents(texts["price"]),
        "category_id": category.id,
        "place_name": place.name,
        "place": search.point(place),
    }


def cents(price: str) -> int:
    """Decimal, not float: 19.99 × 100 is 1998.9999999999998 for a float."""
    try:
        euros = Decimal(price)
    except InvalidOperation:
        euros = Decimal(-1)
    if not euros.is_finite() or not 0 <= euros <= MOST or euros != round(euros, 2):
        raise ValueError("A price is an amount like 25 or 7.50.")
    return int(euros * 100)
