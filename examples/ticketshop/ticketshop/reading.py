"""Reading what clients send: every field is checked before anything believes it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from flask import request

from .problems import Problem

UNKEPT = re.compile("[\0\ud800-\udfff]")
"""NUL and the halves of pairs (\\ud800) are characters for JSON and none for Postgres."""


def body() -> dict[str, Any]:
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise Problem(400, "bad_request", "Send a JSON object, with Content-Type: application/json.")
    return sent


def text(sent: dict[str, Any], field: str, *, longest: int, shortest: int = 1) -> str:
    value = sent.get(field, "")
    if not isinstance(value, str) or not shortest <= len(value.strip()) <= longest or UNKEPT.search(value):
        raise Problem(422, "invalid", f"{field} is a text of {shortest} to {longest} characters.")
    return value.strip()


def whole(sent: dict[str, Any], field: str, *, least: int, most: int) -> int:
    value = sent.get(field)
    if type(value) is not int or not least <= value <= most:  # isinstance would take True for 1
        raise Problem(422, "invalid", f"{field} is a whole number from {least} to {most}.")
    return value


def moment(sent: dict[str, Any], field: str) -> datetime:
    try:
        value = datetime.fromisoformat(text(sent, field, longest=40))
        if value.tzinfo is not None:
            return value.astimezone(UTC)
    except (ValueError, OverflowError):  # no time; one that falls out of the calendar on its way to UTC
        pass
    raise Problem(422, "invalid", f"{field} is a time like 2030-05-01T20:00:00Z.")


def idempotency_key() -> str:
    """The client's own name for what it asks for. A retry with the same key cannot happen twice."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if not 8 <= len(key) <= 80 or UNKEPT.search(key):
        raise Problem(400, "no_idempotency_key", "Send a header Idempotency-Key of 8 to 80 characters, new per purchase.")
    return key
