"""A market of its own for each test, in the database of TEST_DATABASE_URL (it is emptied!), which must have PostGIS."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import downgrade
from PIL import Image
from werkzeug.test import TestResponse

from market import config, create_app
from market.extensions import db, limiter


@pytest.fixture(scope="session")
def deployed() -> None:
    """A fresh schema, made once."""
    app = create_app(config.Testing())
    with app.app_context():
        downgrade(revision="base")
        done = app.test_cli_runner().invoke(args=["deploy"])
        assert done.exit_code == 0, done.output
        db.engine.dispose()


@pytest.fixture
def app(deployed: None, tmp_path: Path) -> Iterator[Flask]:
    app = create_app(config.Testing(), PICTURES=tmp_path / "pictures")
    with app.app_context():
        db.session.execute(db.text("TRUNCATE items, accounts RESTART IDENTITY"))
        db.session.commit()
        limiter.reset()
        yield app
        db.session.remove()
        db.engine.dispose()


class Browser:
    """A visitor: follows redirects, remembers cookies."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, follow_redirects=True, buffered=True, **options)

    def post(self, path: str, **fields: Any) -> TestResponse:
        return self.client.post(path, data=fields, follow_redirects=True, buffered=True)

    def register(self, name: str) -> TestResponse:
        return self.post("/accounts/register", name=name, email=f"{name}@example.com", password="long enough")

    def sell(self, title: str, place: str = "Berlin", **fields: Any) -> TestResponse:
        return self.post("/sell", **{"title": title, "place": place, "price": "25", "category": "books", **fields})


@pytest.fixture
def visitor(app: Flask) -> Browser:
    return Browser(app)


@pytest.fixture
def ada(app: Flask) -> Browser:
    browser = Browser(app)
    browser.register("ada")
    return browser


def picture(size: tuple[int, int] = (900, 700), kind: str = "PNG", **options: Any) -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, kind, **options)
    out.seek(0)
    return out
