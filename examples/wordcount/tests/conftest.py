"""An app with a database of its own, and pages to fetch. Run by `python -m pytest` in the app's folder."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

os.environ["APP_SETTINGS"] = "config.TestingConfig"

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from wordcount import create_app
from wordcount.extensions import db


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    app = create_app({"SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'test.sqlite'}"})
    with app.app_context():
        upgrade()
    yield app
    with app.app_context():
        db.engine.dispose()


@pytest.fixture
def visitor(app: Flask) -> FlaskClient:
    return app.test_client()


class Site(BaseHTTPRequestHandler):
    """A small web site: pages by path, each a status, headers and a body."""

    pages: dict[str, tuple[int, dict[str, str], bytes]] = {
        "/": (
            200,
            {"Content-Type": "text/html; charset=utf-8"},
            "<title>Tea</title><p>Tea, tea &amp; café!</p>".encode(),
        ),
        "/latin": (200, {"Content-Type": "text/plain; charset=latin-1"}, "café".encode("latin-1")),
        "/away": (302, {"Location": "/"}, b""),
        "/round": (302, {"Location": "/round"}, b""),
        "/picture": (200, {"Content-Type": "image/png"}, b"\x89PNG"),
        "/large": (200, {"Content-Type": "text/plain"}, b"word " * 1000),
        "/file": (302, {"Location": "file:///etc/passwd"}, b""),
    }

    closing = threading.Event()

    def do_GET(self) -> None:
        if self.path == "/slow":
            self.closing.wait(60)
        status, headers, body = self.pages.get(self.path, (404, {}, b""))
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of a web site on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    Site.closing.set()
    server.shutdown()
    server.server_close()
