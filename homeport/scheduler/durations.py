"""Spans of time as people write them: 90s, 30m, 2h, 1d."""

from __future__ import annotations

import re
from datetime import timedelta

from homeport.errors import Invalid

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "": 1}
_SPAN = re.compile(r"([0-9]{1,6})([smhd]?)")

LONGEST = timedelta(days=366)


def duration(text: str) -> timedelta:
    """A number alone is seconds. Raises `Invalid`."""
    found = _SPAN.fullmatch(text.strip().lower())
    span = timedelta(seconds=int(found[1]) * _UNITS[found[2]]) if found else None
    if span is None or span > LONGEST:
        raise Invalid(f"{text[:20]!r} is no span of time.", fix="Write it like 90s, 30m, 2h or 1d; a year is the most.")
    return span
