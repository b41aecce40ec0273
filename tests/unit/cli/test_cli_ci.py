"""`homeport ci:run`, as terminal sessions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.cli.cli_session import Chunks, FakeGit, Session

COMMIT = "0123456789abcdef0123456789abcdef01234567"
UPLOAD = "https://localhost:8443/sources/s1/key"


@dataclass
class Repository(FakeGit):
    """A checkout whose only commit is COMMIT."""

    changes: str = ""

    def output(self, *arguments: str) -> str:
        match arguments:
            case ("rev-parse", "--show-toplevel"):
                return "/work"
            case ("rev-parse", *_):
                return COMMIT
            case ("status", *_):
                return self.changes
            case ("-C", "/work", "archive", _, "--prefix=source/", output, commit):
                assert commit == COMMIT
                Path(output.removeprefix("--output=")).write_bytes(b"archive")
                return ""
        return super().output(*arguments)


def answers(*states: str, put_url: str = UPLOAD) -> dict[str, Any]:
    builds = [{"id": "b1", "status": state, "output_stream_url": "https://localhost:8443/out"} for state in states]
    return {
        "POST /sources": {"source_blob": {"put_url": put_url, "get_url": UPLOAD}},
        "PUT /sources/s1/key": {},
        "POST /apps/shop/builds": builds[0],
        "GET /apps/shop/builds/b1": builds[-1],
    }


def session(states: tuple[str, ...], *, changes: str = "", put_url: str = UPLOAD) -> Session:
    made = Session(answers(*states, put_url=put_url))
    made.git = Repository({}, changes=changes)
    made.api.streams.append(Chunks([b"-----> Running test command `pytest`...\n"], content_type="text/plain"))
    return made


def test_green() -> None:
    typed = session(("pending", "succeeded"))
    shown = typed.type("ci:run --app shop")
    assert shown.code == 0
    assert shown.out == "-----> Running test command `pytest`...\n"
    assert shown.err.splitlines()[-1] == "Tests have passed on shop. Nothing was released."
    sent = [request.partition(" {")[0] for request in typed.api.requests]
    assert sent == [
        "POST /sources", "PUT /sources/s1/key archive", "POST /apps/shop/builds", "GET /apps/shop/builds/b1",
    ]  # fmt: skip
    body = json.loads(typed.api.requests[2].removeprefix("POST /apps/shop/builds "))
    assert body == {"source_blob": {"url": UPLOAD, "version": COMMIT}, "only_test": True}
    assert "Authorization" not in typed.api.headers[1]


def test_red() -> None:
    assert session(("pending", "failed")).type("ci --app shop").code == 1


def test_what_is_not_committed_is_not_tested() -> None:
    assert "not committed" in session(("succeeded",), changes=" M app.py").type("ci:run --app shop").err


def test_the_source_goes_to_nobody_else() -> None:
    typed = session(("succeeded",), put_url="https://evil.example/sources/s1/key")
    shown = typed.type("ci:run --app shop")
    assert shown.code != 0
    assert [request for request in typed.api.requests if request.startswith("PUT")] == []


def test_outside_of_a_checkout() -> None:
    shown = Session(answers("succeeded")).type("ci:run --app shop")
    assert shown.code != 0
    assert "not in a git repository" in shown.err
