"""`homeport errors`, as terminal sessions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homeport.cli.event_pages import safe
from homeport.cli.topics.errors import bars
from tests.unit.cli.cli_session import Refusal, Session, Shown, failure

NASTY = "\x1b]0;owned\x07\x9b2J\u202eevil\r\n"

Item = dict[str, Any]


def issue(number: int = 7, **more: Any) -> Item:
    return {
        "id": number,
        "short_id": f"DEMO-{number}",
        "type": "KeyError",
        "message": "'price'",
        "culprit": {"file": "shop/views.py", "function": "pay", "line": 12},
        "level": "error",
        "logger": None,
        "count": 1234,
        "users": 3,
        "hours": [0] * 22 + [1, 8],
        "first_seen": "2026-01-30T12:00:00.000Z",
        "last_seen": "2026-01-31T11:57:00.000Z",
        "first_release": "v11",
        "last_release": "v12",
        "status": "unresolved",
        "source": "sdk",
        "regressed_at": None,
        "resolved_at": None,
        "in_next_release": False,
        **more,
    }


def frame(file: str, function: str, line: int, **more: Any) -> Item:
    code = f"    {function}()"
    return {"filename": file, "function": function, "lineno": line, "in_app": True, "context_line": code, **more}


LIBRARY = {"in_app": False}
EVENT: Item = {
    "exception": {
        "values": [
            {
                "type": "KeyError",
                "value": "'price'",
                "mechanism": {"source": "__cause__"},
                "stacktrace": {"frames": [frame("shop/views.py", "price", 30)]},
            },
            {
                "type": "Broke",
                "module": "shop.errors",
                "value": "no money\nand no credit",
                "stacktrace": {
                    "frames": [
                        frame("flask/app.py", "a", 1, **LIBRARY),
                        frame("flask/app.py", "b", 2, **LIBRARY),
                        frame("flask/app.py", "c", 3, **LIBRARY),
                        frame("flask/app.py", "d", 4, **LIBRARY),
                        frame("shop/views.py", "pay", 12, pre_context=["x = 1"], post_context=["y = 2"]),
                    ]
                },
            },
        ]
    },
    "request": {"method": "POST", "url": "https://demo/pay", "query_string": "a=1", "headers": {"Host": "demo"}},
    "user": {"id": "7"},
    "tags": [["dyno", "web.1"]],
    "breadcrumbs": {"values": [{"category": "query", "message": "SELECT 1", "timestamp": "2026-01-31T11:56:59Z"}]},
}


def whole(event: Item | None = EVENT, **more: Any) -> Item:
    kept = {"id": "e" * 32, "at": "2026-01-31T11:57:00Z", "event": event}
    return {
        **issue(),
        "kept_events": 20,
        "latest_event": kept if event is not None else None,
        "versions": [{"value": "v12", "count": 9}],
        "releases": [],
        "environments": [{"value": "production", "count": 12}],
        **more,
    }


LIST = "GET /apps/demo/errors?query="


def test_a_line_for_each_issue() -> None:
    back = issue(3, type=None, message="cold", regressed_at="2026-01-31T11:00:00Z", last_seen="2026-01-31T10:00:00Z")
    session = Session({f"{LIST}is%3Aunresolved": [issue(), back]})
    shown = session.type("errors -a demo")
    assert shown.code == 0
    assert [" ".join(line.split()) for line in shown.out.splitlines() if "DEMO" in line] == [
        f"DEMO-7 error KeyError: 'price' shop/views.py:12 in pay 1,234 {'·' * 22}▁█ 3 min ago v12",
        f"DEMO-3 error cold shop/views.py:12 in pay 1,234 back {'·' * 22}▁█ 2 h ago v12",
    ]
    assert shown.err == "See one: homeport errors:info DEMO-7 -a demo\n"


def test_no_errors() -> None:
    assert Session({f"{LIST}is%3Aunresolved": []}).type("errors -a demo") == Shown(
        0, "demo has no unresolved errors.\n"
    )
    assert Session({"GET /apps/demo/errors": []}).type("errors --all -a demo").out == "demo has no such errors.\n"


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("errors --level error --release v12", 'level:"error" release:"v12" is:unresolved'),
        ("errors --env staging --all", 'environment:"staging"'),
        ("errors -q 'is:resolved x y'", "is:resolved x y"),
        ("errors:search is:regressed 'type:Key*'", "is:regressed type:Key*"),
    ],
)
def test_what_is_asked_for(typed: str, asked: str) -> None:
    from urllib.parse import quote

    session = Session({f"{LIST}{quote(asked, safe='')}": [issue()]})
    assert json.loads(session.type(f"{typed} --json -a demo").out) == [issue()]


def test_a_search_needs_words() -> None:
    assert Session().type("errors:search -a demo").code == 2


def test_one_of_several_trackers() -> None:
    session = Session({f"{LIST}is%3Aunresolved&addon=sentry-2": []})
    assert session.type("errors --addon sentry-2 -a demo").code == 0


def test_info_shows_the_traceback_as_python_does() -> None:
    shown = Session({"GET /apps/demo/errors/DEMO-7": whole()}).type("errors:info DEMO-7 -a demo").out
    assert shown.startswith("=== DEMO-7 KeyError: 'price'\n\nStatus:        unresolved\n")
    assert "Events:        1,234, 20 of them kept\n" in shown
    assert "Last seen:     3 min ago in v12\n" in shown
    assert (
        """\
Traceback (most recent call last):
  File "shop/views.py", line 30, in price
    price()
KeyError: 'price'

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "flask/app.py", line 1, in a
    a()
  … frames of libraries …
  File "flask/app.py", line 4, in d
    d()
  File "shop/views.py", line 12, in pay
      x = 1
    >     pay()
      y = 2
shop.errors.Broke: no money
and no credit

Request:
  POST https://demo/pay?a=1
  Host: demo

User:
  id: 7

Tags:
  dyno: web.1

Before it:
  11:56:59 query: SELECT 1
"""
        in shown
    )


def test_own_frames_stand_out() -> None:
    shown = Session({"GET /apps/demo/errors/7": whole()}, colour=True).type("errors:info 7 -a demo").out
    assert '\x1b[1m  File "shop/views.py", line 12, in pay\x1b[0m' in shown
    assert '\x1b[90m  File "flask/app.py", line 1, in a\x1b[0m' in shown


def test_another_event_and_none() -> None:
    answers = {
        "GET /apps/demo/errors/7": whole(None),
        "GET /apps/demo/errors/7/events/abc": {
            "id": "abc",
            "at": "2026-01-31T11:00:00Z",
            "event": {"message": "hello"},
        },
    }
    assert "None of its events is kept any more." in Session(answers).type("errors:info 7 -a demo").out
    assert "hello\n" in Session(answers).type("errors:info 7 --event abc -a demo").out


def test_nothing_in_an_event_reaches_the_terminal_as_more_than_text() -> None:
    nasty: Item = {
        "exception": {
            "values": [
                {
                    "type": NASTY,
                    "module": NASTY,
                    "value": NASTY,
                    "stacktrace": {"frames": [frame(NASTY, NASTY, 1, context_line=NASTY, pre_context=[NASTY])]},
                }
            ]
        },
        "request": {"method": NASTY, "url": NASTY, "headers": {"Host": NASTY}, "data": {NASTY: NASTY}},
        "user": {NASTY: NASTY},
        "tags": {NASTY: NASTY},
        "extra": {NASTY: [NASTY]},
        "breadcrumbs": [{"category": NASTY, "message": NASTY, "timestamp": NASTY}],
    }
    culprit = {"file": NASTY, "function": NASTY, "line": 1}
    marked: Item = {"type": NASTY, "message": NASTY, "culprit": culprit, "level": NASTY, "last_release": NASTY}
    answers = {
        "GET /apps/demo/errors/7": {**whole(nasty), **marked, "versions": [{"value": NASTY, "count": 1}]},
        f"{LIST}is%3Aunresolved": [issue(**marked)],
    }
    for typed in ("errors:info 7 -a demo", "errors -a demo"):
        shown = Session(answers).type(typed).out
        assert "evil" in shown
        assert not set(shown) & set("\x1b\x07\x9b\u202e\r")
    assert safe("a\tb\nc") == "a b c"


@pytest.mark.parametrize("event", [{}, {"exception": 7}, {"exception": {"values": [{}]}}, {"tags": 3, "user": []}])
def test_odd_events_are_shown_all_the_same(event: Item) -> None:
    assert Session({"GET /apps/demo/errors/7": whole(event)}).type("errors:info 7 -a demo").code == 0


def test_settling() -> None:
    session = Session({"PATCH /apps/demo/errors/7": issue(), "PATCH /apps/demo/errors/8": issue(8)})
    assert session.type("errors:resolve 7 8 --next-release -a demo").err == "Resolving 7... done\nResolving 8... done\n"
    session.type("errors:ignore 7 -a demo")
    session.type("errors:reopen 7 -a demo")
    sent = [
        (request.split()[1].rpartition("/")[2], json.loads(request.split(" ", 2)[2]))
        for request in session.api.requests
    ]
    assert sent == [
        ("7", {"status": "resolved", "in_next_release": True}),
        ("8", {"status": "resolved", "in_next_release": True}),
        ("7", {"status": "ignored"}),
        ("7", {"status": "unresolved"}),
    ]


def test_what_the_platform_refuses() -> None:
    session = Session({"GET /apps/demo/errors/9": Refusal(404, "not_found", "Couldn't find that issue.")})
    assert session.type("errors:info 9 -a demo").err == failure("Couldn't find that issue.", "not_found")


def test_bars() -> None:
    assert bars([0, 1, 4, 8]) == "·▁▄█"
    assert bars([5]) == "█"
    assert bars([]) == ""
    assert bars([0, 0]) == "··"
    assert bars([1, 100_000]) == "▁█"
