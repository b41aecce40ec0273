"""Which events are the same issue.

The rule of Sentry's documentation ("Issue Grouping"), in its simple form: the fingerprint that the app gives; or the
exceptions with the calls in the app's own code; or, for messages, the text before its parameters were put in.
"""

from __future__ import annotations

import hashlib
import json
import re

from homeport.tracker.events import Event, Raised
from homeport.tracker.frames import Frame, without_repetition, without_variables

_DEFAULT = re.compile(r"\{\{\s*default\s*\}\}")
_QUOTED = re.compile(r"'[^']{0,200}'|\"[^\"]{0,200}\"")

Key = list[object]


def digest(event: Event) -> bytes:
    """16 bytes that all events of an issue have in common."""
    written = json.dumps(_key(event), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(written.encode("utf-8", "replace")).digest()[:16]


def _key(event: Event) -> Key:
    if not event.fingerprint:
        return _default(event)
    key: Key = ["fingerprint"]
    for part in event.fingerprint:
        key.append(_default(event) if _DEFAULT.fullmatch(part) else part)
    return _default(event) if key == ["fingerprint", _default(event)] else key


def _default(event: Event) -> Key:
    if event.chain:
        return ["exception", *(_raised(raised) for raised in event.chain)]
    if event.template or event.message:
        return ["message", event.logger, without_variables(event.template or event.message)]
    if event.stack:
        return ["stack", _calls(event.stack)]
    return ["nothing", event.logger, event.transaction]


def _raised(raised: Raised) -> Key:
    """An exception's line numbers and message don't matter, where there are calls to tell it by."""
    kind = raised.type.rpartition(".")[2]
    if raised.frames:
        return [kind, _calls(raised.frames)]
    return [kind, without_variables(_QUOTED.sub("#", raised.value.partition("\n")[0]))]


def _calls(frames: tuple[Frame, ...]) -> list[tuple[str, str]]:
    own = [frame for frame in frames if frame.in_app] or list(frames)
    return without_repetition((frame.place, frame.called) for frame in own)
