"""The forms that data takes, as the official CLI has them."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.cli import layout
from homeport.cli.ink import Ink
from homeport.cli.topics import config_edit
from homeport.errors import HomeportError

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def test_pairs_are_aligned_lists_take_lines_and_nothing_is_left_out_silently_but_none() -> None:
    rows = [("A", "1"), ("Long name", ["x", "y"]), ("None", None), ("Empty", []), ("Text", ""), ("Map", {"web": 2})]
    assert layout.pairs(rows) == "A:         1\nLong name: x\n           y\nText:      ''\nMap:       web: 2"


def test_pairs_keep_a_value_as_it_is() -> None:
    assert layout.pairs([("A", "two\nlines  ")]) == "A: two\nlines  "
    assert layout.pairs([]) == ""


def test_pairs_are_aligned_by_what_is_seen() -> None:
    ink = Ink(True)
    shown = layout.pairs([(ink.name("A"), "1"), (ink.name("LONG"), "2")], ink)
    assert [line.split("m")[-1] for line in shown.splitlines()] == [":    1", ": 2"]


def test_a_table_has_underlined_headings_and_no_spaces_at_line_ends() -> None:
    assert layout.table(("ID", "Location"), [("eu", "Europe"), ("us", "")]) == (
        "  ID   Location\n ───────────────\n  eu   Europe\n  us\n"
    )


@pytest.mark.parametrize(
    ("value", "quoted"),
    [
        ("", ""),
        ("abc-._/+%~", "abc-._/+%~"),
        ("two words", "'two words'"),
        ("postgres://u:p@h/db?x=1&y=$z", "'postgres://u:p@h/db?x=1&y=$z'"),
        ("it's", '"it\'s"'),
        ('it\'s "q"\nline2', '"it\'s \\"q\\"\\nline2"'),
        ("back\\slash's", '"back\\\\slash\'s"'),
        ("$HOME's `x` !", '"\\$HOME\'s \\`x\\` \\!"'),
    ],
)
def test_shell_quoting_is_herokus(value: str, quoted: str) -> None:
    assert layout.shell_quote(value) == quoted


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_quoted_can_be_read_back(value: str) -> None:
    assert config_edit.unquote(layout.shell_quote(value)) == value
    assert config_edit.parse(f"A={layout.shell_quote(value)}\nB=1") == {"A": value, "B": "1"}


@pytest.mark.slow
def test_a_shell_reads_the_same_value() -> None:
    values = ["two words", "it's", 'a"b', "$HOME", "`id`", "a\\b", "a;b|c&d", "#x", "(y)", "*"]
    for value in values:
        line = f"printf %s {layout.shell_quote(value)}"
        assert subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout == value


@pytest.mark.parametrize(
    ("line", "id"), [("no equals sign", "invalid_line"), ("A='open", "invalid_value"), ("A=two words", "invalid_value")]
)
def test_a_line_that_no_shell_would_read_is_refused(line: str, id: str) -> None:
    with pytest.raises(HomeportError) as raised:
        config_edit.parse(line)
    assert raised.value.id == id


def test_only_what_changed_is_sent_and_a_removed_line_removes() -> None:
    before = {"A": "1", "B": "2", "C": "3"}
    assert config_edit.differences(before, {"A": "1", "B": "two", "D": ""}) == {"B": "two", "D": "", "C": None}


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        (None, "0 B"),
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 KB"),
        (1536, "2 KB"),
        (123456, "121 KB"),
        (23456789, "22 MB"),
        (1048575, "1 MB"),
        (5 * 1024**4, "5 TB"),
    ],
)
def test_file_sizes_are_rounded_to_a_unit(size: int | None, shown: str) -> None:
    assert layout.file_size(size) == shown


@pytest.mark.parametrize(
    ("then", "age"),
    [
        ("2026-01-31T12:00:00Z", " (~ 0s ago)"),
        ("2026-01-31T12:00:07Z", " (~ 0s ago)"),
        ("2026-01-31T11:59:01Z", " (~ 59s ago)"),
        ("2026-01-31T11:58:01+00:00", " (~ 1m ago)"),
        ("2026-01-30T11:00:01Z", " (~ 24h ago)"),
        ("2026-01-30T10:59:59Z", ""),
    ],
)
def test_a_time_is_shown_with_its_age_while_that_is_short(then: str, age: str) -> None:
    local = datetime.fromisoformat(then).astimezone().strftime("%Y/%m/%d %H:%M:%S %z")
    assert layout.ago(then, NOW) == local + age


def test_counts_are_shown_as_the_official_cli_shows_them() -> None:
    assert layout.object_literal({}) == "{}"
    assert layout.object_literal({"web": 2, "my-worker": 1}) == "{ web: 2, 'my-worker': 1 }"
