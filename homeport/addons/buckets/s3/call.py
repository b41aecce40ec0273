"""One request that was let in, and what its handlers share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from . import checksums
from .bodies import Body, whole
from .desk import Desk
from .errors import S3Error, not_implemented
from .request import HEADER_NAME, Request
from .signatures import Signer
from .store import PUBLIC, Bucket, require_quota

MAX_OBJECT = 5 * 1024**3
"""Bytes of one PUT, one part or one copy, as at Amazon; larger objects come in parts."""
MAX_DOCUMENT = 2 * 1024**2
MAX_METADATA = 8 * 1024
KEPT = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires")
META = "x-amz-meta-"

_REFUSED = (
    "x-amz-grant-",
    "x-amz-object-lock-",
    "x-amz-server-side-encryption",
    "x-amz-copy-source-server-side-encryption",
    "x-amz-tagging",
    "x-amz-website-redirect-location",
    "x-amz-write-offset-bytes",
    "x-amz-rename-source",
)
"""Headers that ask of a write what can't be done here: it would be wrong to write without it."""


@dataclass(frozen=True)
class Call:
    request: Request
    signer: Signer | None
    bucket: Bucket
    desk: Desk

    def body(self) -> Body:
        return Body(self.request, self.signer)

    async def document(self, *, checksummed: bool = True) -> bytes:
        """The body of a request that is XML. Not `checksummed`: the request's checksum headers speak of an object."""
        headers = self.request.headers
        if not checksummed:
            headers = {name: value for name, value in headers.items() if not name.startswith(checksums.PREFIX)}
        return await whole(Body(replace(self.request, headers=headers), self.signer), MAX_DOCUMENT)

    async def receive_object(self, replaced: int = 0) -> tuple[Body, str, dict[str, str]]:
        """Take the body into a file that is incoming: the body read, the file's id, its checksums.

        `replaced` are bytes that the bucket gets back. Raises `S3Error`, mostly before it reads anything.
        """
        body = self.body()
        if body.length is None:
            raise S3Error("MissingContentLength", "You must provide the Content-Length HTTP header.")
        if body.length > MAX_OBJECT:
            raise S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        require_quota(self.bucket, body.length - replaced)
        self.desk.blobs.require_room(body.length)
        blob, sums = await self.desk.spool(body)
        return body, blob, {checksums.PREFIX + name: value for name, value in sums.items()}


def require_known_headers(headers: Mapping[str, str], key: str) -> None:
    """Raises `S3Error` (`NotImplemented`) for a write that asks for what can't be had here."""
    for name in headers:
        if name.startswith(_REFUSED):
            raise not_implemented(f"The header {name[:60]}")
    if headers.get("x-amz-storage-class", "STANDARD") != "STANDARD":
        raise not_implemented("Another storage class than STANDARD")
    acl = headers.get("x-amz-acl", "private")
    if acl not in ("private", "bucket-owner-full-control", "bucket-owner-read") and not (
        acl == "public-read" and key.startswith(PUBLIC)
    ):
        raise not_implemented(f"The ACL {acl[:30]} (what lies below {PUBLIC} is world-readable without one)")


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """What is kept with an object. Raises `S3Error` (`MetadataTooLarge`, `InvalidArgument`)."""
    found = {name: value for name, value in headers.items() if name in KEPT or name.startswith(META)}
    encodings = [part.strip() for part in found.pop("content-encoding", "").split(",")]
    if left := ",".join(part for part in encodings if part and part != "aws-chunked"):
        found["content-encoding"] = left
    if sum(len(name) + len(value) for name, value in found.items()) > MAX_METADATA:
        raise S3Error("MetadataTooLarge", f"Metadata headers may have at most {MAX_METADATA} bytes.")
    for name, value in found.items():
        require_header(name, value)
    found.setdefault("content-type", "binary/octet-stream")
    return found


def require_header(name: str, value: str) -> None:
    """Raises `S3Error` (`InvalidArgument`) for what can't stand in a header."""
    if not HEADER_NAME.fullmatch(name) or any(letter < " " or letter == "\x7f" for letter in value if letter != "\t"):
        raise S3Error("InvalidArgument", "A header has characters that can't stand in one.")
