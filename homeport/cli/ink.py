"""Colours by meaning, so that every command shows an app, a name or a failure alike."""

from __future__ import annotations

import re

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Ink:
    """Paints text for a terminal, or leaves it as it is."""

    def __init__(self, on: bool) -> None:
        self.on = on

    def paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and text else text

    def app(self, text: str) -> str:
        return self.paint("35", text)

    def name(self, text: str) -> str:
        return self.paint("36", text)

    def user(self, text: str) -> str:
        return self.paint("36", text)

    def info(self, text: str) -> str:
        return self.paint("36", text)

    def label(self, text: str) -> str:
        return self.paint("1", text)

    def code(self, text: str) -> str:
        return self.paint("1", text)

    def success(self, text: str) -> str:
        return self.paint("32", text)

    def warning(self, text: str) -> str:
        return self.paint("33", text)

    def failure(self, text: str) -> str:
        return self.paint("31", text)

    def dim(self, text: str) -> str:
        return self.paint("90", text)


PLAIN = Ink(False)


def width(text: str) -> int:
    """Characters that are seen."""
    return len(_ESCAPES.sub("", text))


def pad(text: str, to: int) -> str:
    return text + " " * (to - width(text))
