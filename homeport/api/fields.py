"""Reading JSON bodies: each field is asked for by its type, and a wrong one is refused by its name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from homeport.errors import BadRequest, Invalid

MAX_TEXT = 64 * 1024

_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def parse(raw: bytes) -> Fields:
    """A body as fields; no body is no fields. Raises `BadRequest` for what is no JSON object."""
    if not raw.strip():
        return Fields({})
    try:
        # Parsed twice where a \\ud800 could hide: half a character, which nothing behind this could write down.
        value = json.loads(raw)
        if b"\\ud" in raw.lower():
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadRequest("The request body is not valid JSON.", fix="Send one JSON object, in UTF-8.") from None
    if not isinstance(value, dict):
        raise BadRequest("The request body must be a JSON object.", fix='Send something like {"name": "value"}.')
    return Fields(value)


class Fields:
    """The fields of a JSON object. `null` counts as left out. All raise `Invalid`, naming the field."""

    def __init__(self, values: Mapping[str, Any], path: str = "") -> None:
        self.values = values
        self._path = path

    def __contains__(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str) -> str:
        value = self.optional_text(name)
        if not value:
            raise Invalid(f"{self._path}{name} is required.")
        return value

    def optional_text(self, name: str) -> str | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._wrong(name, "a string")
        if "\x00" in value or len(value) > MAX_TEXT:
            raise self._wrong(name, f"a string without NUL and of at most {MAX_TEXT // 1024} KB")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        """Also 0, 1 and the words as strings: heroku3 switches maintenance off with `0`."""
        value = self.values.get(name)
        if value is None:
            return default
        word = str(value).lower() if isinstance(value, bool | int | str) else ""
        if word not in _FLAGS:
            raise self._wrong(name, "true or false")
        return _FLAGS[word]

    def number(self, name: str, *, least: int, most: int) -> int | None:
        """A whole number, also as a string: the CLI sends `--expires-in` as it was typed."""
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 18:
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise self._wrong(name, f"a whole number from {least} to {most}")
        return value

    def texts(self, name: str) -> list[str] | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(name, "a list of strings")
        return value

    def mapping(self, name: str) -> Mapping[str, Any]:
        value = self.values.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return value

    def nested(self, name: str) -> Fields:
        return Fields(self.mapping(name), f"{self._path}{name}.")

    def items(self, name: str) -> Sequence[Fields]:
        """A list of objects, each as fields."""
        value = self.values.get(name)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(name, "a list of objects")
        return [Fields(item, f"{self._path}{name}[{index}].") for index, item in enumerate(value)]

    def reference(self, name: str) -> str | None:
        """Something named as "x", or as {"id": "x"} or {"name": "x"}."""
        value = self.values.get(name)
        if isinstance(value, dict):
            inner = self.nested(name)
            return inner.optional_text("id") or inner.text("name")
        return self.optional_text(name)

    def _wrong(self, name: str, wanted: str) -> Invalid:
        return Invalid(f"{self._path}{name} must be {wanted}.")
