"""What `heroku run`'s client gets in one chunk must make sense by itself."""

from __future__ import annotations

import itertools
import re

from hypothesis import given
from hypothesis import strategies as st

from homeport.dynos.framing import PIECE, SENTINEL, Framer, asks_for_status, sentinel

STATUS = re.compile(rb"\xef\xbf\xbf heroku-command-exit-status: (\d+)")


def frame(chunks: list[bytes]) -> tuple[list[bytes], Framer]:
    framer = Framer()
    pieces = [piece for chunk in chunks for piece in framer.feed(chunk)]
    return pieces + framer.end(), framer


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = sorted({0, len(data), *(place % (len(data) + 1) for place in at)})
    return [data[a:b] for a, b in itertools.pairwise(places)]


texts = st.text(st.characters(codec="utf-8"), max_size=200) | st.text("aé€😀\n\uffff ", max_size=9000)


@given(texts, st.lists(st.integers(0, 30_000), max_size=12))
def test_no_character_is_ever_split_and_no_byte_is_lost(text: str, at: list[int]) -> None:
    data = text.encode()
    pieces, _ = frame(cut(data, at))
    assert b"".join(pieces) == data
    for piece in pieces:
        piece.decode()
        assert 0 < len(piece) <= PIECE


@given(st.binary(max_size=6000), st.lists(st.integers(0, 6000), max_size=12))
def test_binary_output_is_not_lost_either(data: bytes, at: list[int]) -> None:
    pieces, _ = frame(cut(data, at))
    assert b"".join(pieces) == data


@given(texts, st.integers(0, 255), st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, 30_000), max_size=12))
def test_the_status_is_never_split_and_travels_alone(text: str, code: int, end: str, at: list[int]) -> None:
    data = f"{text}{SENTINEL}{code}{end}".encode()
    pieces, framer = frame(cut(data, at))
    assert b"".join(pieces) == data
    assert framer.saw_status
    found = [match[1] for piece in pieces if (match := STATUS.search(piece))]
    assert found[-1] == str(code).encode()
    assert pieces[-1].startswith("\uffff".encode())


def test_output_is_not_held_back_for_what_may_never_come() -> None:
    framer = Framer()
    assert framer.feed(b"$ ") == [b"$ "]
    assert framer.feed("é".encode()) == ["é".encode()]
    assert framer.feed("\uffff heroku".encode()) == []
    assert framer.feed(b"!") == ["\uffff heroku!".encode()]


def test_a_status_that_was_begun_and_not_ended_comes_at_the_end() -> None:
    pieces, framer = frame([f"{SENTINEL}4".encode()])
    assert pieces == [f"{SENTINEL}4".encode()]
    assert framer.saw_status


def test_a_status_is_not_waited_for_endlessly() -> None:
    framer = Framer()
    pieces = framer.feed(SENTINEL.encode() + b"x" * 100)
    assert b"".join(pieces) == SENTINEL.encode() + b"x" * 100
    assert not framer.saw_status


def test_who_wants_a_status() -> None:
    assert asks_for_status('exit 3 ; echo "\uffff heroku-command-exit-status: $?"')
    assert not asks_for_status("bash")
    match = STATUS.search(sentinel(3))
    assert match is not None
    assert match[1] == b"3"
