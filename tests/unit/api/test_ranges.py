from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeport.api import ranges
from homeport.api.ranges import Bound, Range

NUMBERS: ranges.Keys[int] = {"version": lambda n: n, "name": lambda n: f"n{n:09}"}
NAMES: ranges.Keys[str] = {"name": lambda name: name}


@pytest.mark.parametrize(
    ("header", "meaning"),
    [
        # Seen from the official CLI
        ("version ..; order=desc,max=1", Range("version", max=1, descending=True)),
        ("version ..; max=15, order=desc", Range("version", max=15, descending=True)),
        ("id ..; max=1000;", Range("id", max=1000)),
        ("created_at ..; max=15, order=desc", Range("created_at", max=15, descending=True)),
        ("seq ..; order=desc,max=1000", Range("seq", max=1000, descending=True)),
        # from heroku3 and others
        ("domain ..; ;", Range("domain")),
        ("id ..; ;", Range("id")),
        ("id ]01234567-89ab..; max=200", Range("id", Bound("01234567-89ab", inclusive=False))),
        (
            "name my-app..my-other-app[; order=desc;",
            Range("name", Bound("my-app"), Bound("my-other-app", False), 200, True),
        ),
        ("..", Range()),
        ("max=5", Range(max=5)),
        ("order=desc; id ..", Range("id", descending=True)),
        ("id   ..   ;   MAX=7 ORDER=DESC", Range("id", max=7, descending=True)),
        # Nonsense is no range
        ("", Range()),
        ("bytes=0-499", Range()),
        ("id", Range()),
        ("max=many, order=sideways", Range()),
        ("id ..; max=0", Range("id", max=1)),
        ("id ..; max=99999999999999999999", Range("id", max=1000)),
    ],
)
def test_what_headers_mean(header: str, meaning: Range) -> None:
    assert ranges.parse(header) == meaning


@given(st.text())
def test_no_header_is_refused(header: str) -> None:
    wanted = ranges.parse(header)
    assert 1 <= wanted.max <= ranges.LIMIT
    assert set(ranges.cut([3, 1, 2], wanted, NUMBERS).items) <= {1, 2, 3}


@given(st.text(alphabet=" .;,]=[maxorder0123456789id", max_size=2000))
def test_no_header_that_looks_like_one_is_refused_or_slow(header: str) -> None:
    ranges.parse(header)


names_of_grammar = st.text(alphabet=".;,[]= %+x0", min_size=1, max_size=6)
bounds = st.none() | st.builds(Bound, st.text(min_size=1, max_size=20) | names_of_grammar, st.booleans())


@given(
    st.builds(
        Range,
        field=st.none()
        | st.from_regex(r"[a-z_]{1,20}", fullmatch=True).filter(lambda name: name not in ("max", "order")),
        start=bounds,
        end=bounds,
        max=st.integers(1, ranges.LIMIT),
        descending=st.booleans(),
    )
)
def test_what_is_written_is_what_is_read(wanted: Range) -> None:
    assert ranges.parse(ranges.render(wanted)) == wanted


@given(
    st.sets(st.integers(0, 10**6), max_size=60), st.integers(1, 10), st.booleans(), st.sampled_from(["version", "name"])
)
def test_a_walk_meets_everything_once_and_in_order(items: set[int], most: int, descending: bool, field: str) -> None:
    seen: list[int] = []
    header: str | None = f"{field} ..; max={most}, order={'desc' if descending else 'asc'}"
    while header is not None:
        page = ranges.cut(list(items), ranges.parse(header), NUMBERS)
        assert len(page.items) <= most
        assert page.partial == ("Next-Range" in page.headers)
        seen.extend(page.items)
        header = page.headers.get("Next-Range")
    assert seen == sorted(items, reverse=descending)


@given(st.sets(st.text(min_size=1, max_size=30) | names_of_grammar, max_size=20))
def test_a_walk_survives_names_made_of_the_grammar(names: set[str]) -> None:
    seen: list[str] = []
    header: str | None = "name ..; max=1"
    while header is not None:
        assert header.isascii()
        page = ranges.cut(list(names), ranges.parse(header), NAMES)
        seen.extend(page.items)
        header = page.headers.get("Next-Range")
    assert seen == sorted(names)


@given(st.lists(st.integers(0, 50), unique=True), st.integers(0, 50), st.integers(0, 50), st.booleans())
def test_bounds_hold_in_either_order(items: list[int], low: int, high: int, descending: bool) -> None:
    order = "desc" if descending else "asc"
    page = ranges.cut(items, ranges.parse(f"version {low}..{high}; order={order}"), NUMBERS)
    assert sorted(page.items) == sorted(item for item in items if low <= item <= high)
    page = ranges.cut(items, ranges.parse(f"version ]{low}..{high}[; order={order}"), NUMBERS)
    assert sorted(page.items) == sorted(item for item in items if low < item < high)


def test_a_bound_that_cannot_be_a_value_bounds_nothing() -> None:
    assert list(ranges.cut([2, 1], ranges.parse("version x..y"), NUMBERS).items) == [1, 2]
    assert list(ranges.cut([2, 1], ranges.parse("colour 2.."), NUMBERS).items) == [1, 2]


def test_the_headers_tell_what_was_cut() -> None:
    page = ranges.cut([3, 1, 2], ranges.parse("version ..; max=2"), NUMBERS)
    assert page.headers == {
        "Accept-Ranges": "version, name",
        "Content-Range": "version 1..2",
        "Next-Range": "version ]2..; order=asc,max=2",
    }
    assert ranges.cut([], Range(), NUMBERS).headers == {"Accept-Ranges": "version, name"}


@given(st.integers(0, 30), st.integers(1, 10))
def test_the_last_few_are_enough_for_a_page_from_the_top(count: int, most: int) -> None:
    wanted = ranges.parse(f"version ..; order=desc,max={most}")
    enough = wanted.last_of("version")
    assert enough is not None
    everything = list(range(count))
    assert ranges.cut(everything[-enough:], wanted, NUMBERS) == ranges.cut(everything, wanted, NUMBERS)


@pytest.mark.parametrize("header", ["version ..", "version ..5; order=desc", "name ..; order=desc", "..; order=desc"])
def test_other_pages_need_everything(header: str) -> None:
    assert ranges.parse(header).last_of("version") is None


def test_two_hundred_unless_more_are_asked_for() -> None:
    many = list(range(1500))
    assert len(ranges.cut(many, ranges.parse(""), NUMBERS).items) == 200
    assert len(ranges.cut(many, ranges.parse("version ..; max=5000"), NUMBERS).items) == 1000
