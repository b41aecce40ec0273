"""Anything a process may print becomes lines that are safe to keep and to show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.logs.text import MAX_LINE_BYTES, MAX_PIECES, decode, lines_of


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("plain", ["plain"]),
        ("windows\r", ["windows"]),
        ("windows\r\n", ["windows"]),
        ("two\r\nlines", ["two", "lines"]),
        ("a\n\nb\n", ["a", "", "b"]),
        ("\ttab", ["\ttab"]),
        ("\x1b[32mgreen\x1b[0m", ["\x1b[32mgreen\x1b[0m"]),
        ("\x1b[1;38:5:200mmany\x1b[m", ["\x1b[1;38:5:200mmany\x1b[m"]),
        ("\x1b]0;title\x07\x1b[2J\x1bc\x1b", ["␛]0;title␇␛[2J␛c␛"]),
        ("10%\r20%", ["10% 20%"]),
        ("nul\x00 bell\x07 del\x7f", ["nul␀ bell␇ del␡"]),
        ("c1 \x9b31m", ["c1 \ufffd31m"]),
        ("other\u2028line\u2029breaks\x85here\x0b\x0c", ["other line breaks here  "]),
        ("lone \ud800 surrogate", ["lone \ufffd surrogate"]),
        ("no-break\u00a0space stays", ["no-break\u00a0space stays"]),
    ],
)
def test_cleaning(text: str, lines: list[str]) -> None:
    assert lines_of(text) == lines


def test_bytes_that_are_no_utf8_are_marked() -> None:
    assert decode(b"caf\xe9 \xe2\x98\x95") == "caf\ufffd ☕"


def test_a_long_line_becomes_several_and_loses_nothing() -> None:
    text = "é" * 12_345  # two bytes each: no piece may end inside one
    pieces = lines_of(text)
    assert "".join(pieces) == text
    assert [len(piece.encode()) for piece in pieces] == [10_000, 10_000, 4_690]


def test_exactly_the_limit_is_one_line() -> None:
    assert lines_of("x" * MAX_LINE_BYTES) == ["x" * MAX_LINE_BYTES]


def test_an_endless_line_is_cut_and_says_so() -> None:
    assert lines_of(decode(b"x" * 3_000_000))[-1] == "[2000000 more bytes of this line were not kept]"
    assert lines_of("x" * 3_000_000)[-1] == "[2000000 more bytes of this line were not kept]"
    assert len(lines_of("x" * 3_000_000)) == MAX_PIECES + 1


@pytest.mark.slow
@given(st.one_of(st.text(), st.binary().map(decode), st.text(min_size=2_000).map(lambda text: text * 30)))
def test_every_line_is_safe(text: str) -> None:
    for line in lines_of(text):
        assert len(line.encode()) <= MAX_LINE_BYTES
        assert not set(line) & set("\n\r\x00\x07\x7f\x85\x9b\u2028\u2029")
        assert len(line.splitlines()) <= 1
