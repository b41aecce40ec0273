"""Python's tracebacks, found in an app's log.

Their form: https://docs.python.org/3/library/traceback.html. They come line by line, those of several dynos mixed, with
whatever else a dyno prints before and after.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from homeport.tracker.frames import is_own, shown

MOST_LINES = 2_000
"""Of one traceback."""
MOST_FRAMES = 250
MOST_DYNOS = 200
HEADER_LIMIT = 500

_BEGIN = re.compile(r"(?P<before>.*?)(?P<group>\+ Exception Group )?Traceback \(most recent call last\):$")
_FRAME = re.compile(r'\s*File "(?P<path>[^"]{1,1000})", line (?P<line>\d{1,9})(?:, in (?P<function>.{1,300}))?$')
_NAMED = re.compile(r"(?P<type>[A-Za-z_][\w.]{0,200}(?:\.<locals>\.\w+)?)(?:: ?(?P<value>.*))?$")
_REPEATED = re.compile(r"\s*\[Previous line repeated (\d+) more times?\]$")
_MARKS = re.compile(r"\s*[~^]+\s*$")
_CHAIN = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_IDS = uuid.UUID("4f6b9a30-54a3-5d0e-8a51-6a3c5c1f0b77")


@dataclass
class _Raised:
    """One exception of a chain, while it is being read."""

    frames: list[dict[str, Any]] = field(default_factory=list)
    type: str = ""
    value: str = ""

    def raw(self) -> dict[str, Any]:
        module, _, name = self.type.rpartition(".")
        return {
            "type": name,
            "module": module or None,
            "value": self.value,
            "stacktrace": {"frames": self.frames},
            "mechanism": {"type": "logs", "handled": False},
        }


@dataclass(frozen=True)
class Traceback:
    """One that is complete: an event as an SDK would send it. `seq` is the number of its first line."""

    seq: int
    at: float
    raw: Mapping[str, Any]


class Reader:
    """Reads one app's log. Lines are told dyno by dyno, in their order."""

    def __init__(self, app: str) -> None:
        self._app = app
        self._open: dict[str, _Reading] = {}
        self._before: dict[str, str] = {}

    @property
    def begun(self) -> int | None:
        """The number of the first line of what is not complete yet."""
        return min((reading.seq for reading in self._open.values()), default=None)

    def feed(self, dyno: str, text: str, seq: int, at: float) -> list[Traceback]:
        """The next line of a dyno; returns what it has completed."""
        done: list[Traceback] = []
        reading = self._open.get(dyno)
        if reading is not None:
            if reading.take(text, at):
                return []
            done = self._close(dyno)
        begun = _BEGIN.match(text) if text.endswith("Traceback (most recent call last):") else None
        if begun is None:
            if text.strip():
                self._note(dyno, text)
            return done
        header = begun["before"].strip(" |") or self._before.get(dyno, "")
        self._open[dyno] = _Reading(self._app, dyno, seq, at, header, grouped=begun["group"] is not None)
        if len(self._open) > MOST_DYNOS:
            done += self._close(next(iter(self._open)))
        return done

    def settle(self, before: float) -> list[Traceback]:
        """Complete those whose dynos have said nothing more since then."""
        quiet = [dyno for dyno, reading in self._open.items() if reading.last_at <= before]
        return [found for dyno in quiet for found in self._close(dyno)]

    def _close(self, dyno: str) -> list[Traceback]:
        found = self._open.pop(dyno).result()
        return [found] if found is not None else []

    def _note(self, dyno: str, text: str) -> None:
        self._before.pop(dyno, None)
        self._before[dyno] = text[:HEADER_LIMIT]
        if len(self._before) > MOST_DYNOS:
            del self._before[next(iter(self._before))]


class _Reading:
    """One traceback, with those it is chained to, while it is being read."""

    def __init__(self, app: str, dyno: str, seq: int, at: float, header: str, *, grouped: bool) -> None:
        self.seq = seq
        self.last_at = at
        self._id = uuid.uuid5(_IDS, f"{app}:{seq}").hex
        self._dyno = dyno
        self._at = at
        self._header = header
        self._grouped = grouped
        self._chain = [_Raised()]
        self._lines = 0
        self._connected = False

    def take(self, text: str, at: float) -> bool:
        """Whether the line belongs here."""
        self._lines += 1
        if self._lines > MOST_LINES:
            return False
        self.last_at = at
        if self._grouped:
            text = re.sub(r"^  [|+] ?", "", text)
        return self._in_stack(text) if not self._chain[-1].type else self._after(text)

    def _in_stack(self, text: str) -> bool:
        """Before the line that names the exception."""
        raised = self._chain[-1]
        if frame := _FRAME.match(text):
            if len(raised.frames) < MOST_FRAMES:
                raised.frames.append(_frame(frame["path"], int(frame["line"]), (frame["function"] or "").strip()))
            return True
        if text.startswith((" ", "\t")) or not text.strip():
            if raised.frames and text.strip() and not _MARKS.match(text) and not _REPEATED.match(text):
                raised.frames[-1].setdefault("context_line", text.removeprefix("    "))
            return bool(text.strip()) or not raised.frames
        named = _NAMED.match(text)
        if named is None:
            return False
        raised.type, raised.value = named["type"], (named["value"] or "").strip()
        return True

    def _after(self, text: str) -> bool:
        """After it: perhaps the exception that came of it."""
        stripped = text.strip()
        if stripped in _CHAIN:
            self._connected = True
            return True
        if self._connected and stripped.endswith("Traceback (most recent call last):"):
            self._connected = False
            self._chain.append(_Raised())
            return True
        return not stripped or (self._grouped and stripped.startswith(("+", "|")))

    def result(self) -> Traceback | None:
        """None if it was none, or was cut off before it said what was raised."""
        chain = [raised for raised in self._chain if raised.type]
        if not chain:
            return None
        raw = {
            "event_id": self._id,
            "timestamp": self._at,
            "platform": "python",
            "level": "error",
            "server_name": self._dyno,
            "exception": {"values": [raised.raw() for raised in chain]},
            "tags": {"dyno": self._dyno, "process_type": self._dyno.partition(".")[0]},
            "extra": {"printed before it": self._header} if self._header else {},
        }
        return Traceback(self.seq, self._at, raw)


def _frame(path: str, line: int, function: str) -> dict[str, Any]:
    return {
        "filename": shown(path),
        "abs_path": path,
        "function": function or "<module>",
        "lineno": line,
        "in_app": is_own(path),
    }
