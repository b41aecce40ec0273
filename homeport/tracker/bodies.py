"""Request bodies as SDKs send them: compressed, and never trusted to become as small as they look."""

from __future__ import annotations

import zlib
from typing import Protocol

import brotli  # type: ignore[import-untyped] # it has no types

from homeport.errors import BadRequest, TooLarge

MB = 1024**2
MAX_SENT = 20 * MB
"""Bytes on the wire, as Sentry's own limit."""
MAX_BODY = 40 * MB
"""Bytes after decompression."""

_STEP = 256 * 1024


class _Inflater(Protocol):
    """Takes what was sent, gives at most about `limit` bytes at a time; asked with b"" it goes on."""

    def step(self, data: bytes, limit: int) -> bytes: ...

    @property
    def has_more(self) -> bool:
        """Whether there may be more to be had of what it was given."""

    @property
    def is_done(self) -> bool: ...


class _Zlib:
    """gzip; and "deflate", which is zlib's form by RFC 9110, and without its frame by some clients' habit."""

    def __init__(self, encoding: str) -> None:
        self._object = zlib.decompressobj(31) if encoding == "gzip" else None
        self._rest = b""

    def step(self, data: bytes, limit: int) -> bytes:
        given = self._rest + data
        if self._object is None:
            if len(given) < 2:
                self._rest = given
                return b""
            framed = given[0] & 15 == 8 and int.from_bytes(given[:2], "big") % 31 == 0
            self._object = zlib.decompressobj(15 if framed else -15)
        made = self._object.decompress(given, limit)
        self._rest = self._object.unconsumed_tail
        return made

    @property
    def has_more(self) -> bool:
        return self._object is not None and bool(self._rest)

    @property
    def is_done(self) -> bool:
        return self._object is not None and self._object.eof


class _Brotli:
    def __init__(self) -> None:
        self._object = brotli.Decompressor()

    def step(self, data: bytes, limit: int) -> bytes:
        made: bytes = self._object.process(data, output_buffer_limit=limit)
        return made

    @property
    def has_more(self) -> bool:
        return not self._object.is_finished()  # it says that it takes more while it still has some to give

    @property
    def is_done(self) -> bool:
        return bool(self._object.is_finished())


class Body:
    """One request's body, fed as it comes. All methods raise `TooLarge` and `BadRequest`."""

    def __init__(self, encoding: str, *, max_sent: int = MAX_SENT, max_body: int = MAX_BODY) -> None:
        self._inflater = _inflater(encoding.strip().lower())
        self._max_sent = max_sent
        self._max_body = max_body
        self._sent = 0
        self._content = bytearray()

    def __len__(self) -> int:
        return len(self._content)

    def feed(self, data: bytes) -> None:
        self._sent += len(data)
        if self._sent > self._max_sent:
            raise TooLarge(f"More than {self._max_sent // MB} MB were sent.")
        if self._inflater is None:
            self._add(data)
            return
        try:
            self._add(self._inflater.step(data, _STEP))
            while self._inflater.has_more:
                made = self._inflater.step(b"", _STEP)
                if not made:
                    break
                self._add(made)
        except (zlib.error, brotli.error) as error:
            raise _damaged() from error

    def whole(self) -> bytes:
        """The content, when all of it was fed."""
        if self._inflater is not None and self._sent and not self._inflater.is_done:
            raise _damaged()
        return bytes(self._content)

    def _add(self, made: bytes) -> None:
        if len(self._content) + len(made) > self._max_body:
            raise TooLarge(f"The body is larger than {self._max_body // MB} MB when it is decompressed.")
        self._content += made


def _inflater(encoding: str) -> _Inflater | None:
    match encoding:
        case "" | "identity":
            return None
        case "gzip" | "x-gzip":
            return _Zlib("gzip")
        case "deflate":
            return _Zlib("deflate")
        case "br":
            return _Brotli()
    raise BadRequest(f"Content-Encoding {encoding[:20]!r} isn't known here.", fix="Send gzip, deflate or br.")


def _damaged() -> BadRequest:
    return BadRequest("The body is not what its Content-Encoding says.")
