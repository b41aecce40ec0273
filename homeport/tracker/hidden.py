"""The values of an app's config vars that must not be readable in an event, and how they are handed to the tracker.

They lie in a file beside the add-on's data, encrypted under a key of its own in `$HOMEPORT_HOME/secrets`: config vars
are nowhere on the disk in clear.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote, unquote, urlsplit

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SHORTEST = 6
"""Characters. Shorter values stand in too many innocent texts."""
SHOWN_OF_LONG = 48
"""SDKs cut long texts off; of a long value so many characters are enough to know it by."""

_NONCE = 12
_SENSITIVE = re.compile(
    r"SECRET|TOKEN|PASS|PWD|KEY|AUTH|CRED|DSN|PRIVATE|SALT|SIGN|CERT|HASH|COOKIE|SESSION|WEBHOOK|ENCRYPT|_URL$|_URI$",
    re.IGNORECASE,
)
_WORD = re.compile(
    r"[A-Za-z]+(?:[-_. ][A-Za-z]+)*|\d{1,7}|[\w.-]+\.[a-z]{2,10}(?:/[\w./-]*)?|https?://[\w.-]+(?::\d+)?/?"
)


def sensitive(variables: Mapping[str, str], from_addons: Iterable[str] = ()) -> set[str]:
    """The values that should be hidden: those of add-ons, those whose names say so, and those that look random."""
    ours = set(from_addons)
    found: set[str] = set()
    for name, value in variables.items():
        if name in ours or _SENSITIVE.search(name) or _looks_random(value):
            found |= _parts(value)
    return {value for value in found if len(value) >= SHORTEST}


def _parts(value: str) -> set[str]:
    """The value, the credentials in it if it is a URL, the lines of it if it is a key."""
    if _is_innocent(value):
        return set()
    parts = {value}
    if "://" in value:
        try:
            url = urlsplit(value)
            password, user = url.password, url.username
        except ValueError:
            return parts
        if not (password or user or url.query):
            return set()  # an address alone is no secret
        for secret in (password, user if not password else None):
            if secret:
                parts |= {secret, unquote(secret)}
    if "\n" in value:
        parts |= {line for line in value.splitlines() if len(line) >= 16 and not line.startswith("-----")}
    return parts


def _is_innocent(value: str) -> bool:
    return len(value) < SHORTEST or value.lower() in {"development", "production", "staging", "default", "localhost"}


def _looks_random(value: str) -> bool:
    """A long word that nobody would write: as keys are that have innocent names."""
    if len(value) < 20 or any(c.isspace() for c in value) or _WORD.fullmatch(value):
        return "://" in value and "@" in value
    kinds = (str.islower, str.isupper, str.isdigit)
    return sum(any(is_kind(c) for c in value) for is_kind in kinds) >= 2 and "/" not in value


@dataclass(frozen=True)
class Hidden:
    """Values to take out of texts; `repr` shows none of them."""

    values: frozenset[str] = field(default=frozenset(), repr=False)

    @cached_property
    def _forms(self) -> list[str]:
        """Each value as it may stand in a text: as it is, in a `repr`, in a URL; the longest first."""
        forms: set[str] = set()
        for value in self.values:
            forms |= {value, repr(value)[1:-1], json.dumps(value)[1:-1], quote(value, safe="")}
        starts = {form[:SHOWN_OF_LONG] for form in forms if len(form) > 2 * SHOWN_OF_LONG}
        return sorted(forms | starts, key=lambda form: (-len(form), form))

    @cached_property
    def _in_json(self) -> list[str]:
        return [json.dumps(form, ensure_ascii=False)[1:-1] for form in self._forms]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        whole = [re.escape(form) + (r"\S*" if len(form) == SHOWN_OF_LONG else "") for form in self._forms]
        return re.compile("|".join(whole) or r"(?!)")

    def may_be_in(self, written: str) -> bool:
        """Whether any of them is in an event, as JSON without escapes for what is not ASCII. Quick."""
        return any(form in written for form in self._in_json)

    def hide(self, text: str) -> str:
        return self._pattern.sub("[Filtered]", text)


NOTHING = Hidden()


def seal(key: bytes, value: object) -> str:
    """JSON, encrypted and made printable."""
    nonce = os.urandom(_NONCE)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, json.dumps(value).encode(), None)).decode()


def unseal(key: bytes, text: str) -> object:
    """None for what was not sealed with this key."""
    try:
        sealed = base64.b64decode(text)
        return json.loads(AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None))
    except (InvalidTag, ValueError):
        return None


def new_key() -> bytes:
    return AESGCM.generate_key(256)
