"""Error tracking as an app and its owner meet it: with an SDK, without one, and with both at once."""

from __future__ import annotations

import json
import sys
from typing import Any

from tests.e2e.platform import Platform

APP = {
    "app.py": """
import os

import sentry_sdk
from flask import Flask

sentry_sdk.init(send_default_pii=True)
app = Flask(__name__)


@app.get("/")
def home():
    return "home"


@app.get("/pay")
def pay():
    price = {"password": "swordfish", "key": os.environ["BILLING_KEY"]}
    raise ValueError("refused: " + os.environ["BILLING_KEY"])
""",
    "nightly.py": 'def count(shelves):\n    return shelves["third"]\n\n\nprint("counting", flush=True)\ncount({})\n',
    "Procfile": "web: gunicorn app:app\n",
    "requirements.txt": "flask\ngunicorn\nsentry-sdk\n",
    ".python-version": f"{sys.version_info.major}.{sys.version_info.minor}\n",
}
SECRET = "Zk93jfX02mPq8sLw7Tn4"


def test_a_day_with_errors(platform: Platform, name: str) -> None:
    def errors(*arguments: str) -> list[dict[str, Any]]:
        shown = platform.homeport("errors", *arguments, "--json", "-a", name).ok().out
        found: list[dict[str, Any]] = json.loads(shown)
        return found

    project = platform.project(name, APP)
    platform.heroku("create", name, cwd=project).ok()
    created = platform.heroku("addons:create", "sentry", cwd=project).ok()
    assert "SENTRY_DSN" in created.both
    assert "has no unresolved errors" in platform.homeport("errors", "-a", name).ok().out
    platform.heroku("config:set", f"BILLING_KEY={SECRET}", cwd=project).ok()
    platform.git(project, "push", "heroku", "main").ok()
    assert platform.get(name, "/") == (200, "home")

    # An SDK sends what Flask also prints: one crash is one event.
    assert platform.get(name, "/pay")[0] == 500
    (issue,) = platform.eventually(errors, what="the crash", seconds=60)
    assert (issue["short_id"], issue["type"]) == (f"{name.upper()}-1", "ValueError")
    assert issue["message"] == "refused: [Filtered]"
    assert (issue["culprit"]["file"], issue["culprit"]["function"]) == ("app.py", "pay")
    version = json.loads(platform.heroku("releases", "--json", cwd=project).ok().out)[0]["version"]
    assert issue["last_release"] == f"v{version}"
    page = platform.homeport("errors:info", issue["short_id"], "-a", name).ok().out
    assert "Traceback (most recent call last):" in page
    assert "ValueError: refused: [Filtered]" in page
    assert f"GET https://{name}.localhost" in page
    everything = platform.homeport("errors:info", "1", "--json", "-a", name).ok().out
    assert SECRET not in everything
    assert "'swordfish'" not in str(
        json.loads(everything)["latest_event"]["event"]["exception"]["values"][0]["stacktrace"]["frames"][-1]["vars"]
    )

    # A process without an SDK prints its traceback.
    platform.homeport("run:detached", "python nightly.py", "-a", name).ok()
    platform.eventually(lambda: len(errors()) == 2, what="the traceback in the log", seconds=90)
    (printed,) = errors("--query", "source:logs")
    assert (printed["type"], printed["message"], printed["culprit"]["function"]) == ("KeyError", "'third'", "count")
    assert printed["culprit"]["file"] == "nightly.py"
    assert [found["count"] for found in errors("--query", "type:ValueError")] == [1], "printed and sent: counted once"

    # Settled, and back again.
    platform.homeport("errors:resolve", "1", "-a", name).ok()
    platform.homeport("errors:ignore", "2", "-a", name).ok()
    assert errors() == []
    assert platform.get(name, "/pay")[0] == 500
    (back,) = platform.eventually(errors, what="the regression", seconds=60)
    assert (back["id"], back["count"], back["status"]) == (1, 2, "unresolved")
    assert back["regressed_at"]
    assert {found["status"] for found in errors("--all")} == {"unresolved", "ignored"}

    # Gone with its add-on.
    platform.heroku("addons:destroy", "sentry", "--confirm", name, cwd=project).ok()
    refused = platform.homeport("errors", "-a", name)
    assert refused.code != 0
    assert "addons:create sentry" in refused.err
