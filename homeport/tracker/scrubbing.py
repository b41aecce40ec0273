"""Secrets are taken out of events before anything is written down.

Three rules: values under names that say what they are (`password`, `Authorization`); texts that look like a secret
wherever they stand (credentials in a URL, bearer tokens, private keys, card numbers); and the values of the app's own
config vars (`hidden`). SDKs scrub too, less; the rules are those of Sentry's server-side scrubbing and more:
https://docs.sentry.io/security-legal-pii/scrubbing/server-side-scrubbing/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from homeport.tracker.hidden import NOTHING, Hidden

FILTERED = "[Filtered]"
MAX_DEPTH = 40
"""Of objects within objects; what lies deeper is left out."""
MAX_TEXT = 8192
"""Characters of one text in an event."""

REMEMBERED_TEXT = 400
SHORTEST_CARD = 13
_SMALLEST_CARD = 10 ** (SHORTEST_CARD - 1)

_NAMES = re.compile(
    r"passw|passphrase|secret|token|api[-_ ]?key|access[-_]?key|private[-_]?key|secret[-_]?key|signing[-_]?key"
    r"|encryption[-_]?key|auth(?!or(?!i[sz]))|credential|cookie|csrf|xsrf|session(?:id|key|_id|_key)|^session$|^sid$|^pwd$|_pwd"
    r"|^pw$|dsn$|database_url|redis_url|^jwt|bearer|card[-_]?num|cardnumber|credit[-_]?card|^cvc$|^cvv|^ssn$|^pin$"
    r"|signature|^otp|iban|connection[-_]?string",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"^(?:token_type|auth_type|authors?|author_\w+|authenticated|is_authenticated|max_tokens)$", re.IGNORECASE
)

_ASSIGNED = re.compile(
    r"(?i)((?:passw(?:or)?d|passphrase|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|secret[-_]?key"
    r"|credentials?|authorization|cookie|sessionid|pwd)[\w-]{0,30}[\"']?\s{0,3}(?:=|:|%3D)\s{0,3})"
    r"(?!\[Filtered\])(\"[^\"]{0,4000}\"?|'[^']{0,4000}'?|[^\s\"'&;,)}\]]{1,4000})"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]{0,20000}(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?)?"
        ),
        FILTERED,
    ),
    (re.compile(r"(://)[^\s/?#@\"'<>]{0,500}@"), rf"\1{FILTERED}@"),
    (re.compile(r"(?i)\b(bearer|basic|digest)\s+[A-Za-z0-9._~+/=:-]{8,8000}"), rf"\1 {FILTERED}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{5,4000}\.[A-Za-z0-9_-]{4,8000}(?:\.[A-Za-z0-9_-]{0,2000})?"), FILTERED),
    (
        re.compile(
            r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{8,200}"
            r"|\bgh[pousr]_[A-Za-z0-9]{20,255}|\bgithub_pat_\w{20,255}|\bxox[abprs]-[A-Za-z0-9-]{10,200}"
            r"|\bHRKU-[\w-]{20,200}"
        ),
        FILTERED,
    ),
)
_CARD = re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-]|\.\d)")
_SUSPICIOUS = re.compile(
    r"://|bearer|basic|digest|private key|eyj|akia|asia|_live_|_test_|gh[pousr]_|github_pat_|xox|hrku-|passw|passphrase"
    r"|secret|token|key|credential|authorization|cookie|sessionid|pwd"
)
"""In lower case, without which there is nothing for the patterns: it is asked first, because it is quick."""

_PICTURES = {
    **{code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A)},
    **dict.fromkeys((*range(0x7F, 0xA0), 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)), "\ufffd"),
}
"""What moves a terminal's cursor or turns the direction of writing, as something that is seen and does nothing."""
_SOURCE = frozenset({"context_line", "pre_context", "post_context"})
"""Lines of code: `token = read()` shall stay readable there."""
_PLAIN = frozenset({"event_id", "filename", "abs_path", "module", "function", "type", "timestamp", "platform", "level"})


def scrub(raw: Mapping[str, Any], hidden: Hidden = NOTHING) -> dict[str, Any]:
    """A copy of an event without what should not be read by anybody."""
    hides = hidden is not NOTHING and hidden.may_be_in(json.dumps(raw, ensure_ascii=False))
    cleaned = _Scrubber(hidden if hides else NOTHING).clean(raw, "", 0)
    return cleaned if isinstance(cleaned, dict) else {}


def scrub_text(text: str, hidden: Hidden = NOTHING) -> str:
    """One text, by the same rules."""
    return _Scrubber(hidden).text(text, "")


@lru_cache(maxsize=4096)
def is_secret(name: str) -> bool:
    """Whether what is called so should not be read."""
    return _NAMES.search(name) is not None and _HARMLESS.match(name) is None


class _Scrubber:
    def __init__(self, hidden: Hidden) -> None:
        self._hide: Callable[[str], str] | None = hidden.hide if hidden is not NOTHING else None

    def clean(self, value: Any, name: str, depth: int) -> Any:
        if isinstance(value, str):
            return self.text(value, name)
        if isinstance(value, dict):
            return self._object(value, depth) if depth < MAX_DEPTH else {}
        if isinstance(value, list):
            return self._list(value, name, depth) if depth < MAX_DEPTH else []
        if isinstance(value, int) and (self._hide is not None or abs(value) >= _SMALLEST_CARD):
            shown = self.text(str(value), name)
            return value if shown == str(value) else shown
        return value

    def _object(self, value: Mapping[str, Any], depth: int) -> dict[str, Any]:
        cleaned: dict[str, Any] = {}
        for key, inner in value.items():
            known = key if self._hide is None and key.isprintable() else self.text(key, "")
            if inner is not None and is_secret(key) and not (key == "cookies" and inner == {}):
                cleaned[known] = _blank(inner)
            else:
                cleaned[known] = self.clean(inner, key, depth + 1)
        return cleaned

    def _list(self, value: list[Any], name: str, depth: int) -> list[Any]:
        if len(value) == 2 and isinstance(value[0], str) and is_secret(value[0]) and isinstance(value[1], str):
            return [value[0], FILTERED]  # headers, query strings and tags come as pairs too
        return [self.clean(item, name, depth + 1) for item in value]

    def text(self, value: str, name: str) -> str:
        if len(value) > MAX_TEXT:
            value = value[: MAX_TEXT - 1] + "…"
        if self._hide is not None:
            value = self._hide(value)
        if name in _PLAIN:
            return value if value.isprintable() else value.translate(_PICTURES)
        clean = _clean_often if len(value) <= REMEMBERED_TEXT else _clean
        return clean(value, name in _SOURCE)


def _clean(text: str, is_source: bool) -> str:
    if not text.isprintable():
        text = text.translate(_PICTURES)
    if _SUSPICIOUS.search(text.lower()):
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        if not is_source:
            text = _ASSIGNED.sub(_without_value, text)
    return _CARD.sub(_without_card, text) if len(text) >= SHORTEST_CARD else text


_clean_often = lru_cache(maxsize=20_000)(_clean)
"""The same lines of code and local variables stand in most events of an app."""


def _blank(value: Any) -> Any:
    """The shape of a value without what it says: whether there were cookies may matter."""
    if isinstance(value, dict):
        return {key: FILTERED for key in value if len(key) < 200}
    return FILTERED


def _without_value(match: re.Match[str]) -> str:
    quote = match[2][0] if match[2][0] in "\"'" else ""
    return f"{match[1]}{quote}{FILTERED}{quote}"


def _without_card(match: re.Match[str]) -> str:
    digits = [int(c) for c in match[0] if c.isdigit()]
    doubled = [d if index % 2 == 0 else (d * 2 - 9 if d > 4 else d * 2) for index, d in enumerate(reversed(digits))]
    return FILTERED if sum(doubled) % 10 == 0 and len(set(digits)) > 1 else match[0]
