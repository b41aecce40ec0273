"""A small blog with accounts."""

from typing import Any

from flask import Flask, render_template
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix

from . import accounts, blog, config, pitfalls
from .extensions import csrf, db, migrate


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """The application. `overrides` are settings that win over the environment; the tests use them."""
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_mapping(config.from_environment(app.instance_path))
    app.config.update(overrides or {})
    # On a dyno the router ends TLS; it says by X-Forwarded-Proto that the browser came by https.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]

    db.init_app(app)
    migrate.init_app(app, db)
    csrf.init_app(app)

    pitfalls.init_app(app)
    app.register_blueprint(accounts.blueprint)
    app.register_blueprint(blog.blueprint)
    app.add_url_rule("/up", view_func=up)
    app.register_error_handler(403, refused)
    app.register_error_handler(404, missing)
    return app


def up() -> tuple[str, dict[str, str]]:
    """For health checks: does the app answer, and its database?"""
    db.session.execute(text("select 1"))
    return "ok\n", {"Content-Type": "text/plain"}


def refused(error: Exception) -> tuple[str, int]:
    return render_template("error.html", title="Not yours", text="Only its author can change a post."), 403


def missing(error: Exception) -> tuple[str, int]:
    return render_template("error.html", title="Nothing here", text="There is no such page."), 404
