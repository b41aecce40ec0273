"""The words of a search: `is:unresolved level:error release:v12 "division by zero"`.

A small part of Sentry's own: https://docs.sentry.io/concepts/search/
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from homeport.errors import Invalid
from homeport.tracker.events import LEVELS, Source

MAX_QUERY = 500

_WORD = re.compile(r'(?P<not>!?)(?:(?P<key>[a-z]+):)?(?:"(?P<quoted>[^"]*)"|(?P<plain>\S+))')
_STATUSES = ("unresolved", "resolved", "ignored")
_COLUMNS = ("type", "text", "file", "function", "logger")

Value = str | float | int


@dataclass(frozen=True)
class Condition:
    """A part of a WHERE clause about `issues`, and its values."""

    sql: str = "1"
    values: tuple[Value, ...] = ()


def condition(query: str) -> Condition:
    """All words must hold. Raises `Invalid` for a word that means nothing."""
    if len(query) > MAX_QUERY:
        raise Invalid(f"A search has at most {MAX_QUERY} characters.")
    parts = [_part(match) for match in _WORD.finditer(query)]
    return Condition(" AND ".join(part.sql for part in parts) or "1", tuple(v for part in parts for v in part.values))


def _part(match: re.Match[str]) -> Condition:
    word = match["quoted"] if match["quoted"] is not None else match["plain"]
    found = _said(match["key"], word, match[0])
    return Condition(f"NOT ({found.sql})", found.values) if match["not"] else found


def _said(key: str | None, word: str, whole: str) -> Condition:
    match key:
        case "is":
            return _is(word)
        case "level":
            if word not in LEVELS:
                raise Invalid(f"{word[:40]!r} is no level.", fix=f"Levels are {', '.join(LEVELS)}.")
            return Condition("level = ?", (word,))
        case "release":
            return Condition(
                "EXISTS (SELECT 1 FROM facets WHERE issue = issues.id AND kind IN ('release', 'version') "
                "AND value LIKE ? ESCAPE '\\')",
                (_like(word, whole=True),),
            )
        case "environment" | "env":
            return Condition(
                "EXISTS (SELECT 1 FROM facets WHERE issue = issues.id AND kind = 'environment' "
                "AND value LIKE ? ESCAPE '\\')",
                (_like(word, whole=True),),
            )
        case "source":
            if word not in {source.value for source in Source}:
                raise Invalid(f"{word[:40]!r} is no source.", fix="Sources are sdk and logs.")
            return Condition("source = ?", (word,))
        case "type" | "file" | "function" | "logger":
            return Condition(f"{key} LIKE ? ESCAPE '\\'", (_like(word, whole="*" in word),))
    text = word if key is None else whole.removeprefix("!").replace('"', "")
    sql = " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for column in _COLUMNS)
    return Condition(f"({sql})", (_like(text, whole=False),) * len(_COLUMNS))


def _is(word: str) -> Condition:
    if word in _STATUSES:
        return Condition("status = ?", (word,))
    if word in ("regressed", "regression"):
        return Condition("status = 'unresolved' AND regressed_at IS NOT NULL")
    raise Invalid(f"{word[:40]!r} is nothing that an issue can be.", fix=f"Say is:{', is:'.join(_STATUSES)}.")


def _like(word: str, *, whole: bool) -> str:
    """A pattern in which only `*` stands for anything."""
    escaped = re.sub(r"([\\%_])", r"\\\1", word).replace("*", "%")
    return escaped if whole else f"%{escaped}%"
