"""How a build speaks: Heroku's form, one complete line at a time."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent, wrap

from homeport.buildpacks.failures import DOCS, BuildFailed

Output = Callable[[str], None]
"""Takes one complete line, without its newline."""

_WIDTH = 110  # with git's "remote: " in front still on most screens


class Voice:
    """Says steps, details, warnings and failures; remembers the warnings' first lines."""

    def __init__(self, out: Output) -> None:
        self._out_line = out
        self._blank = True  # the last line was empty, or there was none
        self.warnings: list[str] = []
        self.app = ""
        """What kind of app this is, once that is known."""
        self.doing = "compile"
        """What fails if something fails now."""

    def step(self, text: str) -> None:
        self._out(f"-----> {text}")

    def detail(self, text: str) -> None:
        """Lines below a step; also what a command prints."""
        for line in text.splitlines() or [""]:
            self._out(f"       {line}".rstrip())

    def formed(self, line: str) -> None:
        """A line of somebody who speaks in Heroku's form already."""
        self._out(line.rstrip())

    def blank(self) -> None:
        """An empty line, unless there is one already."""
        if not self._blank:
            self._out("")

    def notice(self, text: str) -> None:
        """Worth knowing, nothing to worry about."""
        self._box(text)

    def warning(self, text: str) -> None:
        """Something that will bite: one line what, then why and what to do."""
        self.warnings.append(dedent(text).strip().splitlines()[0])
        self._box(f"Warning: {dedent(text).strip()}")

    def failure(self, failure: BuildFailed) -> None:
        parts = (f"Error: {failure.what}", failure.why, failure.fix)
        text = "\n\n".join(part.strip("\n") for part in parts if part)
        self._box(f"{text}\n\nError ID: {failure.id} ({DOCS})")

    def push_rejected(self) -> None:
        """Heroku's last word on a failed build."""
        self._out(f" !     Push rejected, failed to {self.doing} {self.app or 'Python'} app.")
        self.blank()

    def _box(self, text: str) -> None:
        self.blank()
        for line in dedent(text).strip().splitlines():
            for part in _wrapped(line):
                self._out(f" !     {part}".rstrip())
        self.blank()

    def _out(self, line: str) -> None:
        self._blank = not line
        self._out_line(line)


def _wrapped(line: str) -> list[str]:
    """Long prose in several lines; indented lines are commands and quotations, which must stay whole."""
    if len(line) <= _WIDTH or line.startswith(" "):
        return [line]
    return wrap(line, _WIDTH, break_long_words=False, break_on_hyphens=False)
