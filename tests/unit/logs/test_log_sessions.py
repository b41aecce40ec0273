"""The URL of a log session grants what it says, to whom it was given, for as long as it says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.errors import Forbidden, Invalid, NotFound
from homeport.logs import Filter, Sessions

KEY = b"k" * 32


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time


def test_a_session_says_what_was_asked_for() -> None:
    clock = Clock()
    token = Sessions(KEY, clock=clock).issue("app-1", lines=7, tail=True, filter=Filter("app", "web.1"), ttl=60)
    session = Sessions(KEY, clock=clock).open(token)  # another process, the same key
    assert (session.app_id, session.lines, session.tail) == ("app-1", 7, True)
    assert session.filter == Filter("app", "web.1")
    assert session.issued_at == clock.time
    assert session.expires_at == clock.time + timedelta(seconds=60)


def test_tokens_are_safe_in_a_url() -> None:
    token = Sessions(KEY).issue("app-1", filter=Filter("ä/?&#%", "☕"))
    assert re.fullmatch(r"[A-Za-z0-9_.-]+", token)


@pytest.mark.parametrize(("tail", "seconds"), [(False, 300), (True, 24 * 3600)])
def test_a_fetch_lasts_minutes_and_a_tail_a_day(tail: bool, seconds: int) -> None:
    clock = Clock()
    sessions = Sessions(KEY, clock=clock)
    token = sessions.issue("app-1", tail=tail)
    clock.time += timedelta(seconds=seconds - 1)
    assert sessions.open(token).tail is tail
    clock.time += timedelta(seconds=1)
    with pytest.raises(Forbidden, match="expired"):
        sessions.open(token)


def test_more_lines_than_are_kept_means_all_of_them() -> None:
    sessions = Sessions(KEY)
    assert sessions.open(sessions.issue("app-1", lines=1_000_000)).lines == 1500
    assert sessions.open(sessions.issue("app-1", lines=1)).lines == 1
    assert sessions.open(sessions.issue("app-1", lines=0)).lines == 0


@pytest.mark.parametrize("lines", [-1, -1500])
def test_less_than_no_lines_make_no_session(lines: int) -> None:
    with pytest.raises(Invalid, match="not possible"):
        Sessions(KEY).issue("app-1", lines=lines)


def test_an_endless_filter_makes_no_session() -> None:
    with pytest.raises(Invalid, match="dyno"):
        Sessions(KEY).issue("app-1", filter=Filter(dyno="w" * 101))


def test_the_longest_token_that_is_issued_can_be_opened() -> None:
    sessions = Sessions(KEY)
    widest = Filter("\U0001f600" * 100, "\U0001f600" * 100)  # escaped to twelve characters each
    assert sessions.open(sessions.issue("a" * 64, filter=widest)).filter == widest


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Sessions(b"short")


def test_another_key_opens_nothing() -> None:
    with pytest.raises(NotFound):
        Sessions(b"x" * 32).open(Sessions(KEY).issue("app-1"))


@pytest.mark.parametrize("token", ["", ".", "..", "a", "a.b", "é.ü", "W10.W10", "\0.\0", "a" * 100_000, "=.=", "-_.-_"])
def test_rubbish_opens_nothing(token: str) -> None:
    with pytest.raises(NotFound):
        Sessions(KEY).open(token)


@given(st.data())
def test_no_changed_token_opens(data: st.DataObject) -> None:
    sessions = Sessions(KEY, clock=Clock())
    token = sessions.issue("app-1")
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCabc012-_").filter(lambda char: char != token[place]))
    changed = token[:place] + other + token[place + 1 :]
    with pytest.raises(NotFound):
        sessions.open(changed)
