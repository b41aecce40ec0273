"""Heroku's ranges: how long lists are cut and walked.

https://devcenter.heroku.com/articles/platform-api-reference#ranges. Clients write them in many ways ("version ..;
order=desc,max=1", "id ..; max=1000;", "id ..; ;", nothing at all), so whatever cannot be understood is ignored and no
range is ever refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar
from urllib.parse import quote, unquote

T = TypeVar("T")
Value = int | str
Keys = Mapping[str, Callable[[T], Value]]
"""The fields a list may be sorted by, the default first. Values are unique in a list, or pages would lose some."""

DEFAULT_MAX = 200
LIMIT = 1000
MAX_HEADER = 500  # characters that are looked at

_OPTION = re.compile(r"\b(max|order)\s*=\s*([^\s,;]*)", re.IGNORECASE)
_BOUNDS = re.compile(r"(?:([A-Za-z_]\w*)(?=\s|$))?\s*(\]?)([^\s;,]*?)\s*\.\.\s*([^\s;,]*?)(\[?)\s*[,;\s]*")

_DOTS = re.compile(r"^\.|\.$|\.(?=\.)|(?<=\.)\.")  # those that could be taken for the ".." between two bounds


@dataclass(frozen=True)
class Bound:
    """One end of a range: up to this value, itself included or not."""

    value: str
    inclusive: bool = True


@dataclass(frozen=True)
class Range:
    """What a client asked for. `field` is None where the list's own default counts; `max` is in items."""

    field: str | None = None
    start: Bound | None = None
    end: Bound | None = None
    max: int = DEFAULT_MAX
    descending: bool = False

    def last_of(self, field: str) -> int | None:
        """How many items with the greatest values of this field are enough for a page; None if all are needed."""
        from_the_top = self.descending and self.field == field and self.start is None and self.end is None
        return self.max + 1 if from_the_top else None


@dataclass(frozen=True)
class Page(Generic[T]):
    """The cut: its items in order, and the headers that tell how it was cut."""

    items: Sequence[T]
    headers: Mapping[str, str]

    @property
    def partial(self) -> bool:
        return "Next-Range" in self.headers


def parse(header: str) -> Range:
    """A Range header's meaning; of what makes no sense, nothing."""
    header = header[:MAX_HEADER]
    found = Range()
    for name, value in _OPTION.findall(header):
        if name.lower() == "order":
            found = replace(found, descending=value.lower() == "desc")
        elif value.isascii() and value.isdigit():
            found = replace(found, max=min(max(int(value[:9]), 1), LIMIT))
    bounds = _BOUNDS.fullmatch(_OPTION.sub("", header).strip(" \t,;"))
    if bounds is None:
        return found
    field, after, start, end, before = bounds.groups()
    return replace(
        found,
        field=field,
        start=Bound(unquote(start), not after) if start else None,
        end=Bound(unquote(end), not before) if end else None,
    )


def render(wanted: Range) -> str:
    """The header that `parse` understands as this."""
    start = f"{'' if wanted.start.inclusive else ']'}{_encode(wanted.start.value)}" if wanted.start else ""
    end = f"{_encode(wanted.end.value)}{'' if wanted.end.inclusive else '['}" if wanted.end else ""
    field = f"{wanted.field} " if wanted.field else ""
    return f"{field}{start}..{end}; order={'desc' if wanted.descending else 'asc'},max={wanted.max}"


def cut(items: Sequence[T], wanted: Range, keys: Keys[T]) -> Page[T]:
    """The items the range asks for, in its order; `start` is the least value and `end` the greatest, in either one."""
    default = next(iter(keys))
    field = wanted.field if wanted.field in keys and wanted.field is not None else default
    if field != wanted.field:  # bounds of a field that this list does not have mean nothing here
        wanted = replace(wanted, field=field, start=None, end=None)
    key = keys[field]
    ordered = sorted(items, key=key, reverse=wanted.descending)
    inside = [item for item in ordered if _above(key(item), wanted.start) and _below(key(item), wanted.end)]
    page = inside[: wanted.max]
    headers = {"Accept-Ranges": ", ".join(keys)}
    if page:
        headers["Content-Range"] = f"{field} {_encode(str(key(page[0])))}..{_encode(str(key(page[-1])))}"
    if len(inside) > len(page):
        last = Bound(str(key(page[-1])), inclusive=False)
        headers["Next-Range"] = render(replace(wanted, end=last) if wanted.descending else replace(wanted, start=last))
    return Page(page, headers)


def _above(value: Value, low: Bound | None) -> bool:
    bound = _as(value, low)
    if low is None or bound is None:
        return True
    return value > bound or (low.inclusive and value == bound)  # type: ignore[operator] # of one type


def _below(value: Value, high: Bound | None) -> bool:
    bound = _as(value, high)
    if high is None or bound is None:
        return True
    return value < bound or (high.inclusive and value == bound)  # type: ignore[operator] # of one type


def _as(value: Value, bound: Bound | None) -> Value | None:
    """The bound in the type of the values; None when it cannot be one of them."""
    if bound is None:
        return None
    if isinstance(value, str):
        return bound.value
    text = bound.value.removeprefix("-")
    return int(bound.value) if text.isascii() and text.isdigit() and len(text) < 18 else None


def _encode(value: str) -> str:
    """Without the characters that the grammar itself uses."""
    return _DOTS.sub("%2E", quote(value, safe=":@+~*"))
