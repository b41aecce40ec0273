"""`homeport logs`, as terminal sessions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.cli.cli_session import Chunks, Session, Shown, dyno

LINE = "2026-01-31T11:59:00.000000+00:00 app[web.1]: hello"
EVENT = f"id: 7\ndata: {LINE}\n\n".encode()
SESSION = "POST /apps/demo/log-sessions"
ANSWERS: dict[str, Any] = {
    SESSION: {"logplex_url": "https://localhost:8443/logs/token"},
    "GET /apps/demo/dynos": [dyno("web.1"), dyno("worker.1")],
}


def type_logs(words: str, *events: bytes) -> tuple[Shown, dict[str, Any]]:
    """What `homeport logs WORDS` shows, and the session that it asked for."""
    session = Session(ANSWERS, streams=[Chunks(events)])
    shown = session.type(f"logs -a demo {words}")
    asked = next(request for request in session.requests if request.startswith(SESSION))
    return shown, json.loads(asked.removeprefix(SESSION))


@pytest.mark.parametrize(("words", "lines"), [("", 100), ("-n 7", 7), ("-n 0", 0)])
def test_as_many_lines_as_are_asked_for(words: str, lines: int) -> None:
    shown, asked = type_logs(words, EVENT)
    assert shown == Shown(0, f"{LINE}\n")
    assert asked == {"lines": lines, "tail": False}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--source foo", "No lines have the source foo: it is app or heroku."),
        ("--dyno-name nosuch", "demo has no dyno nosuch now. There are: web, web.1, worker, worker.1, api, router"),
    ],
)
def test_a_filter_that_lets_nothing_through_is_doubted(words: str, said: str) -> None:
    shown, _ = type_logs(words)
    assert (shown.code, shown.out) == (0, "")
    assert said in shown.err
    assert type_logs(words, EVENT)[0] == Shown(0, f"{LINE}\n")


@pytest.mark.parametrize("words", ["", "--source app", "--process-type web", "--dyno-name web.1", "--dyno-name router"])
def test_quiet_dynos_are_not_doubted(words: str) -> None:
    assert type_logs(words)[0] == Shown(0)


def test_a_tail_is_doubted_before_it_begins() -> None:
    session = Session(ANSWERS, streams=[Chunks([EVENT]), KeyboardInterrupt()])
    shown = session.type("logs --tail -n 0 --source foo -a demo")
    assert (shown.code, shown.out) == (130, f"{LINE}\n")
    assert "No lines have the source foo" in shown.err
