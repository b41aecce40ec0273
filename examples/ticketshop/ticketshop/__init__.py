"""A ticket shop: a REST API under /api, and the front end that Vite built for everything else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from werkzeug.middleware.proxy_fix import ProxyFix

from . import accounts, commands, config, events, front_end, orders, problems, wallet
from .extensions import db, migrate

CLIENT = Path(__file__).parent.parent / "dist"  # what `npm run build` makes


def create_app(overrides: dict[str, Any] | None = None) -> Flask:
    """The application. `overrides` are settings that win over the environment; the tests use them."""
    app = Flask(__name__, static_folder=str(CLIENT / "assets"), static_url_path="/assets")
    app.config.from_object(config.chosen())
    app.config.update(overrides or {})
    app.config.setdefault("CLIENT", CLIENT)
    # On a dyno the router ends TLS; it says by X-Forwarded-Proto whether the browser came by https.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]

    db.init_app(app)
    migrate.init_app(app, db)
    problems.init_app(app)
    for module in (accounts, wallet, events, orders, front_end):
        app.register_blueprint(module.blueprint)
    commands.init_app(app)

    app.add_url_rule("/up", view_func=up)
    app.before_request(insist_on_https)
    app.after_request(protect)
    return app


def up() -> ResponseReturnValue:
    """For health checks: does the app answer, and its database?"""
    db.session.execute(text("select 1"))
    return "ok\n", {"Content-Type": "text/plain"}


def insist_on_https() -> ResponseReturnValue | None:
    """Passwords and tokens travel by https only. A host that names its port is left alone: it is a machine at home,
    and nobody can guess on which other port it speaks https."""
    plain = current_app.config["PRODUCTION"] and not request.is_secure and ":" not in request.host
    return redirect(request.url.replace("http://", "https://", 1), 308) if plain else None


def protect(response: Response) -> Response:
    """Scripts only from here: a token in the browser's storage is as safe as the page is from foreign scripts."""
    response.headers.setdefault("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; base-uri 'none'")
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
