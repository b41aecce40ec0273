"""Objects: put, get, head, copy, delete."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from urllib.parse import unquote

from . import checksums, conditions, markup
from .answer import Answer, xml
from .call import KEPT, MAX_OBJECT, META, Call, kept_headers, require_header, require_known_headers
from .conditions import http_date
from .errors import S3Error, access_denied, not_implemented
from .index import moment
from .store import Object

READ = 256 * 1024
ATTEMPTS = 5
"""How often an object is looked up anew that was replaced while it was opened."""

_OVERRIDES = {f"response-{name}": name for name in KEPT}


async def put(call: Call) -> Answer:
    request = call.request
    headers = kept_headers(request.headers)
    require_known_headers(request.headers, request.key)
    condition = conditions.of_writer(request.headers)
    present = await call.desk.read(lambda store: store.find(call.bucket.name, request.key))
    condition(present)
    body, blob, sums = await call.receive_object(present.size if present is not None else 0)
    new = Object(request.key, body.size, body.md5.digest().hex(), moment(), headers | sums, (blob,))
    try:
        kept = await call.desk.write(lambda store: store.put(call.bucket.name, new, condition))
    except BaseException:
        call.desk.blobs.discard(blob)
        raise
    return Answer(200, {"ETag": f'"{kept.etag}"', **sums})


async def get(call: Call) -> Answer:
    """GET, and HEAD too."""
    for _ in range(ATTEMPTS):
        with suppress(FileNotFoundError):  # it was replaced since it was looked up
            return await _opened(call)
    raise S3Error("InternalError", "The object changes too quickly to be read. Please try again.")


async def _opened(call: Call) -> Answer:
    found = await call.desk.read(lambda store: store.get(call.bucket.name, call.request.key))
    conditions.require(found, call.request.headers)
    part = conditions.span(call.request.headers.get("range"), found.size)
    headers = _headers(call, found, whole=part is None)
    begin, end = part or (0, found.size)
    if part is not None:
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{found.size}"
    status = 200 if part is None else 206
    if call.request.method == "HEAD":
        return Answer(status, headers, length=end - begin)
    return Answer(status, headers, content=await opened(call, found, begin, end), length=end - begin)


async def copy(call: Call) -> Answer:
    require_known_headers(call.request.headers, call.request.key)
    for _ in range(ATTEMPTS):
        with suppress(FileNotFoundError):  # the source was replaced since it was looked up
            return await _copied(call)
    raise S3Error("InternalError", "The object changes too quickly to be copied. Please try again.")


async def _copied(call: Call) -> Answer:
    request, bucket, key = call.request, call.bucket, source_of(call)
    condition = conditions.of_writer(request.headers)
    found = await call.desk.read(lambda store: store.get(bucket.name, key))
    conditions.require(found, request.headers, "x-amz-copy-source-")
    if found.size > MAX_OBJECT:
        raise S3Error("InvalidRequest", "The copy source is larger than 5 GiB: copy it in parts.")
    headers = dict(found.headers)
    if request.headers.get("x-amz-metadata-directive", "COPY") == "REPLACE":
        sums = {name: value for name, value in found.headers.items() if name.startswith(checksums.PREFIX)}
        headers = kept_headers(request.headers) | sums
    elif key == request.key:
        raise S3Error("InvalidRequest", "This copy request is illegal: it would change nothing.")
    new = replace(found, key=request.key, headers=headers, modified=moment())
    kept = await call.desk.write(lambda store: store.copy((bucket.name, key), bucket.name, new, condition))
    return xml(markup.write("CopyObjectResult", {"LastModified": markup.iso(kept.modified), "ETag": f'"{kept.etag}"'}))


async def delete(call: Call) -> Answer:
    condition = conditions.of_writer(call.request.headers)
    await call.desk.write(lambda store: store.delete(call.bucket.name, [call.request.key], condition))
    return Answer(204)


def source_of(call: Call) -> str:
    """The key that is copied, of this bucket: its keys reach no other. Raises `S3Error`."""
    text = unquote(call.request.headers.get("x-amz-copy-source", "")).removeprefix("/")
    bucket, _, key = text.partition("/")
    if "?versionId=" in key:
        raise not_implemented("Copying a version")
    if bucket != call.bucket.name:
        raise access_denied()
    if not key:
        raise S3Error("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    return key


def _headers(call: Call, found: Object, *, whole: bool) -> dict[str, str]:
    request = call.request
    headers = {
        "ETag": f'"{found.etag}"',
        "Last-Modified": http_date(found.modified),
        "Accept-Ranges": "bytes",
        **{name: value for name, value in found.headers.items() if name in KEPT or name.startswith(META)},
    }
    if whole and request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers |= {name: value for name, value in found.headers.items() if name.startswith(checksums.PREFIX)}
    chosen = {name: value for name, value in request.query if name in _OVERRIDES}
    if chosen and call.signer is None:
        raise S3Error("InvalidRequest", "Request specific response headers cannot be used for anonymous GET requests.")
    for name, value in chosen.items():
        require_header(name, value)
        headers[_OVERRIDES[name]] = value
    return headers


async def opened(call: Call, found: Object, begin: int, end: int) -> AsyncGenerator[bytes]:
    """An object's bytes. Its files are held until they were read, or the iterator is closed.

    Raises `FileNotFoundError` if they are gone already.
    """
    sizes = await call.desk.read(lambda store: store.sizes(found.blobs))
    held = ExitStack()
    held.enter_context(call.desk.blobs.reading([blob for blob, _ in sizes]))
    return _content(call, sizes, begin, end, held)


async def _content(
    call: Call, sizes: Sequence[tuple[str, int]], begin: int, end: int, held: ExitStack
) -> AsyncGenerator[bytes]:
    """Several files as if they were one."""
    with held:
        start = 0
        for blob, size in sizes:
            first, last = max(begin - start, 0), min(end - start, size)
            start += size
            if first < last:
                with os.fdopen(call.desk.blobs.open(blob), "rb", buffering=0) as file:
                    file.seek(first)
                    while first < last:
                        piece = await call.desk.disk(partial(file.read, min(READ, last - first)))
                        if not piece:
                            raise OSError(f"{blob} is shorter than it should be")
                        first += len(piece)
                        yield piece


def range_of_source(headers: Mapping[str, str], size: int) -> tuple[int, int]:
    """Of a part that is copied. Raises `S3Error` (`InvalidArgument`, `InvalidRange`)."""
    text = headers.get("x-amz-copy-source-range")
    if text is None:
        return 0, size
    found = conditions.span(text, size)
    if found is None:
        raise S3Error("InvalidArgument", "The x-amz-copy-source-range must be of the form bytes=first-last.")
    return found
