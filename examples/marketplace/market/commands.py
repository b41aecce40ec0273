"""`python manage.py deploy` and `python manage.py demo`."""

from __future__ import annotations

import secrets

import click
import flask_migrate
from flask import Flask
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from . import gazetteer, search
from .extensions import db
from .models import Account, Category, Item

CATEGORIES = {
    "bicycles": "Bicycles",
    "books": "Books",
    "clothes": "Clothes",
    "electronics": "Electronics",
    "furniture": "Furniture",
    "garden": "Garden",
    "instruments": "Instruments",
    "toys": "Toys",
}

# title, category, cents, place, what
DEMO = [
    ("Dutch bicycle, three gears", "bicycles", 140_00, "Amsterdam", "Black, upright, unbreakable. New chain, old bell."),
    ("Child's bicycle, 16 inch", "bicycles", 35_00, "Potsdam", "Red. Outgrown in a single summer."),
    ("Folding chair, teak", "furniture", 28_00, "Berlin", "Spent its life on a balcony, and looks it."),
    ("Desk with many drawers", "furniture", 90_00, "Leipzig", "From a post office. One drawer is locked; no key."),
    ("Kitchen table", "furniture", 0, "Berlin", "For whoever carries it down four floors."),
    ("Accordion, 48 bass", "instruments", 310_00, "Hamburg", "Reeds tuned last year. Comes with a book of shanties."),
    ("Student cello", "instruments", 450_00, "Dresden", "Warm, a little shy. With bow and soft case."),
    ("Atlas of 1968", "books", 22_50, "Vienna", "Countries that are gone, in very good colours."),
    ("A metre of crime novels", "books", 15_00, "Zurich", "All solved."),
    ("Wool coat, size M", "clothes", 48_00, "Copenhagen", "Dark green, horn buttons, no moths."),
    ("Slide projector", "electronics", 30_00, "Prague", "With two spare bulbs and somebody's holiday in 1974."),
    ("Radio, valves", "electronics", 75_00, "Berlin", "Hums until it is warm. Magic eye works."),
    ("Quince tree in a pot", "garden", 18_00, "Potsdam", "Two years old, wants out."),
    ("Wooden railway", "toys", 40_00, "Munich", "Enough for two rooms, with a bridge and a station."),
]


def init_app(app: Flask) -> None:
    app.cli.add_command(deploy)
    app.cli.add_command(demo)


@click.command("deploy")
def deploy() -> None:
    """Bring the database to what this code expects. Safe to run at any time, and as often as you like."""
    flask_migrate.upgrade()
    rows = [{"slug": slug, "name": name} for slug, name in CATEGORIES.items()]
    fresh = db.session.scalars(insert(Category).on_conflict_do_nothing().returning(Category.slug), rows).all()
    db.session.commit()
    click.echo(f"The schema is up to date; {len(fresh)} categories were added, {len(rows) - len(fresh)} were there.")


@click.command("demo")
def demo() -> None:
    """Put a few items up for sale, so that there is something to see."""
    if db.session.scalar(select(Account).where(Account.name == "demo")):
        raise click.ClickException("They are there already.")
    seller = Account(name="demo", email="demo@example.com")
    seller.set_password(secrets.token_urlsafe())  # nobody logs in as demo
    db.session.add(seller)
    db.session.flush()
    numbers = {category.slug: category.id for category in db.session.scalars(select(Category))}
    for title, slug, cents, where, description in DEMO:
        place = gazetteer.find(where)
        item = Item(title=title, description=description, price_cents=cents, category_id=numbers[slug])
        item.seller_id, item.place_name, item.place = seller.id, place.name, search.point(place)
        db.session.add(item)
    db.session.commit()
    click.echo(f"{len(DEMO)} items are for sale.")
