"""What must not reach a terminal: text from elsewhere that moves its cursor, sets its title or types for its user.

Colours (SGR, ECMA-48 8.3.117) are let through, newlines and tabs too; every other control character and sequence is
taken out.
"""

from __future__ import annotations

import re

# What begins a sequence and never ends takes only itself out: what follows it is text.
_UNSAFE = re.compile(
    r"""
    \x1b\[ [0-9;:]* m (?P<colour>)                    # kept
    | (?: \x1b\] | \x9d ) [^\x07\x1b\x9c\n]* (?: \x07 | \x1b\\ | \x9c )      # OSC: title, clipboard, links
    | (?: \x1b[PX^_] | [\x90\x98\x9e\x9f] ) [^\x1b\x9c\n]* (?: \x1b\\ | \x9c )  # DCS, SOS, PM, APC
    | (?: \x1b\[ | \x9b ) [0-?]* [ -/]* [@-~]         # any other CSI: cursor, erase, modes, reports
    | \x1b [ -/]* [0-~]                               # two-character sequences: character sets, reset
    | \r (?=\n) (?P<kept>)                            # kept
    | [\x00-\x08\x0b-\x1f\x7f-\x9f]
    """,
    re.VERBOSE,
)

_LONGEST_HELD = 256


def harmless(text: str) -> str:
    """`text` as it may be shown."""
    if text.isprintable():
        return text
    return _UNSAFE.sub(_kept, text)


def _kept(found: re.Match[str]) -> str:
    if found["colour"] is not None or found["kept"] is not None:
        return found[0]
    return "\n" if found[0] == "\r" else ""  # progress that is written over becomes lines


class Sieve:
    """`harmless` for text that comes in pieces, at whose edges a sequence may be cut in two."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        text = self._held + piece
        cut = max(text.rfind("\x1b"), text.rfind("\r"))
        unfinished = cut >= 0 and len(text) - cut < _LONGEST_HELD and "\n" not in text[cut:]
        self._held = text[cut:] if unfinished else ""
        return harmless(text[:cut] if unfinished else text)

    def end(self) -> str:
        rest, self._held = self._held, ""
        return harmless(rest)
