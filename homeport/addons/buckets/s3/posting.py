"""Uploads by a browser's form, with a policy that somebody who has the key has signed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import quote, urlsplit

from . import checksums, markup, policy, signatures
from .answer import XML, Answer
from .bodies import Body
from .call import MAX_OBJECT, Call, kept_headers, require_known_headers
from .errors import S3Error, access_denied, not_implemented
from .forms import Form
from .index import moment
from .policy import Policy
from .request import MAX_KEY_BYTES
from .store import Object, require_quota

FIELDS_SECONDS = 30.0
"""Before its fields are there nobody knows who sends a form, and the router lets in only so many at once."""


async def post(call: Call) -> Answer:
    """The file's content is streamed; nothing is kept of it before its size is known to be right."""
    form = Form(call.request.headers.get("content-type", ""), aiter(call.body()))
    try:
        async with asyncio.timeout(FIELDS_SECONDS):
            await form.read_fields()
    except TimeoutError:
        raise S3Error("RequestTimeout", "The form's fields did not come in time.") from None
    signed = _require_signed(call, form)
    key = form.fields.get("key", "").replace("${filename}", form.filename)
    if not key or "\0" in key:
        raise S3Error("InvalidArgument", "Bucket POST must contain a field named 'key'.")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise S3Error("KeyTooLongError", f"A key has at most {MAX_KEY_BYTES} bytes.")
    for name in form.fields:
        if name in ("tagging", "content-md5") or name.startswith(checksums.PREFIX):
            raise not_implemented(f"The field {name} of a form")
    acl = {"x-amz-acl": form.fields["acl"]} if "acl" in form.fields else {}
    require_known_headers({**form.fields, **acl}, key)
    headers = kept_headers(form.fields)
    body = Body.of_copy(call.request, None)
    blob, _ = await call.desk.spool(body, _limited(call, form, signed))
    try:
        signed.require_size(body.size)
        new = Object(key, body.size, body.md5.digest().hex(), moment(), headers, (blob,))
        kept = await call.desk.write(lambda store: store.put(call.bucket.name, new))
    except BaseException:
        call.desk.blobs.discard(blob)
        raise
    return _answer(call, form, kept)


def _require_signed(call: Call, form: Form) -> Policy:
    bucket = call.bucket

    def secret_of(key_id: str) -> str | None:
        return bucket.secret if key_id == bucket.key_id else None

    if "policy" not in form.fields:
        raise access_denied("The form has no policy.")
    signatures.of_form(form.fields, secret_of)
    signed = policy.parse(form.fields["policy"])
    signed.require({**form.fields, "bucket": bucket.name}, time.time())
    return signed


async def _limited(call: Call, form: Form, signed: Policy) -> AsyncIterator[bytes]:
    """The file's content, no more of it than the policy, the plan and the disk allow."""
    most = min(MAX_OBJECT, signed.most if signed.most is not None else MAX_OBJECT)
    taken = unchecked = 0
    async for piece in form:
        taken += len(piece)
        unchecked += len(piece)
        if taken > most:
            raise S3Error("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        if unchecked > 1024**2 or taken == unchecked:
            require_quota(call.bucket, taken)
            call.desk.blobs.require_room(unchecked)
            unchecked = 0
        yield piece


def _answer(call: Call, form: Form, kept: Object) -> Answer:
    host = call.request.headers.get("host", "")
    where = f"https://{host}{call.request.path.rstrip('/')}/{quote(kept.key)}"
    headers = {"ETag": f'"{kept.etag}"', "Location": where}
    redirect = form.fields.get("success_action_redirect") or form.fields.get("redirect")
    if redirect and _is_address(redirect):
        joint = "&" if urlsplit(redirect).query else "?"
        told = f"bucket={call.bucket.name}&key={quote(kept.key, safe='')}&etag=%22{kept.etag}%22"
        return Answer(303, {**headers, "Location": f"{redirect}{joint}{told}"})
    status = form.fields.get("success_action_status", "204")
    if status == "201":
        fields = {"Location": where, "Bucket": call.bucket.name, "Key": kept.key, "ETag": f'"{kept.etag}"'}
        return Answer(201, {**headers, "Content-Type": XML}, markup.write("PostResponse", fields, namespace=False))
    return Answer(200 if status == "200" else 204, headers)


def _is_address(text: str) -> bool:
    try:
        return urlsplit(text).scheme in ("http", "https") and text.isprintable()
    except ValueError:
        return False
