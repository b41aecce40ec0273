"""Bodies of requests: plain ones, and those in chunks with signatures or trailers (`aws-chunked`).

Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks".
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace

from . import checksums
from .checksums import Digest
from .errors import S3Error
from .request import Receive, Request
from .signatures import UNSIGNED, Signer, chain

MAX_LINE = 16 * 1024
"""Bytes of a chunk's line, and of all trailers: whoever sends more has no key, perhaps, and is not waited for."""
MAX_CHUNK = 1024**3
EMPTY = hashlib.sha256(b"").hexdigest()


class ClientGone(Exception):
    """The client hung up in the middle of its body."""


@dataclass
class Body:
    """What a request carries. Iterate to the end, and let the digests follow each piece; then `verify`.

    `length` is the size of what comes out; None if the client doesn't say.
    """

    request: Request
    signer: Signer | None
    length: int | None = None
    trailers: dict[str, str] = field(default_factory=dict)
    digests: dict[str, Digest] = field(default_factory=dict)
    md5: Digest = field(default_factory=lambda: hashlib.md5(usedforsecurity=False))
    sha256: Digest | None = None
    size: int = 0

    def __post_init__(self) -> None:
        headers = self.request.headers
        declared = headers.get("x-amz-decoded-content-length") if self.is_chunked else headers.get("content-length")
        if declared is not None:
            if not (declared.isascii() and declared.isdigit() and len(declared) < 18):
                raise S3Error("InvalidArgument", "The content's length is not a number.")
            self.length = int(declared)
        self.digests = {name: checksums.ALGORITHMS[name]() for name in checksums.announced(headers)}
        if self._has_signed_hash:
            self.sha256 = hashlib.sha256()

    @classmethod
    def of_copy(cls, request: Request, length: int | None, algorithm: str = "") -> Body:
        """For content that comes from elsewhere than this request's body: no checksum of the request speaks of it."""
        body = cls(replace(request, headers={}), None, length)
        if algorithm:
            body.digests = {algorithm: checksums.ALGORITHMS[algorithm]()}
        return body

    @property
    def payload(self) -> str:
        return self.signer.payload if self.signer is not None else UNSIGNED

    @property
    def is_chunked(self) -> bool:
        return self.request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-")

    @property
    def _has_signed_hash(self) -> bool:
        return self.payload != UNSIGNED and not self.is_chunked

    def feed(self, piece: bytes) -> None:
        """Follow a piece that was taken from the body. Slow enough for a thread."""
        self.size += len(piece)
        self.md5.update(piece)
        for digest in self.digests.values():
            digest.update(piece)
        if self.sha256 is not None:
            self.sha256.update(piece)

    def verify(self) -> dict[str, str]:
        """Whether all of it came, as it was sent; the checksums that the client gave, by algorithm.

        Raises `S3Error`.
        """
        if self.length is not None and self.size != self.length:
            raise S3Error("IncompleteBody", "You did not provide the number of bytes specified by Content-Length.")
        if self.sha256 is not None and self.sha256.digest().hex() != self.payload:
            raise S3Error("XAmzContentSHA256Mismatch", "The x-amz-content-sha256 does not match what was received.")
        checksums.verify_md5(self.request.headers.get("content-md5"), self.md5.digest())
        wanted = checksums.expected(self.request.headers) | checksums.expected(self.trailers)
        if missing := checksums.announced(self.request.headers) - set(wanted):
            raise S3Error("InvalidRequest", f"The trailer with the {min(missing).upper()} did not come.")
        return checksums.verify(wanted, self.digests)

    def __aiter__(self) -> AsyncIterator[bytes]:
        pieces = _received(self.request.receive)
        return _Chunks(self, pieces).read() if self.is_chunked else pieces


async def _received(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body"):
            return


async def whole(body: Body, limit: int) -> bytes:
    """A small body, verified. Raises `S3Error` (`EntityTooLarge`)."""
    data = bytearray()
    async for piece in body:
        data += piece
        if len(data) > limit:
            raise S3Error("EntityTooLarge", f"This request's body may have at most {limit} bytes.")
    body.feed(bytes(data))
    body.verify()
    return bytes(data)


class _Chunks:
    """Reads `SIZE[;chunk-signature=…]` lines, the data between them, and trailers after the last."""

    def __init__(self, body: Body, pieces: AsyncIterator[bytes]) -> None:
        self._body = body
        self._pieces = pieces
        self._buffer = bytearray()
        self._signature = body.signer.signature if body.signer is not None else ""
        self._is_signed = body.payload.startswith("STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
        known = (UNSIGNED_TRAILER, SIGNED, SIGNED_TRAILER)
        if body.signer is not None and body.payload not in known:
            raise S3Error("NotImplemented", f"{body.payload[:60]} is not implemented here.")

    async def read(self) -> AsyncIterator[bytes]:
        while True:
            size, signature = self._header(await self._line())
            if not size:
                self._check(signature, EMPTY)
                await self._read_trailers()
                return
            digest = hashlib.sha256() if self._is_signed else None
            while size:
                piece = await self._some(size)
                size -= len(piece)
                if digest is not None:
                    digest.update(piece)
                yield piece
            if await self._line():
                raise _malformed()
            self._check(signature, digest.hexdigest() if digest is not None else "")

    def _header(self, line: bytes) -> tuple[int, str]:
        number, _, extension = line.decode("latin-1").partition(";")
        try:
            size = int(number, 16)
        except ValueError:
            raise _malformed() from None
        if not 0 <= size <= MAX_CHUNK:
            raise _malformed()
        return size, extension.removeprefix("chunk-signature=")

    def _check(self, given: str, digest: str) -> None:
        if self._is_signed and self._body.signer is not None:
            self._signature = chain(self._body.signer, self._signature, "PAYLOAD", EMPTY, digest)
            self._compare(given)

    def _compare(self, given: str) -> None:
        if not hmac.compare_digest(given.encode(), self._signature.encode()):
            raise S3Error("SignatureDoesNotMatch", "The signature of a chunk is not right.")

    async def _read_trailers(self) -> None:
        lines = []
        left = MAX_LINE
        while line := await self._line(at_end=True):
            lines.append(line.decode("latin-1"))
            left -= len(line)
            if left < 0:
                raise _malformed()
        fields = [(name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        self._body.trailers = {name: value for name, value in fields if name != "x-amz-trailer-signature"}
        if self._is_signed and self._body.signer is not None and self._body.payload == SIGNED_TRAILER:
            text = "".join(f"{name}:{value}\n" for name, value in sorted(self._body.trailers.items()))
            digest = hashlib.sha256(text.encode()).hexdigest()
            self._signature = chain(self._body.signer, self._signature, "TRAILER", digest)
            self._compare(dict(fields).get("x-amz-trailer-signature", ""))

    async def _line(self, *, at_end: bool = False) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            if len(self._buffer) > MAX_LINE:
                raise _malformed()
            if not await self._more():
                if at_end and not self._buffer:
                    return b""
                raise S3Error("IncompleteBody", "The body ended in the middle of a chunk.")
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    async def _some(self, most: int) -> bytes:
        if not self._buffer and not await self._more():
            raise S3Error("IncompleteBody", "The body ended in the middle of a chunk.")
        piece = bytes(self._buffer[:most])
        del self._buffer[: len(piece)]
        return piece

    async def _more(self) -> bool:
        piece = await anext(self._pieces, b"")
        self._buffer += piece
        return bool(piece)


UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"


def _malformed() -> S3Error:
    return S3Error("InvalidRequest", "The body's chunks are malformed.")
