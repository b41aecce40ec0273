"""The pages: ask for a count, and see it."""

import logging
import os
from urllib.parse import urlsplit

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from kombu.exceptions import OperationalError
from sqlalchemy import inspect, text

from .extensions import db
from .models import Count, now
from .tasks import count as count_task

blueprint = Blueprint("pages", __name__)
log = logging.getLogger(__name__)


@blueprint.app_context_processor
def surroundings() -> dict[str, str]:
    return {"environment": current_app.config["ENVIRONMENT"]}


@blueprint.before_app_request
def be_ready() -> ResponseReturnValue | None:
    """On a fresh app show what is still to do, instead of an error."""
    if request.endpoint in ("static", "pages.up") or current_app.extensions.get("wordcount_ready"):
        return None
    steps = missing_steps()
    if steps:
        return render_template("steps.html", steps=steps), 503
    current_app.extensions["wordcount_ready"] = True
    return None


def missing_steps() -> list[tuple[str, str]]:
    """What is missing before words can be counted: pairs of why, and the command for it."""
    steps = []
    on_a_dyno = "DYNO" in os.environ
    if on_a_dyno and not os.environ.get("DATABASE_URL"):
        why = "A database. What is written to a dyno's own disk is lost with the dyno."
        steps.append((why, "heroku addons:create heroku-postgresql:essential-0"))
    if on_a_dyno and current_app.config["BROKER_URL"] is None:
        steps.append(("A queue between web and worker.", "heroku addons:create heroku-redis:mini"))
    if not inspect(db.engine).has_table(Count.__tablename__):
        command = "flask db upgrade"
        steps.append(("Tables in the database.", f"heroku run {command}" if on_a_dyno else command))
    return steps


@blueprint.get("/")
def index() -> ResponseReturnValue:
    return render_template("index.html", latest=Count.latest_pages(), form=request.args)


@blueprint.post("/counts")
def ask() -> ResponseReturnValue:
    url, pasted = (without_nul(request.form.get(name, "")).strip() for name in ("url", "text"))
    if problem := problem_with(url, pasted):
        return render_template("index.html", latest=Count.latest_pages(), form=request.form, problem=problem), 422
    row = Count(url=url or None, text=None if url else pasted, title="" if url else excerpt(pasted))
    db.session.add(row)
    db.session.commit()  # before the worker hears of it: it may be quicker than we are
    try:
        count_task.delay(row.id)
    except OperationalError as error:
        log.error("The broker does not answer: %s", error)
        row.fail("The queue does not answer, so nobody will count this. Please try again in a minute.")
        db.session.commit()
    return redirect(url_for("pages.show", id=row.id))


def without_nul(text: str) -> str:
    """Postgres keeps every character but this one, which nobody types."""
    return text.replace("\0", "")


def problem_with(url: str, pasted: str) -> str | None:
    if not url and not pasted:
        return "Give the address of a page, or a text."
    if url and pasted:
        return "Either the address of a page or a text, please, not both."
    if len(pasted) > current_app.config["MAX_TEXT"]:
        return f"A text has at most {current_app.config['MAX_TEXT']:,} characters."
    if url and not is_web_address(url):
        return "The address of a page begins with http:// or https://."
    return None


def is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and len(url) <= 2000
    except ValueError:
        return False


def excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59].rstrip() + "…"


@blueprint.get("/counts/<id>")
def show(id: str) -> ResponseReturnValue:
    return render_template("count.html", count=find(id))


@blueprint.get("/counts/<id>.json")
def state(id: str) -> ResponseReturnValue:
    """What the page asks for until it has ended; a script may do the same."""
    row = find(id)
    return {
        "state": row.state,
        "problem": row.problem,
        "title": row.title,
        "words": row.words,
        "total": row.total,
        "distinct": row.distinct,
        "seconds": round(((row.ended_at or now()) - row.asked_at).total_seconds(), 1),
    }, {"Cache-Control": "no-store"}


def find(id: str) -> Count:
    return db.session.get(Count, without_nul(id)) or abort(404)


@blueprint.get("/up")
def up() -> ResponseReturnValue:
    """For health checks: does the app answer, and its database?"""
    db.session.execute(text("select 1"))
    return "ok\n", {"Content-Type": "text/plain"}
