"""Multipart uploads: begin, parts, list, complete, abort."""

from __future__ import annotations

from . import checksums, conditions, markup
from .answer import Answer, xml
from .bodies import Body
from .call import MAX_OBJECT, Call, kept_headers, require_known_headers
from .errors import S3Error
from .index import moment
from .listing import uploads
from .markup import Value
from .objects import opened, range_of_source, source_of
from .request import escape
from .store import Part, Upload, require_quota

MAX_PARTS = 10_000


async def begin(call: Call) -> Answer:
    request = call.request
    require_known_headers(request.headers, request.key)
    algorithm = request.headers.get("x-amz-checksum-algorithm", "").lower()
    if algorithm and algorithm not in checksums.ALGORITHMS:
        raise S3Error("InvalidRequest", "Checksum algorithm provided is unsupported.")
    headers = kept_headers(request.headers)
    upload = await call.desk.write(lambda store: store.begin(call.bucket.name, request.key, headers, algorithm))
    fields = {"Bucket": call.bucket.name, "Key": request.key, "UploadId": upload.id}
    return xml(markup.write("InitiateMultipartUploadResult", fields))


async def put_part(call: Call) -> Answer:
    upload, number = await _upload(call), _number(call)
    body, blob, sums = await call.receive_object()
    known = {name.removeprefix(checksums.PREFIX): value for name, value in sums.items()}
    part = Part(number, body.size, body.md5.digest().hex(), moment(), known, blob)
    await _keep(call, upload, part)
    return Answer(200, {"ETag": f'"{part.etag}"', **sums})


async def copy_part(call: Call) -> Answer:
    upload, number, key = await _upload(call), _number(call), source_of(call)
    found = await call.desk.read(lambda store: store.get(call.bucket.name, key))
    conditions.require(found, call.request.headers, "x-amz-copy-source-")
    begin, end = range_of_source(call.request.headers, found.size)
    if end - begin > MAX_OBJECT:
        raise S3Error("EntityTooLarge", "A part may have at most 5 GiB.")
    require_quota(call.bucket, end - begin)
    call.desk.blobs.require_room(end - begin)
    body = Body.of_copy(call.request, end - begin, upload.algorithm)
    try:
        source = await opened(call, found, begin, end)
    except FileNotFoundError:
        raise S3Error("InternalError", "The object was replaced meanwhile. Please try again.") from None
    blob, sums = await call.desk.spool(body, source)
    part = Part(number, body.size, body.md5.digest().hex(), moment(), sums, blob)
    await _keep(call, upload, part)
    fields: dict[str, Value] = {"LastModified": markup.iso(part.modified), "ETag": f'"{part.etag}"'}
    fields |= {f"Checksum{name.upper()}": value for name, value in sums.items()}
    return xml(markup.write("CopyPartResult", fields))


async def list_parts(call: Call) -> Answer:
    upload = await _upload(call)
    limit = call.request.number("max-parts", 1000, 0, 1000)
    after = call.request.number("part-number-marker", 0, 0, MAX_PARTS)
    found = await call.desk.read(lambda store: store.parts(upload.id, after, limit + 1))
    shown = found[:limit]
    fields: dict[str, Value] = {
        "Bucket": call.bucket.name,
        "Key": upload.key,
        "UploadId": upload.id,
        "StorageClass": "STANDARD",
        "PartNumberMarker": after,
        "NextPartNumberMarker": shown[-1].number if shown else 0,
        "MaxParts": limit,
        "IsTruncated": len(found) > limit,
        "Part": [
            {
                "PartNumber": part.number,
                "LastModified": markup.iso(part.modified),
                "ETag": f'"{part.etag}"',
                "Size": part.size,
                **{f"Checksum{name.upper()}": value for name, value in part.checksums.items()},
            }
            for part in shown
        ],
    }
    return xml(markup.write("ListPartsResult", fields))


async def complete(call: Call) -> Answer:
    upload = await _upload(call)
    element = markup.read(await call.document(checksummed=False), "CompleteMultipartUpload")
    chosen = []
    for part in element.findall("Part"):
        numbers, etags = markup.texts(part, "PartNumber"), markup.texts(part, "ETag")
        if len(numbers) != 1 or len(etags) != 1 or not _is_number(numbers[0]):
            raise markup.malformed()
        chosen.append((int(numbers[0]), etags[0].strip('"')))
    claimed = checksums.expected(call.request.headers)
    condition = conditions.of_writer(call.request.headers)
    done = await call.desk.write(lambda store: store.complete(call.bucket.name, upload, chosen, claimed, condition))
    host, path = call.request.headers.get("host", ""), call.request.path
    fields: dict[str, Value] = {
        "Location": f"https://{host}{path}",
        "Bucket": call.bucket.name,
        "Key": done.key,
        "ETag": f'"{done.etag}"',
    }
    sums = checksums.expected(done.headers)
    fields |= {f"Checksum{name.upper()}": value for name, value in sums.items()}
    return xml(markup.write("CompleteMultipartUploadResult", fields))


async def abort(call: Call) -> Answer:
    upload = await _upload(call)
    await call.desk.write(lambda store: store.abort(call.bucket.name, upload))
    return Answer(204)


async def list_uploads(call: Call) -> Answer:
    request = call.request
    if request.parameter("delimiter"):
        raise S3Error("NotImplemented", "Listing multipart uploads by a delimiter is not implemented here.")
    limit = request.number("max-uploads", 1000, 0, 1000)
    prefix, marker = request.parameter("prefix") or "", request.parameter("key-marker") or ""
    id_marker = request.parameter("upload-id-marker")
    # Without the id of an upload, all uploads of the marker's key have been seen.
    after = (marker, id_marker if id_marker is not None else ("\U0010ffff" if marker else ""))
    found = await call.desk.read(
        lambda store: uploads(store.index, call.bucket.name, prefix=prefix, after=after, limit=limit + 1)
    )
    shown, url = found[:limit], request.parameter("encoding-type") == "url"

    def key(text: str) -> str:
        return escape(text, safe="/") if url else text

    fields: dict[str, Value] = {"Bucket": call.bucket.name, "KeyMarker": key(marker), "MaxUploads": limit}
    if url:
        fields["EncodingType"] = "url"
    fields["Prefix"] = key(prefix)
    fields["IsTruncated"] = len(found) > limit
    if len(found) > limit and shown:
        fields |= {"NextKeyMarker": key(shown[-1].key), "NextUploadIdMarker": shown[-1].id}
    fields["Upload"] = [
        {
            "Key": key(upload.key),
            "UploadId": upload.id,
            "StorageClass": "STANDARD",
            "Initiated": markup.iso(upload.created),
        }
        for upload in shown
    ]
    return xml(markup.write("ListMultipartUploadsResult", fields))


async def _upload(call: Call) -> Upload:
    upload = call.request.parameter("uploadId") or ""
    return await call.desk.read(lambda store: store.find_upload(call.bucket.name, call.request.key, upload))


def _number(call: Call) -> int:
    text = call.request.parameter("partNumber") or ""
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= MAX_PARTS):
        raise S3Error("InvalidArgument", f"Part number must be an integer between 1 and {MAX_PARTS}, inclusive")
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


async def _keep(call: Call, upload: Upload, part: Part) -> None:
    try:
        await call.desk.write(lambda store: store.put_part(call.bucket.name, upload, part))
    except BaseException:
        call.desk.blobs.discard(part.blob)
        raise
