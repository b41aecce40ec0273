"""Checksums that clients send along with bodies: Content-MD5 and x-amz-checksum-… (Amazon S3 User Guide, "Checking
object integrity")."""

from __future__ import annotations

import base64
import binascii
import hashlib
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from awscrt import checksums as crt

from .errors import S3Error

PREFIX = "x-amz-checksum-"
META = {"algorithm", "mode", "type"}
"""Headers with that prefix that are no checksums."""


class Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Crc:
    """A CRC as a hash object."""

    def __init__(self, function: Callable[[bytes, int], int], size: int) -> None:
        self._function = function
        self._size = size
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._function(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._size, "big")


ALGORITHMS: Mapping[str, Callable[[], Digest]] = {
    "crc32": lambda: Crc(zlib.crc32, 4),
    "crc32c": lambda: Crc(crt.crc32c, 4),
    "crc64nvme": lambda: Crc(crt.crc64nvme, 8),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}
_COMBINE = {"crc32": crt.combine_crc32, "crc32c": crt.combine_crc32c, "crc64nvme": crt.combine_crc64nvme}


def announced(headers: Mapping[str, str]) -> set[str]:
    """The algorithms of the checksums that a request carries, in headers or in trailers to come.

    Raises `S3Error` (`InvalidRequest`) for one that isn't known: nothing is taken for checked that was not.
    """
    trailers = [name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",")]
    names = [name for name in (*headers, *trailers) if name.startswith(PREFIX)]
    found = {name.removeprefix(PREFIX) for name in names} - META
    if unknown := found - set(ALGORITHMS):
        raise S3Error("InvalidRequest", f"Checksums by {min(unknown)[:20]} can't be checked here.")
    return found


def expected(headers: Mapping[str, str]) -> dict[str, str]:
    """Algorithm -> checksum in base64, of headers or trailers."""
    names = [name for name in headers if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in META]
    return {name.removeprefix(PREFIX): headers[name] for name in names}


def verify(wanted: Mapping[str, str], found: Mapping[str, Digest]) -> dict[str, str]:
    """The checksums that are right, all of them. Raises `S3Error` (`BadDigest`)."""
    for algorithm, value in wanted.items():
        if algorithm not in found or encode(found[algorithm].digest()) != value:
            raise S3Error("BadDigest", f"The {algorithm.upper()} you specified did not match the calculated checksum.")
    return {algorithm: encode(digest.digest()) for algorithm, digest in found.items()}


def verify_md5(header: str | None, digest: bytes) -> None:
    """Raises `S3Error` (`InvalidDigest`, `BadDigest`)."""
    if header is None:
        return
    try:
        wanted = base64.b64decode(header, validate=True)
    except (binascii.Error, ValueError):
        wanted = b""
    if len(wanted) != 16:
        raise S3Error("InvalidDigest", "The Content-MD5 you specified is not valid.")
    if wanted != digest:
        raise S3Error("BadDigest", "The Content-MD5 you specified did not match what we received.")


def combined(algorithm: str, parts: Iterable[tuple[str, int]]) -> str | None:
    """The checksum of all parts (checksum, size) one after the other; None if it can't be told from theirs."""
    combine = _COMBINE.get(algorithm)
    if combine is None:
        return None
    total, width = 0, 8 if algorithm == "crc64nvme" else 4
    for checksum, size in parts:
        total = combine(total, int.from_bytes(base64.b64decode(checksum), "big"), size)
    return encode(total.to_bytes(width, "big"))


def encode(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
