"""An error event as a person reads it in a terminal: the traceback as Python prints it, and what was going on.

What stands in an event may come from anybody; nothing of it may move the cursor, change colours or break a line.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from homeport.cli import layout
from homeport.cli.ink import Ink

Item = Mapping[str, Any]

BREADCRUMBS = 8
VALUE = 300
"""Characters of a value."""
FRAMES = 60
LIBRARIES = 3
"""Frames of libraries in a row that are shown; of longer rows the first and last one."""

_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CAUSE = "The above exception was the direct cause of the following exception:"
_CONTEXT = "During handling of the above exception, another exception occurred:"


def safe(text: object) -> str:
    """A text as one line that a terminal only shows."""
    return _UNSAFE.sub(_picture, str(text))


def ago(text: str, now: datetime) -> str:
    """`3 min ago`"""
    seconds = max(0, int((now - layout.moment(text)).total_seconds()))
    if seconds < 60:
        return "just now" if seconds < 5 else f"{seconds} s ago"
    if seconds < 3600:
        return f"{seconds // 60} min ago"
    if seconds < 86400:
        return f"{seconds // 3600} h ago"
    days = seconds // 86400
    return "1 day ago" if days == 1 else f"{days} days ago"


def level(name: str, ink: Ink) -> str:
    painters = {"fatal": ink.failure, "error": ink.failure, "warning": ink.warning, "info": ink.info}
    return painters.get(name, ink.dim)(safe(name))


def page(kept: Item, ink: Ink, now: datetime) -> list[str]:
    """The lines of a page about one event, as the API gives it."""
    event = _mapping(kept.get("event"))
    lines = [f"{ink.label('===')} {ink.label('Event')} {kept['id']} ({ago(kept['at'], now)})", ""]
    lines += _traceback(event, ink)
    lines += _section("Request", _request(_mapping(event.get("request"))), ink)
    lines += _section("User", _pairs(_mapping(event.get("user"))), ink)
    lines += _section("Tags", _pairs(_tags(event.get("tags"))), ink)
    lines += _section("More", _pairs(_mapping(event.get("extra"))), ink)
    lines += _section("Before it", _breadcrumbs(event), ink)
    return lines


def _traceback(event: Item, ink: Ink) -> list[str]:
    chain = _values(event.get("exception"))
    lines: list[str] = []
    for place, raised in enumerate(chain):
        if place:
            is_cause = _mapping(chain[place - 1].get("mechanism")).get("source") == "__cause__"
            lines += ["", _CAUSE if is_cause else _CONTEXT, ""]
        lines += _stack(_mapping(raised.get("stacktrace")), ink)
        message = str(raised.get("value") or "").splitlines() or [""]
        kind = ".".join(filter(None, (_module(raised), str(raised.get("type") or "Error"))))
        lines.append(ink.failure(safe(kind)) + (f": {safe(message[0])}" if message[0] else ""))
        lines += [safe(line) for line in message[1:20]]
    if not chain:
        lines += _message(event)
        lines += next((_stack(_mapping(item.get("stacktrace")), ink) for item in _threads(event)), [])
    return lines


def _module(raised: Item) -> str:
    module = str(raised.get("module") or "")
    return "" if module in ("builtins", "__main__") else module


def _message(event: Item) -> list[str]:
    entry = _mapping(event.get("logentry")) or _mapping(event.get("message"))
    text = entry.get("formatted") or entry.get("message") or event.get("message") or ""
    return [safe(line) for line in str(text).splitlines()[:40]]


def _threads(event: Item) -> list[Item]:
    """What has the stack of an event without an exception, the likeliest first."""
    threads = [thread for thread in _values(event.get("threads")) if thread.get("stacktrace")]
    threads.sort(key=lambda thread: (thread.get("crashed") is not True, thread.get("current") is not True))
    return [event, *threads] if event.get("stacktrace") else threads


def _stack(stacktrace: Item, ink: Ink) -> list[str]:
    frames = _values(stacktrace.get("frames"))
    if not frames:
        return []
    lines = ["Traceback (most recent call last):"]
    if len(frames) > FRAMES:
        lines.append(ink.dim(f"  … {len(frames) - FRAMES} more frames …"))
        frames = frames[-FRAMES:]
    has_own = any(frame.get("in_app") for frame in frames)
    for place, frame in enumerate(frames):
        run = _library_run(frames, place) if has_own else 0
        if run == 1:
            lines.append(ink.dim("  … frames of libraries …"))
        if run:
            continue
        lines += _frame(frame, ink, is_last=place == len(frames) - 1)
    return lines


def _library_run(frames: Sequence[Item], place: int) -> int:
    """0 for a frame to show; 1, 2… for those in the middle of a long row of libraries' frames."""
    if frames[place].get("in_app") or place == len(frames) - 1:
        return 0
    start = place
    while start > 0 and not frames[start - 1].get("in_app"):
        start -= 1
    end = place
    while end < len(frames) - 1 and not frames[end + 1].get("in_app"):
        end += 1
    return place - start if end - start + 1 > LIBRARIES and start < place < end else 0


def _frame(frame: Item, ink: Ink, *, is_last: bool) -> list[str]:
    file = frame.get("filename") or frame.get("abs_path") or "?"
    where = safe(f'  File "{file}", line {frame.get("lineno") or "?"}, in {frame.get("function") or "?"}')
    own = frame.get("in_app") is True
    lines = [ink.label(where) if own else ink.dim(where)]
    code = str(frame.get("context_line") or "")
    if not (own and is_last and frame.get("pre_context")):
        return [*lines, *([f"    {safe(code.strip())}"] if code.strip() else [])]
    before, after = (_texts(frame.get(name)) for name in ("pre_context", "post_context"))
    lines += [ink.dim(f"      {safe(line)}") for line in before[-3:]]
    lines.append(ink.failure("    > ") + safe(code))
    return lines + [ink.dim(f"      {safe(line)}") for line in after[:3]]


def _request(request: Item) -> list[str]:
    if not request.get("url") and not request.get("method"):
        return []
    asked = str(request.get("query_string") or "") if isinstance(request.get("query_string"), str) else ""
    lines = [_short(f"{request.get('method') or 'GET'} {request.get('url') or ''}{'?' + asked if asked else ''}")]
    headers = _mapping(request.get("headers"))
    lines += [f"{safe(name)}: {_short(headers[name])}" for name in headers if name.lower() in _TELLING]
    if request.get("data") not in (None, "", {}, []):
        lines.append(_short(_plain(request["data"])))
    return lines


_TELLING = frozenset({"user-agent", "referer", "content-type", "x-request-id", "host"})


def _breadcrumbs(event: Item) -> list[str]:
    lines = []
    for crumb in _values(event.get("breadcrumbs"))[-BREADCRUMBS:]:
        what = crumb.get("message") or _plain(crumb.get("data") or "")
        at = str(crumb.get("timestamp") or "")[11:19]
        lines.append(_short(f"{at} {crumb.get('category') or crumb.get('type') or ''}: {what}".strip()))
    return lines


def _section(title: str, lines: Sequence[str], ink: Ink) -> list[str]:
    return ["", ink.label(f"{title}:"), *(f"  {line}" for line in lines)] if lines else []


def _pairs(values: Item) -> list[str]:
    return [f"{safe(name)[:60]}: {_short(_plain(value))}" for name, value in values.items() if value not in (None, "")]


def _tags(value: Any) -> Item:
    """A mapping, or a list of pairs: SDKs send both."""
    if isinstance(value, list):
        return {str(pair[0]): pair[1] for pair in value if isinstance(pair, list) and len(pair) == 2}
    return _mapping(value)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _short(text: object) -> str:
    return layout.shortened(safe(text), VALUE)


def _mapping(value: Any) -> Item:
    return value if isinstance(value, dict) else {}


def _values(value: Any) -> list[Item]:
    """The objects of a list, or of `{"values": […]}`."""
    if isinstance(value, dict):
        value = value.get("values", [])
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code in (0x09, 0x0A, 0x0D, 0x2028, 0x2029):
        return " "
    return chr(0x2400 + code) if code < 0x20 else "\ufffd"
