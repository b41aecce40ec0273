"""A marketplace for used things: what is there, and how far away."""

from __future__ import annotations

from typing import Any

from flask import Flask, Response
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix

from . import accounts, api, commands, config, failures, items, storage, tracking
from .extensions import csrf, db, limiter, migrate


def create_app(settings: config.Config | None = None, **overrides: Any) -> Flask:
    """The application, by these settings or by those that FLASK_CONFIG chooses. `overrides` win; the tests use them."""
    app = Flask(__name__)
    app.config.from_object(settings or config.chosen())
    app.config.update(overrides)
    # First of all: what goes wrong from here on is reported.
    tracking.init_app(app)
    # On a dyno the router ends TLS. It says by X-Forwarded-* who came, and that they came by https.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]

    db.init_app(app)
    migrate.init_app(app, db)
    csrf.init_app(app)
    limiter.init_app(app)
    storage.init_app(app)
    failures.init_app(app)
    commands.init_app(app)
    for module in (accounts, items, api):
        app.register_blueprint(module.blueprint)

    app.add_url_rule("/up", view_func=up)
    app.after_request(protect)
    return app


@limiter.exempt
def up() -> ResponseReturnValue:
    """For health checks: does the app answer, and its database?"""
    db.session.execute(text("select 1"))
    return "ok\n", {"Content-Type": "text/plain"}


def protect(response: Response) -> Response:
    """Scripts and styles only from here; pictures from the bucket too, wherever it is."""
    response.headers.setdefault("Content-Security-Policy", "default-src 'self'; img-src 'self' https: data: blob:")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
