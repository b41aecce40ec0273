"""Make anything a process may print safe to keep, to send as one SSE field and to show in a terminal."""

from __future__ import annotations

import re

MAX_LINE_BYTES = 10_000
"""Longer lines become several, as on Heroku: https://devcenter.heroku.com/articles/logging#log-format"""

MAX_PIECES = 100
"""Of a single line. What is beyond, over a megabyte without a newline, is no log; its length is said instead."""

SURELY_SHORT = MAX_LINE_BYTES // 4
"""A text of at most so many characters cannot exceed MAX_LINE_BYTES in UTF-8."""

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

_NO_COLOUR = re.compile("\x1b(?!\\[[0-9;:]*m)")
"""ESC in front of anything but a colour: cursor, title, clipboard, reports."""

# Colours need ESC, and tabs are harmless. What could start a line of its own becomes a space; other control
# characters become their picture (␀), so that they are seen and do nothing; 8-bit controls and lone surrogates
# have no picture.
_SAFE: dict[int, str] = {
    **{code: chr(0x2400 + code) for code in range(0x20) if code not in (0x09, 0x0A, 0x1B)},
    0x7F: "\u2421",
    **dict.fromkeys(range(0x80, 0xA0), "\ufffd"),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
    **dict.fromkeys((0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029), " "),
}


def decode(raw: bytes) -> str:
    """UTF-8, with U+FFFD for what is not. Cheap for any length: only what may be kept is looked at."""
    excess = len(raw) - MAX_PIECES * MAX_LINE_BYTES
    if excess <= 0:
        return raw.decode("utf-8", "replace")
    return f"{raw[:-excess].decode('utf-8', 'replace')}\n{_not_kept(excess)}"


def lines_of(text: str) -> list[str]:
    """`text` as one or more lines without a newline, each at most MAX_LINE_BYTES in UTF-8.

    A newline at the end, and carriage returns before a newline, are no content.
    """
    if text.isprintable() and len(text) <= SURELY_SHORT:
        return [text]
    found: list[str] = []
    for part in text.removesuffix("\n").split("\n"):
        line = part.rstrip("\r")
        if _UNSAFE.search(line):
            line = line.translate(_SAFE)
        if "\x1b" in line:
            line = _NO_COLOUR.sub("\u241b", line)
        if len(line) <= SURELY_SHORT:
            found.append(line)
        else:
            found.extend(_pieces(line))
    return found


def _pieces(line: str) -> list[str]:
    """Cut between characters; only the last piece may be shorter than it need be."""
    data = line.encode()
    pieces: list[str] = []
    start = 0
    while start < len(data):
        if len(pieces) == MAX_PIECES:
            pieces.append(_not_kept(len(data) - start))
            break
        end = min(start + MAX_LINE_BYTES, len(data))
        while end < len(data) and data[end] & 0xC0 == 0x80:  # inside a character
            end -= 1
        pieces.append(data[start:end].decode())
        start = end
    return pieces


def _not_kept(count: int) -> str:
    return f"[{count} more bytes of this line were not kept]"
