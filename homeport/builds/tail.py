"""The end of what somebody says, who may say any amount."""

from __future__ import annotations

from collections import deque


class Tail:
    """Keeps the last lines, of `most` characters together; a line that alone is longer is not kept at all."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: deque[str] = deque()
        self._size = 0

    def add(self, line: str) -> None:
        self._lines.append(line)
        self._size += len(line) + 1
        while self._size > self._most:
            self._size -= len(self._lines.popleft()) + 1

    def text(self) -> str:
        return "\n".join(self._lines)
