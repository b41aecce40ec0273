"""An error event: what of it is needed to find its issue and to show it in a line.

https://develop.sentry.dev/sdk/data-model/event-payloads/
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from homeport.tracker import frames, reading
from homeport.tracker.frames import Frame


class Source(Enum):
    """How an event came here."""

    SDK = "sdk"
    """Sent by a Sentry SDK in the app."""
    LOGS = "logs"
    """Read as a traceback in the app's log."""


_PLACE = re.compile(r"%%|%(?:\((\w{1,50})\))?[-#0 +]{0,5}\d{0,5}(?:\.\d{1,5})?[sdriufgexXc]")

LEVELS = ("fatal", "error", "warning", "info", "debug")


@dataclass(frozen=True)
class Raised:
    """One exception of a chain. Innermost frame last."""

    type: str
    value: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True)
class Event:
    """`at` in seconds since 1970. `chain` are exceptions in the order they were raised: the last one got out.

    `template` is a message before its parameters were put in. `user` is whoever was affected, by whatever is known of
    them. `version` is the platform's release ("v12"), where that is known.
    """

    id: str
    at: float
    source: Source = Source.SDK
    level: str = "error"
    logger: str = ""
    platform: str = ""
    release: str = ""
    environment: str = ""
    transaction: str = ""
    user: str = ""
    version: str = ""
    fingerprint: tuple[str, ...] = ()
    chain: tuple[Raised, ...] = ()
    stack: tuple[Frame, ...] = ()
    message: str = ""
    template: str = ""

    @property
    def type(self) -> str:
        """ZeroDivisionError; "" for a message."""
        return self.chain[-1].type if self.chain else ""

    @property
    def text(self) -> str:
        return self.chain[-1].value if self.chain else self.message or self.template

    @property
    def calls(self) -> tuple[Frame, ...]:
        """The frames that led here, innermost last."""
        return next((raised.frames for raised in reversed(self.chain) if raised.frames), self.stack)

    @property
    def culprit(self) -> Frame | None:
        """The innermost frame of the app's own code; of any code, if none is."""
        calls = self.calls
        own = [frame for frame in calls if frame.in_app]
        return (own or list(calls))[-1] if calls else None

    @property
    def signature(self) -> str:
        """What a crash has in common with the traceback that was printed of it: "" without frames."""
        if not self.chain or not self.calls:
            return ""
        last = self.calls[-1]
        file = (last.path or last.file).rpartition("/")[2]
        return f"{self.type.rpartition('.')[2]} {file}:{last.line} {last.function}"


def read(raw: Mapping[str, Any], *, now: float, source: Source = Source.SDK, version: str = "") -> Event:
    """What an SDK sent; whatever is missing or of a wrong type is left out."""
    chain = tuple(_raised(value) for value in reading.mappings(raw.get("exception")))
    entry = reading.mapping(raw.get("logentry")) or reading.mapping(raw.get("message"))
    template = reading.text(entry.get("message"), 2000) or reading.text(raw.get("message"), 2000)
    message = reading.text(entry.get("formatted"), 2000) or filled(template, entry.get("params"))
    level = reading.text(raw.get("level"), 20).lower()
    fingerprint = raw.get("fingerprint")
    return Event(
        id=event_id(raw.get("event_id")),
        at=reading.moment(raw.get("timestamp"), now),
        source=source,
        level=level if level in LEVELS else "fatal" if level == "critical" else "error",
        logger=reading.line(raw.get("logger"), 200),
        platform=reading.line(raw.get("platform"), 40),
        release=reading.line(raw.get("release"), 200),
        environment=reading.line(raw.get("environment"), 64),
        transaction=reading.line(raw.get("transaction"), 200),
        user=_user(reading.mapping(raw.get("user"))),
        version=version,
        fingerprint=tuple(reading.text(part, 500) for part in fingerprint[:20])
        if isinstance(fingerprint, list)
        else (),
        chain=chain,
        stack=_stack(raw),
        message=message,
        template=template,
    )


def filled(template: str, params: Any) -> str:
    """A message with its parameters, as `%` would put them in, but for widths: nobody shall ask for a gigabyte."""
    values = list(params[:50]) if isinstance(params, list) else []
    named = reading.mapping(params)

    def instead(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%"
        if match[1] is not None:
            return reading.text(named.get(match[1]), 500) or match[0]
        return reading.text(values.pop(0), 500) if values else match[0]

    return _PLACE.sub(instead, template)[:2000]


def event_id(value: Any) -> str:
    """32 hexadecimal digits; new ones when there are none."""
    try:
        return uuid.UUID(reading.text(value, 40)).hex
    except ValueError:
        return uuid.uuid4().hex


def _raised(raw: Mapping[str, Any]) -> Raised:
    return Raised(
        type=reading.line(raw.get("type"), 200) or "Error",
        value=reading.text(raw.get("value"), 2000),
        frames=_frames(raw.get("stacktrace")),
    )


def _frames(stacktrace: Any) -> tuple[Frame, ...]:
    return tuple(frames.read(frame) for frame in reading.mappings(reading.mapping(stacktrace).get("frames")))


def _stack(raw: Mapping[str, Any]) -> tuple[Frame, ...]:
    """The frames of an event without an exception: its own, or those of the thread that crashed."""
    own = _frames(raw.get("stacktrace"))
    threads = reading.mappings(raw.get("threads"))
    threads.sort(key=lambda thread: (thread.get("crashed") is not True, thread.get("current") is not True))
    return own or next((found for thread in threads if (found := _frames(thread.get("stacktrace")))), ())


def _user(raw: Mapping[str, Any]) -> str:
    for name in ("id", "email", "username", "ip_address"):
        if value := reading.text(raw.get(name), 200):
            return f"{name}:{value}"
    return ""
