"""The terminal: data goes to stdout, talk to stderr, and questions are asked only of a person.

Colours follow the stream that they are written to: a terminal has them unless NO_COLOR is set or TERM is `dumb`; files
and pipes have none unless FORCE_COLOR is set (https://no-color.org, https://force-color.org).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TextIO

from homeport.cli.controls import harmless
from homeport.cli.ink import Ink
from homeport.errors import HomeportError


class Doing:
    """Something under way; `done` is what is said when it has ended well."""

    def __init__(self) -> None:
        self.done = "done"


class Terminal:
    """The three streams of one run of the command line."""

    def __init__(
        self,
        env: Mapping[str, str],
        *,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.stdin = stdin if stdin is not None else sys.stdin
        self.stdout = stdout if stdout is not None else sys.stdout
        self.stderr = stderr if stderr is not None else sys.stderr
        self.ink = Ink(wants_colour(env, self.stdout))
        self.talk_ink = Ink(wants_colour(env, self.stderr))
        self._line_open = False

    def out(self, text: str = "") -> None:
        """Data: a line on stdout; as it is for files and pipes, harmless for a terminal."""
        self.stdout.write(f"{harmless(text) if is_terminal(self.stdout) else text}\n")

    def json(self, value: Any) -> None:
        self.out(json.dumps(value, indent=2, ensure_ascii=False))

    def say(self, text: str = "") -> None:
        """Talk: a line on stderr, after the data that came before it."""
        self.stdout.flush()
        self.stderr.write(f"{harmless(text)}\n")
        self.stderr.flush()

    def warn(self, text: str) -> None:
        self._bang(f"Warning: {text}".splitlines(), self.talk_ink.warning("›"))

    def fail(self, lines: list[str]) -> None:
        """The last words of a run that failed."""
        self._bang(lines, self.talk_ink.failure("›"))

    @contextmanager
    def doing(self, text: str) -> Iterator[Doing]:
        """`Scaling dynos... done` on stderr; `!` in place of `done` when it fails."""
        doing = Doing()
        begun = f"{harmless(text)}... "
        self.stdout.flush()
        self.stderr.write(begun)
        self.stderr.flush()
        self._line_open = True
        try:
            yield doing
        except BaseException:
            self._end_line(begun, self.talk_ink.failure("!"))
            raise
        self._end_line(begun, doing.done)

    def ask(self, question: str) -> str:
        """What a person answers. Raises `HomeportError` (`no_terminal`) when there is nobody to ask."""
        if not self.is_interactive:
            raise HomeportError(
                "no_terminal",
                f"There is no terminal to ask on: {question.rstrip(': ')}",
                fix="Give the answer on the command line; see --help.",
            )
        self.stdout.flush()
        self.stderr.write(f"{harmless(question)} ")
        self.stderr.flush()
        answer = self.stdin.readline()
        if not answer:
            raise HomeportError("no_answer", "No answer. Nothing was changed.")
        return answer.strip()

    def agrees(self, question: str) -> bool:
        """Whether a person says yes; no answer is a no."""
        return self.ask(f"{question} [y/N]").lower() in {"y", "yes"}

    @property
    def is_interactive(self) -> bool:
        return is_terminal(self.stdin)

    @property
    def columns(self) -> int | None:
        """Width of the terminal that data goes to, in characters; None when it goes elsewhere."""
        if not is_terminal(self.stdout):
            return None
        import shutil

        return shutil.get_terminal_size().columns

    def _end_line(self, begun: str, text: str) -> None:
        if not self._line_open:
            self.stderr.write(begun)  # a warning came between
        self._line_open = False
        self.stderr.write(f"{harmless(text)}\n")
        self.stderr.flush()

    def _bang(self, lines: list[str], bang: str) -> None:
        if self._line_open:
            self.stderr.write("\n")  # a warning in the midst of something: do not write over it
            self._line_open = False
        for line in lines:
            self.say(f" {bang}   {line}".rstrip())


def is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def wants_colour(env: Mapping[str, str], stream: TextIO) -> bool:
    if env.get("FORCE_COLOR", "0") not in {"", "0", "false"}:
        return True
    if env.get("NO_COLOR") or env.get("TERM") == "dumb":
        return False
    return is_terminal(stream)
