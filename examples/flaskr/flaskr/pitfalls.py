"""Mistakes that a first deploy often has, noticed by the app and said on its pages, with the command that helps."""

import os

from flask import Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy import inspect

from .extensions import db
from .models import Post

UPGRADE = "flask --app run db upgrade"


def init_app(app: Flask) -> None:
    app.before_request(need_tables)
    app.context_processor(lambda: {"notices": notices()})


def notices() -> list[tuple[str, str]]:
    """Pairs of what is wrong, and the command for it. At home SQLite and debugging are fine."""
    if "DYNO" not in os.environ:
        return []
    found = []
    if current_app.config["SQLALCHEMY_DATABASE_URI"].startswith("sqlite"):
        what = (
            "This blog forgets: it keeps its posts in SQLite on the dyno's own disk, which is gone at the next deploy, "
            "config change or restart. Give it a database:"
        )
        found.append((what, "heroku addons:create heroku-postgresql:essential-0"))
    if current_app.debug:
        found.append(("Debug mode is on, so errors show your code to everybody:", "heroku config:unset FLASK_DEBUG"))
    return found


def need_tables() -> ResponseReturnValue | None:
    """A new database is empty. Say so, instead of an error on every page."""
    if request.endpoint in ("static", "up") or current_app.extensions.get("has_tables"):
        return None
    if not inspect(db.engine).has_table(Post.__tablename__):
        command = f'heroku run "{UPGRADE}"' if "DYNO" in os.environ else UPGRADE
        return render_template("no_tables.html", command=command), 503
    current_app.extensions["has_tables"] = True  # asked once per process, not at every request
    return None
