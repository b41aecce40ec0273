"""How output must be cut for `heroku run`, whose client looks at each chunk by itself. Pure.

The client decodes every chunk as UTF-8 of its own, and looks for the exit status of `heroku run -x` inside one chunk.
So a character, and the line with the status, must never be split.
"""

from __future__ import annotations

import re

SENTINEL = "\uffff heroku-command-exit-status: "
"""What `heroku run -x` makes the command print last, before its exit status."""

MARK = SENTINEL.encode()
_LINE = re.compile(re.escape(MARK) + rb"\d+")
_LONGEST_HELD = len(MARK) + 16
PIECE = 8192
"""Bytes that are given out at once, at most: well below what a TLS record holds."""


def asks_for_status(command: str) -> bool:
    """Whether the client of this command waits for an exit status."""
    return SENTINEL in command


def sentinel(exit_code: int) -> bytes:
    return f"{SENTINEL}{exit_code}\n".encode()


class Framer:
    """Takes output as it comes and gives it out in pieces that may be sent each by itself."""

    def __init__(self) -> None:
        self._held = b""
        self.saw_status = False

    def feed(self, data: bytes) -> list[bytes]:
        return self._cut(self._held + data, final=False)

    def end(self) -> list[bytes]:
        """What is left when no more will come."""
        return self._cut(self._held, final=True)

    def _cut(self, data: bytes, *, final: bool) -> list[bytes]:
        pieces: list[bytes] = []
        while data:
            mark = data.find(MARK)
            if mark > 0:  # the status gets a piece of its own
                pieces += self._text(data[:mark])
                data = data[mark:]
            elif mark == 0:
                end = data.find(b"\n")
                if end < 0 and not final and len(data) < _LONGEST_HELD:
                    break
                end = len(data) if end < 0 else end + 1
                self.saw_status = self.saw_status or _LINE.match(data) is not None
                pieces.append(data[:end])
                data = data[end:]
            else:
                keep = 0 if final else _unfinished(data)
                pieces += self._text(data[: len(data) - keep])
                data = data[len(data) - keep :]
                break
        self._held = data
        return pieces

    def _text(self, data: bytes) -> list[bytes]:
        pieces = []
        while data:
            cut = len(data) if len(data) <= PIECE else PIECE - _unfinished_character(data[:PIECE])
            pieces.append(data[:cut])
            data = data[cut:]
        return pieces


def _unfinished(data: bytes) -> int:
    """How many bytes at the end must wait for what follows."""
    for length in range(min(len(MARK) - 1, len(data)), 2, -1):
        if MARK.startswith(data[-length:]):
            return length
    return _unfinished_character(data)


def _unfinished_character(data: bytes) -> int:
    """The bytes at the end that begin a UTF-8 character without completing it; 0 if what ends there is no UTF-8."""
    for back in range(1, min(3, len(data)) + 1):
        byte = data[-back]
        if byte & 0b1100_0000 == 0b1000_0000:
            continue
        length = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if back < length else 0
    return 0
