"""The server: every operation that there is, on one screen; everything else is refused and touches nothing."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import buckets, cors, markup, objects, posting, signatures, uploads
from .answer import XML, Answer, xml
from .bodies import ClientGone
from .call import Call
from .desk import Desk
from .errors import S3Error, access_denied, disk_full, not_implemented
from .inbox import Inbox
from .request import Receive, Request, Send, read
from .signatures import Signer
from .store import PUBLIC, Bucket

FOLDER = "HOMEPORT_BUCKETS_FOLDER"

Handler = Callable[[Call], Awaitable[Answer]]

# (level, method, query parameters that choose it) -> what it does
OPERATIONS: Mapping[tuple[str, str, frozenset[str]], Handler] = {
    (level, method, frozenset(chosen.split())): handler
    for level, method, chosen, handler in (
        ("bucket", "GET", "", buckets.list_objects),
        ("bucket", "GET", "list-type", buckets.list_objects),
        ("bucket", "GET", "location", buckets.location),
        ("bucket", "GET", "cors", buckets.get_cors),
        ("bucket", "GET", "uploads", uploads.list_uploads),
        ("bucket", "HEAD", "", buckets.head),
        ("bucket", "PUT", "", buckets.create),
        ("bucket", "PUT", "cors", buckets.put_cors),
        ("bucket", "DELETE", "", buckets.remove),
        ("bucket", "DELETE", "cors", buckets.delete_cors),
        ("bucket", "POST", "delete", buckets.delete_many),
        ("bucket", "POST", "", posting.post),
        ("object", "GET", "", objects.get),
        ("object", "GET", "uploadId", uploads.list_parts),
        ("object", "HEAD", "", objects.get),
        ("object", "PUT", "", objects.put),
        ("object", "PUT", "copy", objects.copy),
        ("object", "PUT", "uploadId partNumber", uploads.put_part),
        ("object", "PUT", "uploadId partNumber copy", uploads.copy_part),
        ("object", "POST", "uploads", uploads.begin),
        ("object", "POST", "uploadId", uploads.complete),
        ("object", "DELETE", "", objects.delete),
        ("object", "DELETE", "uploadId", uploads.abort),
    )
}

_CHOOSING = frozenset(name for _, _, names in OPERATIONS for name in names) - {"copy"}
_MODIFYING = {
    *("prefix", "delimiter", "marker", "max-keys", "encoding-type", "continuation-token", "start-after"),
    *("fetch-owner", "key-marker", "upload-id-marker", "max-uploads", "max-parts", "part-number-marker", "x-id"),
    *("AWSAccessKeyId", "Signature", "Expires", "content-type", "content-md5"),
}
"""Query parameters that choose nothing. Beside them those of signers and of answers' headers."""
_UNSUPPORTED = frozenset(
    """accelerate acl analytics annotation attributes encryption intelligent-tiering inventory legal-hold lifecycle
    logging metadataConfiguration metadataTable metrics notification object-lock ownershipControls partNumber policy
    policyStatus publicAccessBlock renameObject replication requestPayment restore retention select select-type session
    tagging torrent versionId versioning versions website""".split()
)
"""Of reading: anything else that is unknown is ignored there, as at Amazon (`?v=3` tells caches apart)."""

_log = logging.getLogger("buckets")


class Application:
    """ASGI, on the folder that index and files are in."""

    def __init__(self, folder: Path) -> None:
        self._desk = Desk(folder)
        self._sweeping: asyncio.Task[None] | None = None

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._desk.open()
        self._sweeping = asyncio.create_task(self._desk.sweep())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._sweeping.cancel()
        await asyncio.gather(self._sweeping, return_exceptions=True)
        self._desk.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        number = secrets.token_hex(8).upper()
        try:
            answer = await self._answer(scope, receive, number)
        except ClientGone:
            return
        answer = replace(answer, headers={"x-amz-request-id": number, **answer.headers})
        gone = asyncio.Event()
        watching = asyncio.create_task(_watch(receive, gone)) if answer.content is not None else None
        try:
            await answer.send(send, gone, with_body=scope["method"] != "HEAD")
        finally:
            if watching is not None:
                watching.cancel()

    async def _answer(self, scope: Mapping[str, Any], receive: Receive, number: str) -> Answer:
        granted: dict[str, str] = {}
        inbox = Inbox(scope, receive)
        try:
            request = read(scope, inbox.receive)
            if not request.bucket:
                return await self._own_bucket(request)
            bucket = await self._bucket(request)
            if request.method == "OPTIONS":
                return Answer(200, cors.preflight(bucket.cors if bucket is not None else "[]", request.headers))
            granted = cors.granted(bucket.cors, request.method, request.headers) if bucket is not None else {}
            answer = await self._operate(request, bucket)
        except S3Error as error:
            refused = error
        except (sqlite3.OperationalError, OSError) as error:
            _log.exception("%s %s", scope["method"], number)
            full = getattr(error, "errno", None) == 28 or getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
            refused = disk_full() if full else _internal()
        except ClientGone:
            raise
        except Exception:
            _log.exception("%s %s", scope["method"], number)
            refused = _internal()
        else:
            return replace(answer, headers={**answer.headers, **granted})
        if not await inbox.drain():
            granted["Connection"] = "close"  # else what is left of the body would be taken for the next request
        return _refusal(refused, scope["raw_path"].decode("latin-1"), number, granted)

    async def _operate(self, request: Request, bucket: Bucket | None) -> Answer:
        handler = _operation(request)
        signer = await self._signer(request)
        is_form = handler is posting.post
        if signer is not None and (bucket is None or signer.key_id != bucket.key_id):
            raise access_denied()  # whether there is such a bucket is nobody else's business
        is_public = request.method in ("GET", "HEAD") and request.key.startswith(PUBLIC) and handler is objects.get
        if bucket is None or (signer is None and not is_public and not is_form):
            raise access_denied()
        return await handler(Call(request, signer, bucket, self._desk))

    async def _bucket(self, request: Request) -> Bucket | None:
        try:
            return await self._desk.read(lambda store: store.find_bucket(request.bucket))
        except S3Error:
            return None

    async def _signer(self, request: Request) -> Signer | None:
        key_id = signatures.key_id(request)
        owner = await self._desk.read(lambda store: store.bucket_of_key(key_id)) if key_id is not None else None

        def secret_of(signed: str) -> str | None:
            # Asked by name: a request that names two keys must not be let in with the secret of one as the other.
            return owner.secret if owner is not None and owner.key_id == signed else None

        return signatures.signer(request, secret_of, time.time())

    async def _own_bucket(self, request: Request) -> Answer:
        """ListBuckets: a key has one."""
        if request.method != "GET":
            raise S3Error("MethodNotAllowed", "The specified method is not allowed against this resource.")
        signer = await self._signer(request)
        if signer is None:
            raise access_denied()
        own = await self._desk.read(lambda store: store.bucket_of_key(signer.key_id))
        if own is None:
            raise access_denied()
        listed = {"Bucket": {"Name": own.name, "CreationDate": markup.iso(own.created)}}
        owner = {"ID": own.key_id, "DisplayName": own.name}
        return xml(markup.write("ListAllMyBucketsResult", {"Owner": owner, "Buckets": listed}))


def _operation(request: Request) -> Handler:
    """Raises `S3Error` (`NotImplemented`) for whatever is not in the table."""
    level = "object" if request.key else "bucket"
    names = {name for name, _ in request.query}
    chosen = names & _CHOOSING
    if "x-amz-copy-source" in request.headers and request.method == "PUT":
        chosen |= {"copy"}
    if request.method in ("GET", "HEAD"):
        chosen -= {"partNumber"}
        strange = names & _UNSUPPORTED
        if strange == {"partNumber"} and "uploadId" in names:
            strange = set()
    else:
        strange = {
            name for name in names - _CHOOSING - _MODIFYING if not name.lower().startswith(("x-amz-", "response-"))
        }
    if strange:
        raise not_implemented(f"{request.method} with ?{min(strange)[:40]}")
    handler = OPERATIONS.get((level, request.method, frozenset(chosen)))
    if handler is None:
        raise not_implemented(f"{request.method} of {level}s{' with ?' + min(chosen) if chosen else ''}")
    return handler


async def _watch(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


def _refusal(error: S3Error, path: str, number: str, granted: Mapping[str, str]) -> Answer:
    headers = {**granted, **error.headers}
    if error.status == 304:
        return Answer(304, headers)
    body = markup.error(error.code, error.message, [("Resource", path), ("RequestId", number)])
    return Answer(error.status, {"Content-Type": XML, **headers}, body)


def _internal() -> S3Error:
    return S3Error("InternalError", "We encountered an internal error. Please try again.")


def make() -> Application:
    """What uvicorn calls."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    return Application(Path(os.environ[FOLDER]))
