"""Sentry's envelopes: a line of JSON about all, then for each item a line of JSON about it, and its content.

https://develop.sentry.dev/sdk/foundations/envelopes/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from homeport.errors import BadRequest

MAX_ITEMS = 1000
MAX_HEADER = 64 * 1024


@dataclass(frozen=True)
class Item:
    """`type` is Sentry's word ("event", "transaction"); `content` is whatever that type has."""

    type: str
    content: bytes


@dataclass(frozen=True)
class Envelope:
    headers: Mapping[str, Any]
    items: tuple[Item, ...]


def parse(raw: bytes) -> Envelope:
    """Raises `BadRequest` for what is none."""
    first, place = _line(raw, 0)
    headers = _header(first)
    items: list[Item] = []
    while place < len(raw):
        line, place = _line(raw, place)
        if not line.strip():  # lines between items, and at the end
            continue
        if len(items) == MAX_ITEMS:
            raise BadRequest(f"The envelope has more than {MAX_ITEMS} items.")
        about = _header(line)
        content, place = _content(raw, place, about.get("length"))
        type_ = about.get("type")
        items.append(Item(type_ if isinstance(type_, str) else "", content))
    return Envelope(headers, tuple(items))


def read_json(raw: bytes) -> Any:
    """JSON that can be written down again, whatever it holds. Raises `BadRequest`."""
    try:
        value = json.loads(raw, parse_constant=lambda _: None)  # NaN is no JSON, and SDKs send it
        if b"\\ud" in raw or b"\\uD" in raw:  # may be half a character, which nothing behind this could write down
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise BadRequest("That is not valid JSON.") from None
    return value


def _line(raw: bytes, start: int) -> tuple[bytes, int]:
    """The line that begins at `start`, and where the next one does."""
    end = raw.find(b"\n", start)
    return (raw[start:], len(raw)) if end < 0 else (raw[start:end], end + 1)


def _header(line: bytes) -> Mapping[str, Any]:
    if len(line) > MAX_HEADER:
        raise BadRequest("A header of the envelope is too long.")
    value = read_json(line)
    if not isinstance(value, dict):
        raise BadRequest("A header of the envelope is no JSON object.")
    return value


def _content(raw: bytes, start: int, length: Any) -> tuple[bytes, int]:
    if length is None:
        return _line(raw, start)
    if isinstance(length, bool) or not isinstance(length, int) or not 0 <= length <= len(raw) - start:
        raise BadRequest("An item of the envelope is not as long as it says.")
    end = start + length
    if raw[end : end + 1] not in (b"", b"\n"):
        raise BadRequest("An item of the envelope is longer than it says.")
    return raw[start:end], end + 1
