"""How a build speaks: Heroku's form, one complete line at a time."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent

from homeport.buildpacks.failures import DOCS, BuildFailed

Output = Callable[[str], None]
"""Takes one complete line, without its newline."""


class Voice:
    """Says steps, details, warnings and failures; remembers the warnings' first lines."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self.warnings: list[str] = []

    def step(self, text: str) -> None:
        self._out(f"-----> {text}")

    def detail(self, text: str) -> None:
        """Lines below a step; also what a command prints."""
        for line in text.splitlines() or [""]:
            self._out(f"       {line}".rstrip())

    def blank(self) -> None:
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
        self._box(f"{text}\n\nError id: {failure.id} ({DOCS})")

    def push_rejected(self) -> None:
        """Heroku's last word on a failed build."""
        self._out(" !     Push rejected, failed to compile Python app.")
        self._out("")

    def _box(self, text: str) -> None:
        self._out("")
        for line in dedent(text).strip().splitlines():
            self._out(f" !     {line}".rstrip())
        self._out("")
