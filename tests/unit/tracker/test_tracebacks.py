from __future__ import annotations

import textwrap
import traceback
from typing import Any

import pytest

from homeport.tracker import events
from homeport.tracker.events import Event, Source
from homeport.tracker.tracebacks import MOST_DYNOS, Reader, Traceback

APP = "/home/dynos/3f2a/app"


def read(text: str, dyno: str = "web.1") -> list[Traceback]:
    reader = Reader("app")
    found = [done for seq, line in enumerate(text.split("\n"), 1) for done in reader.feed(dyno, line, seq, 100.0)]
    return found + reader.settle(200.0)


def event(found: Traceback) -> Event:
    return events.read(found.raw, now=found.at, source=Source.LOGS)


def printed(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)).rstrip("\n")


def simple(type_: str = "KeyError: 'price'") -> str:
    return textwrap.dedent(f"""\
        Traceback (most recent call last):
          File "{APP}/.heroku/python/lib/python3.11/site-packages/flask/app.py", line 2190, in wsgi_app
            response = self.full_dispatch_request()
                       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          File "{APP}/shop/views.py", line 12, in pay
            charge(card)
        {type_}""")


def test_a_traceback_between_other_lines() -> None:
    (found,) = read(f"starting\n[ERROR] Exception on / [GET]\n{simple()}\n127.0.0.1 GET /\n")
    seen = event(found)
    assert (found.seq, seen.type, seen.text) == (3, "KeyError", "'price'")
    assert [frame.in_app for frame in seen.calls] == [False, True]
    assert seen.culprit is not None
    assert (seen.culprit.file, seen.culprit.line, seen.culprit.function) == ("shop/views.py", 12, "pay")
    assert found.raw["exception"]["values"][0]["stacktrace"]["frames"][1]["context_line"] == "charge(card)"
    assert found.raw["extra"] == {"printed before it": "[ERROR] Exception on / [GET]"}
    assert found.raw["tags"]["process_type"] == "web"


def test_it_may_begin_behind_a_prefix() -> None:
    (found,) = read(f"2026-01-01 ERROR Traceback (most recent call last):{simple()[34:]}")
    assert event(found).type == "KeyError"
    assert found.raw["extra"] == {"printed before it": "2026-01-01 ERROR"}


@pytest.mark.parametrize("link", [" from error", " from None", ""])
def test_what_python_itself_prints_of_chains(link: str) -> None:
    scope: dict[str, Any] = {}
    code = f"def run():\n  try:\n    {{}}['a']\n  except KeyError as error:\n    raise ValueError('b'){link}\n"
    exec(compile(code, "/app/x.py", "exec"), scope)
    with pytest.raises(ValueError) as caught:
        scope["run"]()
    (found,) = read(printed(caught.value))
    chain = [raised.type for raised in event(found).chain]
    assert chain == (["ValueError"] if link == " from None" else ["KeyError", "ValueError"])


def test_two_that_follow_each_other_are_two() -> None:
    assert [event(found).type for found in read(f"{simple()}\n{simple('ValueError: x')}")] == ["KeyError", "ValueError"]


def test_dynos_that_print_at_the_same_time() -> None:
    reader = Reader("app")
    found = []
    one, other = simple("KeyError: 1").split("\n"), simple("ValueError: 2").split("\n")
    for seq, pair in enumerate(zip(one, other, strict=True)):
        for dyno, line in zip(("web.1", "web.2"), pair, strict=True):
            found += reader.feed(dyno, line, seq, 100.0)
    assert found == []
    assert reader.begun == 0
    assert [event(done).type for done in reader.settle(100.0)] == ["KeyError", "ValueError"]
    assert reader.begun is None


def test_deep_recursion_as_python_prints_it() -> None:
    def walk(depth: int) -> None:
        walk(depth + 1)

    with pytest.raises(RecursionError) as caught:
        walk(0)
    text = printed(caught.value)
    assert "Previous line repeated" in text
    (found,) = read(text)
    assert event(found).type == "RecursionError"


def test_syntax_errors_exception_groups_and_names_without_a_message() -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("a b", "/app/x.py", "exec")
    (found,) = read(printed(caught.value))
    assert event(found).type == "SyntaxError"

    def fail() -> None:
        raise ExceptionGroup("two", [ValueError("a"), KeyError("b")])

    with pytest.raises(ExceptionGroup) as group:
        fail()
    (found,) = read(f"{printed(group.value)}\nnext")
    seen = event(found)
    assert (seen.type, seen.text) == ("ExceptionGroup", "two (2 sub-exceptions)")
    assert seen.calls[-1].function == "fail"
    (found,) = read(simple("shop.errors.Broke"))
    assert event(found).signature == "Broke views.py:12 pay"


def test_names_of_classes_are_the_same_as_an_sdk_s() -> None:
    (found,) = read(simple("shop.errors.Broke: no money"))
    assert found.raw["exception"]["values"][0]["type"] == "Broke"
    assert found.raw["exception"]["values"][0]["module"] == "shop.errors"


@pytest.mark.parametrize(
    "text",
    [
        "nothing at all",
        "Traceback (most recent call last):",
        "Traceback (most recent call last):\nnot indented and no exception!",
        f'Traceback (most recent call last):\n  File "{APP}/x.py", line 1, in f\n    f()',
        "Traceback (most recent call last): is what Python prints",
        "Traceback (most recent call last):\n\n\n",
    ],
)
def test_what_is_no_traceback_or_breaks_off(text: str) -> None:
    assert read(text) == []


def test_ids_are_the_same_when_a_log_is_read_again() -> None:
    assert read(simple())[0].raw["event_id"] == read(simple())[0].raw["event_id"]
    assert read(f"x\n{simple()}")[0].raw["event_id"] != read(simple())[0].raw["event_id"]


def test_endless_output_is_not_kept() -> None:
    reader = Reader("app")
    reader.feed("web.1", "Traceback (most recent call last):", 1, 1.0)
    for seq in range(10_000):
        reader.feed("web.1", f'  File "/app/x.py", line {seq}, in f', seq, 1.0)
    assert reader.begun is None
    for number in range(MOST_DYNOS * 2):
        reader.feed(f"run.{number}", "hello", number, 1.0)
        reader.feed(f"run.{number}", "Traceback (most recent call last):", number, 1.0)
    assert len(reader._open) <= MOST_DYNOS
    assert len(reader._before) <= MOST_DYNOS
