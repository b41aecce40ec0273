"""Taking values out of JSON that anybody may have sent: always of the type that is asked for, never too long."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What moves a terminal's cursor, ends a line or turns the direction of writing."""

MOST_ITEMS = 1000


def text(value: Any, limit: int) -> str:
    """A string of at most so many characters, "" for what is none. Numbers are taken as they are written."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value)[:limit] if isinstance(value, str | float) else str(value)[:limit] if abs(value) < 2**64 else ""


def line(value: Any, limit: int) -> str:
    """The same as one line without control characters."""
    return _CONTROL.sub(" ", text(value, limit * 4).replace("\n", " ").replace("\t", " ")).strip()[:limit]


def number(value: Any) -> int:
    """A whole number that a column can hold, 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return int(value) if abs(value) < 2**53 else 0


def mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list, or of `{"values": [...]}`, which Sentry writes for the same."""
    if isinstance(value, dict):
        value = value.get("values", [value])
    if not isinstance(value, list):
        return []
    return [item for item in value[:MOST_ITEMS] if isinstance(item, dict)]


def moment(value: Any, now: float) -> float:
    """Seconds since 1970 from a number or an ISO 8601 text. What can't be a time of the last month is `now`."""
    at = now
    if isinstance(value, int | float) and not isinstance(value, bool):
        at = float(value) if abs(value) < 1e12 else now
    elif isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value[:40])
            at = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            return now
    return at if now - 30 * 86400 <= at <= now + 60 else now
