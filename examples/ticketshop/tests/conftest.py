"""A shop of its own for each test: on SQLite, or on the Postgres that TEST_DATABASE_URL names (it is emptied!)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade, upgrade
from werkzeug.test import TestResponse

from ticketshop import create_app
from ticketshop.config import database_url, engine_options
from ticketshop.extensions import db
from ticketshop.models import Account, Event


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    url = database_url(os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{tmp_path / 'shop.sqlite'}")
    (tmp_path / "index.html").write_text("<title>the front end</title>")
    settings = {"TESTING": True, "SECRET_KEY": "test", "PRODUCTION": False, "CLIENT": tmp_path}
    settings |= {"SQLALCHEMY_DATABASE_URI": url, "SQLALCHEMY_ENGINE_OPTIONS": engine_options(url)}
    app = create_app(settings)
    with app.app_context():
        upgrade()
        yield app
        db.session.remove()
        downgrade(revision="base")
        db.engine.dispose()


class Shopper:
    """Somebody with a browser: sends JSON and a token, reads JSON."""

    def __init__(self, app: Flask, token: str = "") -> None:
        self.client, self.token, self.keys = app.test_client(), token, 0

    def ask(self, method: str, path: str, sent: dict[str, Any] | None = None, key: str = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Idempotency-Key": key} if key else {}
        answer = self.client.open(f"/api{path}", method=method, json=sent, headers=headers)
        return answer.status_code, answer.get_json(silent=True)

    def page(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, buffered=True, **options)

    def buy(self, event: int, quantity: int = 1, key: str = "") -> tuple[int, Any]:
        self.keys += 1
        return self.ask("POST", "/orders", {"event_id": event, "quantity": quantity}, key or f"purchase-{self.keys}")

    def balance(self) -> int:
        return self.ask("GET", "/account")[1]["balance_cents"]


@pytest.fixture
def visitor(app: Flask) -> Shopper:
    return Shopper(app)


@pytest.fixture
def ada(app: Flask) -> Shopper:
    """A buyer with 100.00."""
    shopper = Shopper(app)
    ada = {"name": "Ada", "email": "ada@example.com", "password": "analytical"}
    shopper.token = shopper.ask("POST", "/accounts", ada)[1]["token"]
    shopper.ask("POST", "/wallet/deposits", {"amount_cents": 100_00}, "first-deposit")
    return shopper


@pytest.fixture
def admin(app: Flask, ada: Shopper) -> Shopper:
    db.session.query(Account).update({"is_admin": True})
    db.session.commit()
    return ada


@pytest.fixture
def event(app: Flask) -> int:
    """Ten places at 15.00, tomorrow."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    event = Event(title="Open Stage", venue="Cellar 9", starts_at=tomorrow, price_cents=15_00, capacity=10)
    db.session.add(event)
    db.session.commit()
    return event.id
