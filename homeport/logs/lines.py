"""A log line, and its one written form: what the CLI shows is also what lies on disk, after the line's number."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

_RECORD = re.compile(r"(\d{1,18}) (\S+) ([\w.-]+)\[([\w.-]*)\]: (.*)", re.DOTALL)
_NOT_IN_A_LABEL = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an app's stream.

    `seq` counts up by one per app and is never used twice. `source` is "app" or "heroku"; `dyno` is who spoke:
    "web.1", "router", "api", "release.1234", "logplex".
    """

    seq: int
    at: datetime
    source: str
    dyno: str
    text: str

    def format(self) -> str:
        """Heroku's form: https://devcenter.heroku.com/articles/logging#log-format"""
        return f"{stamp(self.at)} {self.source}[{self.dyno}]: {self.text}"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines a reader wants. `dyno` is a whole name ("web.1") or a process type ("web": every web.N)."""

    source: str | None = None
    dyno: str | None = None

    def matches(self, line: Line) -> bool:
        if self.source is not None and line.source != self.source:
            return False
        return self.dyno is None or self.dyno in (line.dyno, line.dyno.partition(".")[0])


EVERYTHING = Filter()


def stamp(at: datetime) -> str:
    """`2026-01-01T00:00:00.000000+00:00`. A time without a zone is taken as UTC."""
    utc = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return utc.isoformat(timespec="microseconds")


@lru_cache(maxsize=4096)
def label(source: str, dyno: str) -> str:
    """`app[web.1]`. Whatever could end the label early, or the line, becomes `_`."""
    safe_source = _NOT_IN_A_LABEL.sub("_", source[:64]) or "_"
    return f"{safe_source}[{_NOT_IN_A_LABEL.sub('_', dyno[:64])}]"


def record_seq(record: str) -> int:
    """The number a record begins with."""
    return int(record[: record.index(" ")])


def parse(record: str) -> Line | None:
    """The line of a record (`SEQ FORMATTED-LINE`, no newline); None when it is no whole record."""
    match = _RECORD.fullmatch(record)
    if match is None:
        return None
    seq, at, source, dyno, text = match.groups()
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    return Line(int(seq), moment, source, dyno, text)
