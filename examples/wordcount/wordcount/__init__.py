"""Counts the words of a page or of a text, in the background."""

import os
from typing import Any

from flask import Flask, Response, render_template
from werkzeug.middleware.proxy_fix import ProxyFix

from . import pages, queue
from .extensions import db, migrate


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """The application, with the settings that APP_SETTINGS names. `overrides` win over them; the tests use that."""
    app = Flask(__name__)
    # Production is what you get without asking: forgetting the variable on a dyno must not switch debugging on.
    app.config.from_object(os.environ.get("APP_SETTINGS", "config.ProductionConfig"))
    app.config.update(overrides or {})
    # On a dyno the router ends TLS, and says by X-Forwarded-* who came, and how.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]

    db.init_app(app)
    migrate.init_app(app, db)
    queue.init_app(app)

    app.register_blueprint(pages.blueprint)
    app.register_error_handler(404, missing)
    app.register_error_handler(413, too_large)
    app.register_error_handler(500, broken)
    app.after_request(guard)
    return app


def guard(response: Response) -> Response:
    """Whatever words come from elsewhere, no script but our own runs on our pages."""
    response.headers.setdefault("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response


def missing(error: Exception) -> tuple[str, int]:
    return render_template("error.html", title="Nothing here", text="There is no such page."), 404


def too_large(error: Exception) -> tuple[str, int]:
    return render_template("error.html", title="Too long", text="That is more text than we take at once."), 413


def broken(error: Exception) -> tuple[str, int]:
    return render_template("error.html", title="Something went wrong", text="The log says what. Please try again."), 500
