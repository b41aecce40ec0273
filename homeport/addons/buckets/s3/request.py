"""A request as S3 sees it: a method on a bucket or a key, by path."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from .errors import S3Error, access_denied

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_KEY_BYTES = 1024
PREFIX = "/s3"
"""May stand before the bucket in a path, where buckets share an origin with others: no bucket has so short a name."""

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
"""RFC 9110, section 5.1, in lower case."""


@dataclass(frozen=True)
class Request:
    """`path` is as the client sent it, prefix and escapes and all: signatures are over that. `path_of_bucket` is
    the same without the prefix. `query` keeps order and
    repetition. `headers` are lower case; of one that was sent twice the values are joined by commas. `bucket` and
    `key` are empty where the path doesn't name one."""

    method: str
    path: str
    path_of_bucket: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    bucket: str
    key: str
    receive: Receive

    def parameter(self, name: str) -> str | None:
        return next((value for known, value in self.query if known == name), None)

    def has(self, name: str) -> bool:
        return any(known == name for known, _ in self.query)

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A parameter that is a whole number. Raises `S3Error` (`InvalidArgument`)."""
        text = self.parameter(name)
        if text is None or text == "":
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) >= least):
            raise S3Error("InvalidArgument", f"{name} must be a whole number from {least} on.")
        return min(int(text), most)


def read(scope: Mapping[str, Any], receive: Receive) -> Request:
    """Of an ASGI scope. Raises `S3Error` (`InvalidURI`, `KeyTooLongError`, `AccessDenied`)."""
    raw = scope["raw_path"].decode("latin-1")
    try:
        path = unquote_to_bytes(raw).decode()
        query = tuple(_pairs(scope["query_string"].decode("latin-1")))
    except UnicodeDecodeError:
        raise S3Error("InvalidURI", "The path is not UTF-8.") from None
    prefix = PREFIX if path == PREFIX or path.startswith(f"{PREFIX}/") else ""
    if "\0" in path:
        raise S3Error("InvalidURI", "A key can't have a NUL in it.")
    bucket, _, key = path[len(prefix) :].removeprefix("/").partition("/")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise S3Error("KeyTooLongError", f"A key has at most {MAX_KEY_BYTES} bytes.")
    headers: dict[str, str] = {}
    for name_bytes, value_bytes in scope["headers"]:
        name, value = name_bytes.decode("latin-1").lower(), value_bytes.decode("latin-1").strip()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    return Request(scope["method"], raw, raw[len(prefix) :], query, _with_hoisted(headers, query), bucket, key, receive)


def escape(text: str | bytes, *, safe: str = "") -> str:
    """Percent-encoding as AWS signs it."""
    return quote(text, safe=safe + "-_.~")


def _pairs(query: str) -> list[tuple[str, str]]:
    found = []
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        found.append((unquote_to_bytes(name).decode(), unquote_to_bytes(value).decode()))
    return found


def _with_hoisted(headers: dict[str, str], query: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Signers of URLs move headers into the query: x-amz-meta-…, x-amz-acl and their like.

    Raises `S3Error`: `AccessDenied` for one that is said twice, differently, because only one of the two is signed;
    `InvalidArgument` for a name with a line end or a colon in it, which would read as two headers where it is signed.
    """
    hoisted = {name.lower(): value for name, value in query if name.lower().startswith("x-amz-")}
    if strange := [name for name in hoisted if not HEADER_NAME.fullmatch(name)]:
        raise S3Error("InvalidArgument", f"{strange[0][:60]!r} is no name of a header.")
    if differ := [name for name in hoisted if headers.get(name, hoisted[name]) != hoisted[name]]:
        raise access_denied(f"The header {differ[0][:60]} is not what the query says.")
    return hoisted | headers
