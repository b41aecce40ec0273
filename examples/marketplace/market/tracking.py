"""Telling the error tracker. Without SENTRY_DSN everything here does nothing, and the log still has it.

Every HTTP 500 is reported by the SDK itself, with its traceback. What is no error in the code and still worth knowing,
the app reports by `notice`: a limit that was hit, a place that nobody knows, a bucket that does not answer.
"""

from __future__ import annotations

import os
from typing import Any

import sentry_sdk
from flask import Flask, current_app


def init_app(app: Flask) -> None:
    if not app.config["SENTRY_DSN"]:
        return
    # On Heroku: `heroku labs:enable runtime-dyno-metadata`. Otherwise the SDK looks for the commit itself.
    version = os.environ.get("HEROKU_RELEASE_VERSION")
    sentry_sdk.init(
        dsn=app.config["SENTRY_DSN"],
        environment=app.config["ENVIRONMENT"],
        release=f"marketplace@{version}" if version else None,
        send_default_pii=False,  # no cookies, no addresses of people
        traces_sample_rate=0.0,
    )


def notice(what: str, error: Exception | None = None, **facts: Any) -> None:
    """Report that this happened. `what` groups: all of the same text are one issue; the facts are each event's own."""
    current_app.logger.warning("%s %s", what, facts, exc_info=error)
    with sentry_sdk.new_scope() as scope:
        scope.set_level("warning")
        scope.set_context("facts", facts)
        if error is not None:
            scope.set_tag("notice", what)
            scope.capture_exception(error)
        else:
            scope.fingerprint = [what]
            scope.capture_message(what)
