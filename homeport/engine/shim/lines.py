"""Output on its way to the log: bounded, and cheap to flood."""

from __future__ import annotations

LINE_LIMIT = 10_000
"""Bytes in a line; longer ones are split (https://devcenter.heroku.com/articles/logging#log-format)."""
BUFFER_LIMIT = 1 << 20
"""Bytes kept while nobody takes them; beyond that the oldest lines are dropped, and counted."""
BATCH_LINES = 500


class Lines:
    """Takes output in chunks and gives it back in lines.

    Only what somebody takes is split into lines; what is dropped is only counted. So a dyno that writes as fast as it
    can is read as fast as it writes.
    """

    def __init__(self, limit: int = BUFFER_LIMIT) -> None:
        self.limit = limit
        self.chunks: list[bytes] = []  # each ends with a newline
        self.ready: list[bytes] = []  # lines of a chunk that was taken in part
        self.rest = b""  # the beginning of a line whose newline has not come
        self.size = 0
        self.dropped = 0

    def __bool__(self) -> bool:
        return bool(self.ready or self.chunks)

    def feed(self, data: bytes) -> None:
        data = self.rest + data
        end = data.rfind(b"\n") + 1
        if end:
            self._keep(data[:end])
        self.rest = data[end:]
        while len(self.rest) > LINE_LIMIT:
            end = _cut(self.rest)
            self._keep(self.rest[:end] + b"\n")
            self.rest = self.rest[end:]

    def end(self) -> None:
        """No more will come: a last line without a newline is a line."""
        if self.rest:
            self._keep(self.rest + b"\n")
            self.rest = b""

    def take(self, most: int = BATCH_LINES) -> tuple[int, list[bytes]]:
        """How many lines were dropped, and the oldest ones after them."""
        while len(self.ready) < most and self.chunks:
            chunk = self.chunks.pop(0)
            self.size -= _weight(chunk)
            lines = chunk[:-1].split(b"\n")
            if len(chunk) > LINE_LIMIT:
                lines = [piece for line in lines for piece in split(line)]
            self.ready += lines
        taken, self.ready = self.ready[:most], self.ready[most:]
        dropped, self.dropped = self.dropped, 0
        return dropped, taken

    def _keep(self, chunk: bytes) -> None:
        self.chunks.append(chunk)
        self.size += _weight(chunk)
        while self.size > self.limit and len(self.chunks) > 1:
            self.dropped += len(self.ready)
            self.ready = []
            oldest = self.chunks.pop(0)
            self.size -= _weight(oldest)
            self.dropped += oldest.count(b"\n")


def split(line: bytes) -> list[bytes]:
    """A line, or the pieces of one that is too long, none of which ends inside a UTF-8 character."""
    pieces = []
    while len(line) > LINE_LIMIT:
        end = _cut(line)
        pieces.append(line[:end])
        line = line[end:]
    pieces.append(line)
    return pieces


def _cut(line: bytes) -> int:
    for end in range(LINE_LIMIT, LINE_LIMIT - 4, -1):
        if line[end] & 0xC0 != 0x80:
            return end
    return LINE_LIMIT  # not UTF-8 at all


def _weight(chunk: bytes) -> int:
    return len(chunk) + 64  # with its object and its place in the list: one-byte lines must be bounded too
