"""What people and programs see when something cannot be: a page, or JSON under /api."""

from __future__ import annotations

import sentry_sdk
from flask import Flask, current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from limits import RateLimitItemPerMinute
from werkzeug.exceptions import HTTPException

from . import accounts, tracking
from .extensions import limiter

TITLES = {
    400: "That did not work",
    403: "Not yours",
    404: "Nothing here",
    413: "Too large",
    429: "Slowly, please",
    500: "Our mistake",
}


def init_app(app: Flask) -> None:
    app.register_error_handler(RateLimitExceeded, too_many)
    app.register_error_handler(HTTPException, show)


def too_many(error: RateLimitExceeded) -> ResponseReturnValue:
    """Somebody asks too often. Whoever goes on asking must not fill the tracker: one event a minute for each will do."""
    who = request.remote_addr or "?"
    if limiter.limiter.hit(RateLimitItemPerMinute(1), "notice", who):
        tracking.notice("a rate limit was hit", limit=str(error.description), endpoint=request.endpoint)
    return show(error)  # the limiter adds Retry-After to whatever is answered


def show(error: HTTPException) -> ResponseReturnValue:
    code = error.code or 500
    description = error.description or ""
    if code == 429:
        description = f"At most {error.description}. See the header Retry-After."
    if code == 413:
        accounts.load_account()  # a form that is too large is refused before anybody asks who sent it
        description = f"A picture may have up to {current_app.config['MAX_CONTENT_LENGTH'] >> 20} MB."
    if request.path.startswith("/api/v"):
        return {"id": error.name.lower().replace(" ", "_"), "message": description}, code
    report = sentry_sdk.last_event_id() if code >= 500 else None
    return render_template("error.html", title=TITLES.get(code, error.name), text=description, report=report), code
