"""`flask seed` and `flask admin-statement`, beside `flask db upgrade`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
from flask import Flask
from sqlalchemy import select
from werkzeug.security import generate_password_hash

from .extensions import db
from .models import Event

# title, venue, what, in days, cents, places
EVENTS = [
    ("Nocturnes by Candlelight", "St. Anne's Chapel", "Chopin and Field on an 1842 Pleyel. Bring a coat.", 4, 24_00, 60),
    ("The Lighthouse Quartet", "Harbour Hall", "Four strings, one fog horn. A new piece by Ines Okafor.", 9, 32_50, 120),
    ("Open Stage", "Cellar 9", "Five minutes for everybody who dares. Free, but bring a ticket.", 12, 0, 40),
    ("Paper Planets", "Museum of Small Things", "Shadow theatre for people from six to a hundred.", 16, 9_00, 80),
    ("Night of the Slow Machines", "Old Power Station", "Tape loops, turbines, and a bar until two.", 23, 18_00, 200),
    ("Breakfast with Ravens", "Botanical Garden", "A walk, a talk, and coffee. They steal the biscuits.", 30, 14_00, 24),
]


def init_app(app: Flask) -> None:
    app.cli.add_command(seed)
    app.cli.add_command(admin_statement)


@click.command("seed")
def seed() -> None:
    """Announce a few events, unless they are announced already."""
    known = set(db.session.scalars(select(Event.title)))
    evening = datetime.now(UTC).replace(hour=19, minute=0, second=0, microsecond=0)
    for title, venue, description, days, cents, capacity in EVENTS:
        if title not in known:
            texts = {"title": title, "venue": venue, "description": description}
            starts_at = evening + timedelta(days=days)
            db.session.add(Event(**texts, starts_at=starts_at, price_cents=cents, capacity=capacity))
    db.session.commit()
    click.echo(f"{len(EVENTS)} events are announced.")


@click.command("admin-statement")
@click.option("--email", required=True)
@click.option("--name", required=True)
@click.password_option()
def admin_statement(email: str, name: str, password: str) -> None:
    """Print the SQL that makes an administrator, to be run by pg:psql. The password itself is not in it.

    Who registered in the shop before becomes one, with the new password; so the statement may be run twice.
    """
    row = ", ".join(quoted(value) for value in (email.strip().lower(), name, generate_password_hash(password)))
    click.echo(f"INSERT INTO accounts (email, name, password_hash, is_admin) VALUES ({row}, true)")
    click.echo("ON CONFLICT (email) DO UPDATE SET password_hash = excluded.password_hash, is_admin = true;")


def quoted(value: str) -> str:
    """As SQL writes a text: in single quotes, those inside doubled."""
    return "'" + value.replace("'", "''") + "'"
