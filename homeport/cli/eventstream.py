"""Server-sent events: what a log session sends (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NEWLINE = re.compile(rb"\r\n|\n|\r(?!\Z)")


@dataclass(frozen=True)
class Event:
    """`id` is the last one that the stream has named, which a reconnecting client sends back."""

    data: str
    id: str | None


class EventParser:
    """Bytes in as they come, whole events out."""

    def __init__(self) -> None:
        self.last_id: str | None = None
        self.retry: float | None = None  # seconds to wait before connecting anew, as the server wishes
        self._rest = b""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[Event]:
        # A "\r" at the very end may be half of a "\r\n": it stays until more has come.
        *lines, self._rest = _NEWLINE.split(self._rest + chunk)
        for line in lines:
            if line:
                self._field(line.decode("utf-8", "replace"))
            elif self._data:
                yield Event("\n".join(self._data), self.last_id)
                self._data = []

    def _field(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "id" and "\0" not in value:
            self.last_id = value
        elif name == "retry" and value.isdecimal():
            self.retry = int(value) / 1000
