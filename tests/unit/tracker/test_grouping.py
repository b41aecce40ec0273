from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.tracker import events, grouping
from homeport.tracker.envelope import read_json
from tests.unit.tracker.event_samples import NOW, Raw, crash, frame, library, message, raised


def group(raw: Raw) -> bytes:
    return grouping.digest(events.read(raw, now=NOW))


def test_lines_messages_and_libraries_do_not_matter() -> None:
    one = crash(raised("KeyError", "'price'", library(), frame(line=12)))
    other = crash(raised("KeyError", "'name'", library("other", 3), library(), frame(line=15)))
    assert group(one) == group(other)


def test_types_files_and_functions_do() -> None:
    keys = {
        group(crash(raised("KeyError", "x", frame()))),
        group(crash(raised("ValueError", "x", frame()))),
        group(crash(raised("KeyError", "x", frame("blog/views.py")))),
        group(crash(raised("KeyError", "x", frame(function="refund")))),
        group(crash(raised("KeyError", "x", frame("urls.py", "route"), frame()))),
    }
    assert len(keys) == 5


def test_the_folder_of_the_dyno_does_not_matter() -> None:
    found = {
        group(crash(raised("KeyError", "x", frame("run.py", module=module, abs_path=path))))
        for module, path in (
            ("__main__", "/srv/h/dynos/3f2a/app/run.py"),
            ("__main__", "/srv/h/dynos/77c1/app/run.py"),
            ("run", "/app/run.py"),
            (None, "/app/run.py"),
        )
    }
    assert len(found) == 1


def test_a_log_s_frames_without_modules_are_the_same_as_an_sdk_s() -> None:
    printed = {
        "filename": "shop/views.py",
        "abs_path": "/x/dynos/1/app/shop/views.py",
        "function": "pay",
        "in_app": True,
    }
    assert group(crash(raised("KeyError", "x", printed))) == group(crash(raised("KeyError", "x", frame())))


def test_recursion_is_the_same_however_deep() -> None:
    def deep(count: int) -> Raw:
        return crash(raised("RecursionError", "x", frame(function="main"), *[frame(function="walk")] * count))

    def mutual(count: int) -> Raw:
        pair = [frame(function="even"), frame(function="odd")]
        return crash(raised("RecursionError", "x", frame(function="main"), *pair * count))

    assert group(deep(3)) == group(deep(900))
    assert group(mutual(4)) == group(mutual(300))
    assert group(deep(3)) != group(mutual(4))


def test_what_an_exception_came_of_matters() -> None:
    alone = crash(raised("ValueError", "x"))
    chained = crash(raised("KeyError", "y"), raised("ValueError", "x"))
    assert group(alone) != group(chained)


def test_without_frames_the_message_tells_but_for_what_varies() -> None:
    def bare(value: str) -> Raw:
        return crash({"type": "TimeoutError", "value": value})

    assert group(bare("order 17 at 0x7f3a took 3.5 s")) == group(bare("order 9 at 0x11 took 20.25 s"))
    assert group(bare("no table 'a'")) == group(bare("no table 'b'"))
    assert group(bare("order 17")) != group(bare("user 17"))


def test_messages_are_grouped_by_template_and_logger() -> None:
    assert group(message("cannot reach %s", ["a"])) == group(message("cannot reach %s", ["b"]))
    assert group(message("cannot reach %s", logger="shop")) != group(message("cannot reach %s", logger="blog"))
    assert group({"message": "job 12 failed"}) == group({"message": "job 13 failed"})


def test_a_thread_that_crashed_stands_for_an_exception() -> None:
    def threads(function: str) -> Raw:
        stack = {"frames": [frame(function=function)]}
        idle = {"stacktrace": {"frames": [frame(function="idle")]}}
        return {"threads": {"values": [idle, {"crashed": True, "stacktrace": stack}]}}

    assert group(threads("one")) == group(threads("one"))
    assert group(threads("one")) != group(threads("two"))


def test_fingerprints_are_honoured() -> None:
    one, other = raised("KeyError"), raised("ValueError")
    assert group(crash(one, fingerprint=["db-down"])) == group(crash(other, fingerprint=["db-down"]))
    assert group(crash(one, fingerprint=["db-down"])) != group(crash(one))
    assert group(crash(one, fingerprint=["{{ default }}"])) == group(crash(one))
    assert group(crash(one, fingerprint=["{{default}}", "a"])) != group(crash(one, fingerprint=["{{ default }}", "b"]))
    assert group(crash(one, fingerprint=["{{default}}", "a"])) != group(crash(other, fingerprint=["{{default}}", "a"]))
    assert group(crash(one, fingerprint=[])) == group(crash(one))


NAMES = """
    event_id timestamp level logger platform release environment transaction user fingerprint exception values type
    value stacktrace frames filename abs_path function lineno in_app module threads crashed logentry message formatted
    params id email
""".split()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=30,
)


@given(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=12))
def test_no_event_is_a_crash(raw: Raw) -> None:
    event = events.read(raw, now=NOW)
    assert len(grouping.digest(event)) == 16
    assert len(event.id) == 32
    assert isinstance(event.signature, str)
    assert NOW - 31 * 86400 < event.at <= NOW + 61


def test_what_is_read_of_an_event() -> None:
    raw = crash(
        raised("KeyError", "a"), raised("shop.Broke", "no money", library(), frame()), user={"id": 7, "email": "a@b"},
        release="1.2\n", environment="prod", level="CRITICAL",
    )  # fmt: skip
    event = events.read(raw, now=NOW)
    assert (event.type, event.text, event.user) == ("shop.Broke", "no money", "id:7")
    assert (event.release, event.level) == ("1.2", "fatal")
    assert event.culprit is not None
    assert (event.culprit.file, event.culprit.function) == ("shop/views.py", "pay")
    assert event.signature == "Broke views.py:12 pay"


@pytest.mark.parametrize(
    ("template", "params", "shown"),
    [
        ("cannot reach %s after %d s", ["a", 3], "cannot reach a after 3 s"),
        ("100%% of %s", ["x"], "100% of x"),
        ("%(who)s is out", {"who": "Ada"}, "Ada is out"),
        ("%s and %s", ["one"], "one and %s"),
        ("%999999999d", [1], "%999999999d"),
        ("%99999d", [1], "1"),
        ("nothing", None, "nothing"),
    ],
)
def test_messages_are_filled_in(template: str, params: object, shown: str) -> None:
    assert events.filled(template, params) == shown


def test_times_that_cannot_be_are_now() -> None:
    impossible: list[object] = ["nonsense", 1e300, -1, True, [], "9999-12-31T23:59:59Z", NOW + 1e6, read_json(b"1e999")]
    assert {events.read({"timestamp": at}, now=NOW).at for at in impossible} == {NOW}
    assert events.read({"timestamp": "2026-09-21T14:13:10.5Z"}, now=NOW).at == NOW - 9.5
