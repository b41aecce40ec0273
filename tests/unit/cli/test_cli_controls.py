"""Text from elsewhere cannot take a terminal over."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.cli.controls import Sieve, harmless

ESC = "\x1b"
HOSTILE = [
    (f"{ESC}]0;title\x07text", "text"),
    (f"{ESC}]52;c;cm0gLXJm{ESC}\\text", "text"),
    (f"{ESC}]8;;http://evil{ESC}\\link{ESC}]8;;{ESC}\\", "link"),
    ("\x9d0;title\x9ctext", "text"),
    (f"a{ESC}[2Jb{ESC}[1;1Hc{ESC}[?1049hd{ESC}[6ne", "abcde"),
    ("a\x9b2Jb", "ab"),
    (f"{ESC}Pq#0{ESC}\\text", "text"),
    (f"{ESC}(0text{ESC}c", "text"),
    ("over\rwritten", "over\nwritten"),
    ("bell\x07back\x08\x7f\x00", "bellback"),
    (f"{ESC}]0;never ends\nnext", "0;never ends\nnext"),
    (f"half {ESC}", "half "),
    (f"half {ESC}[3", "half 3"),
]
KEPT = ["plain", "tab\tnew\nline\r\n", f"{ESC}[31mred{ESC}[0m {ESC}[1;38;5;200mx{ESC}[m", "hëllo ☕ 日本", ""]


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_what_moves_or_commands_a_terminal_is_taken_out(text: str, shown: str) -> None:
    assert harmless(text) == shown


@pytest.mark.parametrize("text", KEPT)
def test_text_and_colours_stay(text: str) -> None:
    assert harmless(text) == text


@given(st.text(alphabet=st.sampled_from([*"\x1b\x9b\x9d\x90\x07\x9c\r\n\\]P[;0m8Jab"])))
def test_whatever_comes_only_colours_are_left(text: str) -> None:
    left = harmless(text)
    without_colours = "".join(part for part in _split_colours(left))
    assert not any((ord(c) < 32 and c not in "\n\t\r") or 0x7F <= ord(c) < 0xA0 for c in without_colours)
    assert harmless(left) == left


def _split_colours(text: str) -> list[str]:
    import re

    return re.split(r"\x1b\[[0-9;:]*m", text)


@pytest.mark.parametrize(("text", "shown"), [*HOSTILE, *((text, text) for text in KEPT)])
def test_pieces_are_as_harmless_as_the_whole(text: str, shown: str) -> None:
    for cut in range(len(text) + 1):
        sieve = Sieve()
        assert sieve.feed(text[:cut]) + sieve.feed(text[cut:]) + sieve.end() == shown, cut


def test_a_sieve_holds_no_more_than_a_sequence() -> None:
    sieve = Sieve()
    assert sieve.feed(f"shown {ESC}]0;title") == "shown "
    assert "x" * 300 in sieve.feed("x" * 300)


@pytest.mark.parametrize("begin", ["\x9d", "\x90", "\x9e"])
def test_a_line_of_beginnings_is_no_work(begin: str) -> None:
    """Sixty thousand of them would take twenty seconds if each were followed to the end of the line."""
    began = time.process_time()
    assert harmless(begin * 60_000) == ""
    assert time.process_time() - began < 8
