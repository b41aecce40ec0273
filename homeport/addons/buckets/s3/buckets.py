"""Buckets: list what is in one, delete many, CORS, where it is."""

from __future__ import annotations

import base64
import binascii

from . import cors, markup
from .answer import Answer, xml
from .call import Call
from .errors import S3Error, access_denied, not_implemented
from .listing import Page, page
from .markup import Value
from .request import escape

MAX_KEYS = 1000


async def head(_call: Call) -> Answer:
    return Answer(200, {"x-amz-bucket-region": "us-east-1"})


async def create(call: Call) -> Answer:
    """It is there already, and is the caller's: in us-east-1 that is no error."""
    return Answer(200, {"Location": f"/{call.bucket.name}"})


async def remove(_call: Call) -> Answer:
    raise access_denied("The bucket goes with its add-on: addons:destroy.")


async def location(_call: Call) -> Answer:
    return xml(markup.write("LocationConstraint", {}))


async def put_cors(call: Call) -> Answer:
    rules = cors.parse(await call.document())
    await call.desk.write(lambda store: store.set_cors(call.bucket.name, rules))
    return Answer(200)


async def get_cors(call: Call) -> Answer:
    return xml(cors.render(call.bucket.cors))


async def delete_cors(call: Call) -> Answer:
    await call.desk.write(lambda store: store.set_cors(call.bucket.name, "[]"))
    return Answer(204)


async def delete_many(call: Call) -> Answer:
    document = markup.read(await call.document(), "Delete")
    keys = []
    for item in document.findall("Object"):
        found = markup.texts(item, "Key")
        if len(found) != 1 or not found[0]:
            raise markup.malformed()
        if {child.tag for child in item} != {"Key"}:
            raise not_implemented("Deleting versions, or under conditions,")
        keys.append(found[0])
    if not 0 < len(keys) <= MAX_KEYS:
        raise markup.malformed()
    await call.desk.write(lambda store: store.delete(call.bucket.name, keys))
    quiet = markup.texts(document, "Quiet") == ["true"]
    return xml(markup.write("DeleteResult", {} if quiet else {"Deleted": [{"Key": key} for key in keys]}))


async def list_objects(call: Call) -> Answer:
    """ListObjects, and ListObjectsV2 with `list-type=2`."""
    request = call.request
    second = request.parameter("list-type") == "2"
    if request.has("list-type") and not second:
        raise S3Error("InvalidArgument", "list-type must be 2.")
    prefix, delimiter = request.parameter("prefix") or "", request.parameter("delimiter") or ""
    token = request.parameter("continuation-token")
    marker = request.parameter("start-after" if second else "marker") or ""
    after = _from_token(token) if second and token is not None else marker
    limit = request.number("max-keys", MAX_KEYS, 0, MAX_KEYS)
    found = await call.desk.read(
        lambda store: page(store.index, call.bucket.name, prefix=prefix, delimiter=delimiter, after=after, limit=limit)
    )
    url = request.parameter("encoding-type") == "url"

    def key(text: str) -> str:
        return escape(text, safe="/") if url else text

    fields: dict[str, Value] = {"Name": call.bucket.name, "Prefix": key(prefix), "MaxKeys": limit}
    if delimiter:
        fields["Delimiter"] = key(delimiter)
    if url:
        fields["EncodingType"] = "url"
    fields["IsTruncated"] = bool(found.last)
    if second:
        fields["KeyCount"] = len(found.objects) + len(found.prefixes)
        if token is not None:
            fields["ContinuationToken"] = token
        if marker:
            fields["StartAfter"] = key(marker)
        if found.last:
            fields["NextContinuationToken"] = _to_token(found.last)
    else:
        fields["Marker"] = key(marker)
        if found.last:
            fields["NextMarker"] = key(found.last)
    fields["Contents"] = _contents(found, url)
    fields["CommonPrefixes"] = [{"Prefix": key(rolled)} for rolled in found.prefixes]
    return xml(markup.write("ListBucketResult", fields))


def _contents(found: Page, url: bool) -> list[Value]:
    return [
        {
            "Key": escape(item.key, safe="/") if url else item.key,
            "LastModified": markup.iso(item.modified),
            "ETag": f'"{item.etag}"',
            "Size": item.size,
            "StorageClass": "STANDARD",
        }
        for item in found.objects
    ]


def _to_token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _from_token(token: str) -> str:
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raise S3Error("InvalidArgument", "The continuation token provided is incorrect") from None
