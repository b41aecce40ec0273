"""Log lines in colour: every dyno name its own, router fields by what they mean."""

from __future__ import annotations

import re

from homeport.cli.ink import Ink

_LINE = re.compile(r"(.*?\[([\w-]+)([\d.]+)?\]:)(.*)", re.DOTALL)
_CODES = ("33", "32", "36", "35", "34", "93", "92", "96", "95", "94")
# The names that every app has keep their colour from run to run.
_FIRST = ("run", "router", "web", "postgres", "heroku-postgres")

_STATUS = (("2", "32"), ("3", "36"), ("4", "33"), ("5", "31"))
_GOOD = re.compile(r"State changed from \w+ to (up|complete)|Process exited with status 0$|Build succeeded$")
_BAD = re.compile(
    r"Error [HRL]\d\d|State changed from \w+ to (down|crashed)|Process exited with status|Build failed"
    r"|Stopping all processes with SIGTERM$"
)


class LogColours:
    """Hands out colours to names as they appear."""

    def __init__(self, ink: Ink) -> None:
        self._ink = ink
        self._given: dict[str, str] = {}
        for name in _FIRST:
            self._code(name)

    def paint(self, line: str) -> str:
        if not self._ink.on:
            return line
        found = _LINE.fullmatch(line)
        if found is None:
            return line
        head, name, _, body = found.groups()
        body = body.removeprefix(" ").rstrip()  # what else is in front is indentation: tracebacks live by it
        if name == "router":
            body = " ".join(self._router_field(field) for field in body.split())
        elif "heroku[" in head or name == "api":
            body = self._platform(body)
        return f"{self._ink.paint(self._code(name), head)} {body}"

    def _code(self, name: str) -> str:
        return self._given.setdefault(name, _CODES[len(self._given) % len(_CODES)])

    def _platform(self, body: str) -> str:
        if _GOOD.search(body):
            return self._ink.success(body)
        if _BAD.search(body):
            return self._ink.failure(body)
        return body

    def _router_field(self, field: str) -> str:
        name, equals, value = field.partition("=")
        if not equals:
            return self._ink.dim(field)
        return self._ink.dim(f"{name}=") + self._router_value(name, value)

    def _router_value(self, name: str, value: str) -> str:
        ink = self._ink
        if name == "status":
            return next((ink.paint(code, value) for digit, code in _STATUS if value.startswith(digit)), value)
        if name in ("connect", "service") and value.removesuffix("ms").isdecimal():
            return ink.paint(_speed(int(value.removesuffix("ms"))), value)
        if name == "dyno":
            return ink.paint(self._code(value.partition(".")[0]), value)
        if name == "code" or (name, value) == ("at", "error"):
            return ink.failure(value)
        codes = {"method": "35", "path": "32"}
        return ink.paint(codes[name], value) if name in codes else ink.dim(value)


def _speed(milliseconds: int) -> str:
    """The colour of a duration: below a tenth of a second is good, from five seconds on bad."""
    return "32" if milliseconds < 100 else "36" if milliseconds < 500 else "33" if milliseconds < 5000 else "31"
