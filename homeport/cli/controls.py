"""What must not reach a terminal: text from elsewhere that moves its cursor, sets its title or types for its user.

Colours (SGR, ECMA-48 8.3.117) are let through, newlines and tabs too; every other control character and sequence is
taken out.
"""

from __future__ import annotations

import re

# What begins a sequence and never ends takes only itself out: what follows it is text. How far its end is looked for is
# limited, or a line of such beginnings alone would take minutes.
_UNSAFE = re.compile(
    r"""
    \x1b\[ [0-9;:]* m (?P<colour>)                    # kept
    | (?: \x1b\] | \x9d ) [^\x07\x1b\x9c\n]{0,1024} (?: \x07 | \x1b\\ | \x9c )      # OSC: title, clipboard, links
    | (?: \x1b[PX^_] | [\x90\x98\x9e\x9f] ) [^\x1b\x9c\n]{0,1024} (?: \x1b\\ | \x9c )  # DCS, SOS, PM, APC
    | (?: \x1b\[ | \x9b ) [0-?]* [ -/]* [@-~]         # any other CSI: cursor, erase, modes, reports
    | \x1b [ -/]* [0-~]                               # two-character sequences: character sets, reset
    | \r (?=\n) (?P<kept>)                            # kept
    | [\x00-\x08\x0b-\x1f\x7f-\x9f]
    """,
    re.VERBOSE,
)

_SUSPECT = re.compile(r"[\r\x1b\x80-\x9f]")
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
    """`harmless` for text that comes in pieces, at whose edges a sequence may be cut in two.

    What is unfinished in the last line waits for more, but not for long.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        text = self._held + piece
        line = text.rfind("\n") + 1
        found = _SUSPECT.search(text, line)
        cut = found.start() if found is not None and len(text) - found.start() < _LONGEST_HELD else len(text)
        self._held = text[cut:]
        return harmless(text[:cut])

    def end(self) -> str:
        rest, self._held = self._held, ""
        return harmless(rest)
