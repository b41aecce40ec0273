from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from homeport.engine.shim.lines import LINE_LIMIT, Lines, split


def everything(lines: Lines) -> tuple[int, list[bytes]]:
    dropped, taken = 0, []
    while lines:
        gone, some = lines.take()
        dropped += gone
        taken += some
    return dropped, taken


@settings(deadline=None)
@given(st.lists(st.binary(max_size=50)))
def test_chunks_come_back_as_lines_wherever_they_were_cut(chunks: list[bytes]) -> None:
    lines = Lines()
    for chunk in chunks:
        lines.feed(chunk)
    lines.end()
    text = b"".join(chunks)
    whole = text.split(b"\n")
    if not whole[-1]:
        whole.pop()
    assert everything(lines) == (0, whole)


def test_a_line_comes_only_when_it_is_complete() -> None:
    lines = Lines()
    lines.feed(b"half a ")
    assert not lines
    lines.feed(b"line\nand")
    assert everything(lines) == (0, [b"half a line"])
    lines.end()
    assert everything(lines) == (0, [b"and"])
    lines.end()
    assert not lines


def test_lines_are_taken_in_batches_oldest_first() -> None:
    lines = Lines()
    lines.feed(b"1\n2\n3\n")
    lines.feed(b"4\n")
    assert lines.take(2) == (0, [b"1", b"2"])
    assert lines.take(2) == (0, [b"3", b"4"])
    assert lines.take(2) == (0, [])


@settings(deadline=None)  # a loaded machine is no failure
@given(st.lists(st.integers(1, 3000), min_size=1, max_size=60), st.integers(0, 5))
def test_what_does_not_fit_is_dropped_oldest_first_and_counted(sizes: list[int], takes: int) -> None:
    lines = Lines(limit=20_000)
    count = 0
    taken: list[bytes] = []
    dropped = 0
    for place, size in enumerate(sizes):
        lines.feed(b"".join(b"%d\n" % number for number in range(count, count + size)))
        count += size
        assert lines.size <= 20_000 or len(lines.chunks) == 1
        if place % 6 < takes:
            gone, some = lines.take(100)
            dropped, taken = dropped + gone, taken + some
    gone, some = everything(lines)
    dropped, taken = dropped + gone, taken + some
    numbers = [int(line) for line in taken]
    assert numbers == sorted(numbers)
    assert dropped + len(taken) == count
    assert numbers[-1] == count - 1


def test_memory_is_bounded_for_empty_lines_and_for_lines_that_never_end() -> None:
    lines = Lines(limit=100_000)
    for _ in range(100_000):
        lines.feed(b"\n")
    assert len(lines.chunks) < 2_000
    for _ in range(1_000):
        lines.feed(b"\0" * 65_536)
    assert len(lines.rest) <= LINE_LIMIT
    assert sum(map(len, lines.chunks)) <= 100_000


def test_a_long_line_is_split_and_nothing_of_it_lost() -> None:
    lines = Lines()
    text = b"0123456789" * 2_500
    lines.feed(text + b"\nshort\n")
    assert everything(lines) == (0, [text[:10_000], text[10_000:20_000], text[20_000:], b"short"])


def test_a_line_of_just_the_limit_is_left_whole() -> None:
    lines = Lines()
    lines.feed(b"x" * LINE_LIMIT)
    lines.feed(b"\ny\n")
    assert everything(lines) == (0, [b"x" * LINE_LIMIT, b"y"])


@settings(deadline=None)
@given(st.integers(0, 7))
def test_a_cut_never_goes_through_a_character(offset: int) -> None:
    line = b"a" * offset + "€".encode() * 10_000
    pieces = split(line)
    assert b"".join(pieces) == line
    assert all(len(piece) <= LINE_LIMIT for piece in pieces)
    for piece in pieces:
        piece.decode()


def test_bytes_that_are_no_text_are_cut_at_the_limit() -> None:
    assert [len(piece) for piece in split(b"\x80" * 25_000)] == [10_000, 10_000, 5_000]
