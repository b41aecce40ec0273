"""The client that goes only where it may, with a real server at two addresses."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from homeport import reach
from homeport.errors import Invalid
from homeport.reach import NETWORKS, Reach


class Elsewhere(BaseHTTPRequestHandler):
    """Answers with the Host it was asked for; /away leads to another address."""

    def do_GET(self) -> None:
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("Location", f"http://127.0.0.2:{self.server.server_port}/secret")  # type: ignore[attr-defined]
        body = f"{self.headers['Host']} {self.path}".encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("0.0.0.0", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def fetched(url: str) -> str:
    async def scenario() -> str:
        async with reach.client(follow_redirects=True) as client:
            response = await client.get(url)
            assert str(response.url) == url, "it looks as if the name had been asked"
            return response.text

    return asyncio.run(scenario())


def test_the_name_is_said_to_the_address(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NETWORKS, "127.0.0.1")
    assert fetched(f"http://localhost:{port}/x") == f"localhost:{port} /x"


def test_redirects_are_judged_as_well(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(NETWORKS, "127.0.0.1")
    with pytest.raises(Invalid) as refused:
        fetched(f"http://127.0.0.1:{port}/away")
    assert refused.value.id == "address_not_public"


def test_a_host_without_address_is_no_matter_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario() -> None:
        async with reach.client() as client:
            await client.get("http://nobody.invalid/")

    with pytest.raises(httpx.ConnectError):
        asyncio.run(scenario())
    asyncio.run(Reach().require("https://nobody.invalid/repository.git"))
