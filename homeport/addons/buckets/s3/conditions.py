"""Conditions and ranges of requests (RFC 9110, sections 13 and 14)."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formatdate, parsedate_to_datetime

from .errors import S3Error, not_implemented
from .store import Condition, Object, anything


def http_date(milliseconds: int) -> str:
    return formatdate(milliseconds // 1000, usegmt=True)


def require(found: Object, headers: Mapping[str, str], prefix: str = "") -> None:
    """Of a reader. With `x-amz-copy-source-` those for the source of a copy, where not modified is a failure too.

    Raises `S3Error` (`NotModified`, `PreconditionFailed`).
    """
    changed = found.modified // 1000
    match, none_match = headers.get(f"{prefix}if-match"), headers.get(f"{prefix}if-none-match")
    since, not_since = headers.get(f"{prefix}if-modified-since"), headers.get(f"{prefix}if-unmodified-since")
    if match is not None:
        failed = not _matches(match, found)
    else:
        failed = not_since is not None and changed > _seconds(not_since, changed)
    if failed:
        raise _failed()
    if none_match is not None:
        unmodified = _matches(none_match, found)
    else:
        unmodified = since is not None and changed <= _seconds(since, changed - 1)
    if unmodified and prefix:
        raise _failed()
    if unmodified:
        headers = {"ETag": f'"{found.etag}"', "Last-Modified": http_date(found.modified)}
        raise S3Error("NotModified", "Not Modified", headers)


def of_writer(headers: Mapping[str, str]) -> Condition:
    """If-None-Match: * writes only what isn't there; If-Match: ETAG only over what is."""
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if none_match not in (None, "*"):
        raise not_implemented("If-None-Match other than * on writing")
    if match is None and none_match is None:
        return anything

    def condition(present: Object | None) -> None:
        if none_match is not None and present is not None:
            raise _failed()
        if match is not None and present is None:
            raise S3Error("NoSuchKey", "The specified key does not exist.")
        if match is not None and present is not None and not _matches(match, present):
            raise _failed()

    return condition


def span(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last, for `bytes=…`; None for all: several ranges are answered so, as are ranges
    in other units. Raises `S3Error` (`InvalidRange`)."""
    if header is None or not header.startswith("bytes=") or "," in header:
        return None
    first, dash, last = header.removeprefix("bytes=").strip().partition("-")
    if not dash or not all(
        text == "" or (text.isascii() and text.isdigit() and len(text) < 20) for text in (first, last)
    ):
        return None
    if first:
        begin, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < begin:
            return None
    elif last:
        begin, end = max(size - int(last), 0), size
    else:
        return None
    if begin >= end:
        raise S3Error("InvalidRange", "The requested range is not satisfiable", {"Content-Range": f"bytes */{size}"})
    return begin, end


def _matches(header: str, found: Object) -> bool:
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")]
    return "*" in tags or found.etag in tags


def _seconds(header: str, otherwise: int) -> float:
    try:
        return parsedate_to_datetime(header).timestamp()
    except ValueError:
        return otherwise


def _failed() -> S3Error:
    return S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
