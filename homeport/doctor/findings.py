"""What a check says: values, so that a test compares them and a face lays them out as it likes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Severity(Enum):
    """How bad it is. The value is what `--json` says."""

    ERROR = "error"  # the deploy or the app fails, data is lost, or strangers get in
    WARNING = "warning"  # trouble, probably


@dataclass(frozen=True)
class Rename:
    """Give a file its right name."""

    old: str
    new: str


@dataclass(frozen=True)
class Write:
    """A file that is not there yet."""

    path: str
    text: str


@dataclass(frozen=True)
class AddLine:
    """A line at the end of a text file, which is made when it is missing."""

    path: str
    line: str


Mend = Rename | Write | AddLine
"""What `--fix` may do: never to code, and each can be taken back."""


@dataclass(frozen=True)
class Finding:
    """`what` is one sentence; `why` and `fix` may have several lines, indented ones are commands or code.

    `path` is relative to the app's folder, `line` counts from 1 and is 0 where it is about a file as a whole or one
    that is missing. `id` is the check's, filled in by whoever ran it.
    """

    path: str
    line: int
    what: str
    why: str
    fix: str
    severity: Severity = Severity.ERROR
    mend: Mend | None = None
    id: str = ""

    @property
    def place(self) -> str:
        """`app.py:12`, which terminals and editors know how to open."""
        return f"{self.path}:{self.line}" if self.line else self.path


def error(path: str, line: int, what: str, *, why: str, fix: str, mend: Mend | None = None) -> Finding:
    return Finding(path, line, what, why, fix, Severity.ERROR, mend)


def warning(path: str, line: int, what: str, *, why: str, fix: str, mend: Mend | None = None) -> Finding:
    return Finding(path, line, what, why, fix, Severity.WARNING, mend)
