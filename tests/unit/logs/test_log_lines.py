"""The form of a line, and which lines a filter lets through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from homeport.logs import EVERYTHING, Filter, Line
from homeport.logs.lines import label, parse, stamp

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def line(source: str, dyno: str, text: str = "text") -> Line:
    return Line(7, NEW_YEAR, source, dyno, text)


def test_format_is_herokus() -> None:
    assert line("app", "web.1").format() == "2026-01-01T00:00:00.000000+00:00 app[web.1]: text"


def test_times_are_shown_in_utc() -> None:
    tokyo = datetime(2026, 1, 1, 9, 0, 0, 5, tzinfo=timezone(timedelta(hours=9)))
    assert stamp(tokyo) == "2026-01-01T00:00:00.000005+00:00"
    assert stamp(datetime(2026, 1, 1)) == "2026-01-01T00:00:00.000000+00:00"


@pytest.mark.parametrize(
    ("wanted", "source", "dyno", "passes"),
    [
        (EVERYTHING, "heroku", "router", True),
        (Filter(source="app"), "app", "web.1", True),
        (Filter(source="app"), "heroku", "web.1", False),
        (Filter(dyno="web"), "app", "web.1", True),
        (Filter(dyno="web"), "heroku", "web.12", True),
        (Filter(dyno="web"), "app", "webhook.1", False),
        (Filter(dyno="web"), "app", "worker.1", False),
        (Filter(dyno="web.1"), "app", "web.1", True),
        (Filter(dyno="web.1"), "app", "web.11", False),
        (Filter(dyno="web.1"), "app", "web.2", False),
        (Filter(dyno="router"), "heroku", "router", True),
        (Filter(source="heroku", dyno="web"), "app", "web.1", False),
        (Filter(source="app", dyno="api"), "app", "api", True),
    ],
)
def test_filters(wanted: Filter, source: str, dyno: str, passes: bool) -> None:
    assert wanted.matches(line(source, dyno)) is passes


@pytest.mark.parametrize("text", ["", "plain", " spaces ", "web[1]: x", "a\tb", "☕ \x1b[31mred\x1b[0m", "7 8 a[b]: c"])
def test_a_record_gives_its_line_back(text: str) -> None:
    wanted = line("heroku", "release.1234", text)
    assert parse(f"7 {wanted.format()}") == wanted


@pytest.mark.parametrize(
    "record",
    [
        "",
        "7",
        "7 ",
        "x 2026-01-01T00:00:00.000000+00:00 app[web.1]: t",
        "7 yesterday app[web.1]: t",
        "7 2026-01-01T00:0",
    ],
)
def test_what_is_no_whole_record_is_none(record: str) -> None:
    assert parse(record) is None


def test_labels_cannot_be_escaped_from() -> None:
    assert label("app", "web.1") == "app[web.1]"
    assert label("app", "x]: fake\n1 2") == "app[x___fake_1_2]"
    assert len(label("s" * 1000, "d" * 1000)) < 150
