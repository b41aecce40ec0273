"""Unmodified sentry-sdks, the newest and an old one, in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.tracker import ground
from tests.integration.tracker.ground import Ground, eventually

pytestmark = pytest.mark.slow

SDKS = {
    "new": ("sentry-sdk", "brotli", "flask", "django", "celery"),
    "old": ("sentry-sdk==1.5.12", "flask<2.2", "werkzeug<2.2", "blinker", "django<4", "celery<5.3"),
}

PLAIN = """
import logging
import sentry_sdk
sentry_sdk.init(traces_sample_rate=1.0, send_default_pii=True, release="shop@1.4")
sentry_sdk.capture_message("the warehouse is cold", level="warning")
sentry_sdk.set_user({"id": "ada"})
def pay(password):
    return {}["price"]
for _ in range(3):
    try:
        pay("hunter2")
    except KeyError as error:
        try:
            raise ValueError("could not pay") from error
        except ValueError:
            sentry_sdk.capture_exception()
with sentry_sdk.start_transaction(op="task", name="nightly"):
    pass
with sentry_sdk.push_scope() as scope:
    scope.fingerprint = ["warehouse"]
    scope.add_attachment(bytes=b"x" * 1000, filename="x.bin")
    sentry_sdk.capture_message("one")
    sentry_sdk.capture_message("another")
logging.getLogger("shop").error("cannot reach %s", "the warehouse")
sentry_sdk.flush(20)
"""

FLASK = """
import sentry_sdk
from flask import Flask
sentry_sdk.init(send_default_pii=True)
app = Flask(__name__)
@app.get("/pay/<int:order>")
def pay(order):
    raise RuntimeError(f"order {order} went wrong")
client, secret = app.test_client(), "hunter" + "2"
assert client.get(f"/pay/7?token={secret}", headers={"Authorization": f"Bearer {secret}"}).status_code == 500
assert client.get("/pay/8").status_code == 500
sentry_sdk.flush(20)
"""

DJANGO = """
import sentry_sdk
sentry_sdk.init(send_default_pii=True)
from django.conf import settings
settings.configure(
    DEBUG=False, SECRET_KEY="hunter2-and-more", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], LOGGING_CONFIG=None,
)
import django
django.setup()
from django.http import HttpResponse
from django.urls import path
def checkout(request):
    password = request.POST["password"]
    raise LookupError("no such cart")
urlpatterns = [path("checkout/", checkout)]
from django.test import Client
client = Client(raise_request_exception=False)
assert client.post("/checkout/", {"password": "hunter2", "cart": "7"}).status_code == 500
sentry_sdk.flush(20)
"""

CELERY = """
import sentry_sdk
from celery import Celery
sentry_sdk.init()
app = Celery(broker="memory://", backend="cache+memory://")
app.conf.task_always_eager = True
@app.task(name="orders.ship")
def ship(order):
    raise TimeoutError(f"order {order} took too long")
ship.delay(7)
ship.delay(8)
sentry_sdk.flush(20)
"""


@pytest.fixture(scope="module", params=sorted(SDKS))
def python(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with that SDK, as a build makes one."""
    folder = tmp_path_factory.mktemp(f"sdk-{request.param}") / "venv"
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert uv is not None
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, folder], check=True)
    packages = SDKS[request.param]
    subprocess.run([uv, "pip", "install", "-q", "--python", folder / "bin/python", *packages], check=True)
    return folder / "bin/python"


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Ground]:
    with ground.opened(tmp_path) as made:
        yield made


def run(python: Path, machine: Ground, code: str, folder: Path) -> None:
    (folder / "shop.py").write_text(code)
    environment = {"SENTRY_DSN": machine.dsn, "PATH": os.defpath, "HOME": str(folder)}
    done = subprocess.run(
        [python, "shop.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_a_program_reports(python: Path, machine: Ground, tmp_path: Path) -> None:
    run(python, machine, PLAIN, tmp_path)
    eventually(lambda: len(machine.issues()) == 4, "four issues")
    by_text = {issue.text: issue for issue in machine.issues()}
    assert set(by_text) == {"could not pay", "the warehouse is cold", "one", "cannot reach the warehouse"}
    crash = by_text["could not pay"]
    assert (crash.type, crash.count, crash.users, crash.last_release) == ("ValueError", 3, 1, "shop@1.4")
    assert (crash.file, crash.function) == ("shop.py", "<module>")
    assert by_text["one"].count == 2
    assert by_text["the warehouse is cold"].level == "warning"
    kept = machine.latest(crash.number).raw
    assert [raised["type"] for raised in kept["exception"]["values"]] == ["KeyError", "ValueError"]
    assert "'hunter2'" not in str(
        [raised["stacktrace"]["frames"][-1]["vars"] for raised in kept["exception"]["values"]]
    )


def test_flask(python: Path, machine: Ground, tmp_path: Path) -> None:
    run(python, machine, FLASK, tmp_path)
    (issue,) = eventually(machine.issues, "an issue")
    eventually(lambda: machine.issues()[0].count == 2, "both")
    assert (issue.type, issue.file, issue.function) == ("RuntimeError", "shop.py", "pay")
    kept = machine.latest(issue.number).raw
    assert kept["request"]["url"].startswith("http://localhost/pay/")
    assert [
        event.id for event in machine.provider.issues(machine.resource).events(1) if "hunter2" in str(event.raw)
    ] == []


def test_django(python: Path, machine: Ground, tmp_path: Path) -> None:
    run(python, machine, DJANGO, tmp_path)
    (issue,) = eventually(machine.issues, "an issue")
    assert (issue.type, issue.text, issue.function) == ("LookupError", "no such cart", "checkout")
    kept = machine.latest(issue.number).raw
    assert kept["request"]["data"]["cart"] in ("7", ["7"])
    assert kept["request"]["data"]["password"] == "[Filtered]"
    (frame,) = (frame for frame in _frames(kept) if frame["function"] == "checkout")
    assert frame["vars"]["password"] == "[Filtered]"


def test_celery(python: Path, machine: Ground, tmp_path: Path) -> None:
    run(python, machine, CELERY, tmp_path)
    eventually(lambda: [issue.count for issue in machine.issues()] == [2], "both, as one issue")
    (issue,) = machine.issues()
    assert (issue.type, issue.function) == ("TimeoutError", "ship")


def _frames(raw: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = raw["exception"]["values"][-1]["stacktrace"]["frames"]
    return found
