"""The pure parts of the bucket server: paths, ranges, policies, chunks, listings, XML, checksums, variables."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from homeport.addons.buckets import variables
from homeport.addons.buckets.s3 import checksums, conditions, cors, listing, markup, policy, posting
from homeport.addons.buckets.s3.application import OPERATIONS, _operation
from homeport.addons.buckets.s3.bodies import Body
from homeport.addons.buckets.s3.call import Call, kept_headers
from homeport.addons.buckets.s3.desk import Desk
from homeport.addons.buckets.s3.errors import S3Error
from homeport.addons.buckets.s3.forms import Form
from homeport.addons.buckets.s3.request import Message, Request, read
from homeport.addons.buckets.s3.store import Object, Store


def scope(method: str, target: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
    path, _, query = target.partition("?")
    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return {"method": method, "raw_path": path.encode(), "query_string": query.encode(), "headers": raw}


def request(method: str, target: str, headers: dict[str, str] | None = None, *pieces: bytes) -> Request:
    left = list(pieces)

    async def receive() -> Message:
        return {"type": "http.request", "body": left.pop(0) if left else b"", "more_body": bool(left)}

    return read(scope(method, target, headers), receive)


@pytest.mark.parametrize(
    ("target", "bucket", "key"),
    [
        ("/s3/b1/k", "b1", "k"),
        ("/b1/k", "b1", "k"),
        ("/s3", "", ""),
        ("/s3/b1", "b1", ""),
        ("/s3/b1//", "b1", "/"),
        ("/s3/b1/../c", "b1", "../c"),
        ("/s3/b1/%2e%2e%2Fc", "b1", "../c"),
        ("/s3x/k", "s3x", "k"),
        ("/b1/a+b%20c", "b1", "a+b c"),
    ],
)
def test_paths_name_a_bucket_and_a_key(target: str, bucket: str, key: str) -> None:
    found = request("GET", target)
    assert (found.bucket, found.key) == (bucket, key)


def test_what_is_not_in_the_table_is_not_implemented() -> None:
    """Every way to name a sub-resource, known or to come, with every method that changes something."""
    names = ("acl", "tagging", "retention", "whatever", "uploadId&acl", "cors&policy", "versionId=1", "partNumber=1")
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        for name in names:
            for target in ("/bucket/key", "/bucket"):
                with pytest.raises(S3Error) as caught:
                    _operation(request(method, f"{target}?{name}"))
                assert caught.value.status == 501, (method, name)
    assert _operation(request("GET", "/bucket/key?v=1&1234")) is OPERATIONS["object", "GET", frozenset()]


@given(some.integers(0, 50), some.integers(0, 60), some.integers(0, 60))
def test_a_range_is_what_a_slice_is(size: int, first: int, last: int) -> None:
    content = bytes(range(size))
    try:
        found = conditions.span(f"bytes={first}-{last}", size)
    except S3Error:
        assert first >= size
    else:
        assert (found is None) == (last < first)
        if found is not None:
            assert content[found[0] : found[1]] == content[first : last + 1]


@pytest.mark.parametrize(
    "header", ["bytes=", "bytes=-", "bytes=a-b", "lines=1-2", "bytes=0-1,3-4", "bytes=1", "", f"bytes={'9' * 5000}-"]
)
def test_odd_ranges_are_no_ranges(header: str) -> None:
    assert conditions.span(header, 10) is None


def test_rules_of_forms() -> None:
    def written(*conditions: object, expiration: str = "2030-01-01T00:00:00Z") -> policy.Policy:
        text = json.dumps({"expiration": expiration, "conditions": conditions})
        return policy.parse(base64.b64encode(text.encode()).decode())

    signed = written(
        {"bucket": "b"}, ["starts-with", "$Key", "up/"], ["content-length-range", 1, 9], {"ACL": "private"}
    )
    fields = {"bucket": "b", "key": "up/x", "acl": "private"}
    signed.require({**fields, "policy": "…", "x-ignore-me": ""}, 0)
    assert (signed.least, signed.most) == (1, 9)
    for spoilt in ({**fields, "key": "x"}, {**fields, "extra": ""}, {"bucket": "b", "key": "up/x"}):
        with pytest.raises(S3Error, match="Invalid according to Policy"):
            signed.require(spoilt, 0)
    with pytest.raises(S3Error, match="expired"):
        written(expiration="2000-01-01T00:00:00").require({}, 1e9)
    for broken in ("", "e30=", "!", base64.b64encode(b'{"expiration": 1, "conditions": []}').decode()):
        with pytest.raises(S3Error, match="malformed"):
            policy.parse(broken)
    with pytest.raises(S3Error, match="malformed"):
        written(["contains", "$key", "x"])


def cut(content: bytes, sizes: list[int]) -> list[bytes]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(content[start : start + size])
        start += size
    return [*filter(None, pieces), content[start:]]


CHUNKED = {"x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32"}


async def collected(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


@settings(max_examples=60)
@given(some.lists(some.binary(min_size=1, max_size=40), max_size=5), some.lists(some.integers(1, 30), max_size=20))
def test_chunks_are_read_however_they_arrive(chunks: list[bytes], sizes: list[int]) -> None:
    content = b"".join(chunks)
    digest = checksums.ALGORITHMS["crc32"]()
    digest.update(content)
    wire = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    wire += b"0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % checksums.encode(digest.digest()).encode()
    headers = {**CHUNKED, "x-amz-decoded-content-length": str(len(content))}
    body = Body(request("PUT", "/b/k", headers, *cut(wire, sizes)), None)
    assert asyncio.run(collected(aiter(body))) == content
    body.feed(content)
    assert body.verify() == {"crc32": checksums.encode(digest.digest())}


@pytest.mark.parametrize(
    "wire", [b"5\r\nhel", b"5\r\nhello", b"zz\r\n", b"-1\r\n\r\n", b"5\r\nhelloXX\r\n", b"0" * 20_000]
)
def test_broken_chunks_are_refused(wire: bytes) -> None:
    body = Body(request("PUT", "/b/k", {**CHUNKED, "x-amz-decoded-content-length": "5"}, wire), None)
    with pytest.raises(S3Error):
        asyncio.run(collected(aiter(body)))


def test_trailers_do_not_fill_the_memory() -> None:
    """Whoever sends a form has not said yet who they are."""
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b"a: b\r\n" * 1000 if taken > 1 else b"0\r\n", "more_body": taken < 100}

    async def scenario() -> None:
        asked = read(scope("POST", "/b", {"content-type": "multipart/form-data; boundary=X", **CHUNKED}), receive)
        with pytest.raises(S3Error, match="malformed"):
            await Form(asked.headers["content-type"], aiter(Body(asked, None))).read_fields()

    asyncio.run(scenario())
    assert taken < 10


def test_a_form_that_comes_slowly_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(posting, "FIELDS_SECONDS", 0.05)

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def scenario() -> None:
        asked = read(scope("POST", "/b", {"content-type": "multipart/form-data; boundary=X"}), receive)
        with contextlib.closing(Store(tmp_path)) as store:
            store.index.prepare()
            store.make_bucket("b", "AKIA", "secret", 1)
            call = Call(asked, None, store.find_bucket("b"), Desk(tmp_path))
        with pytest.raises(S3Error) as caught:
            await posting.post(call)
        assert caught.value.code == "RequestTimeout"

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "name", ["x-amz-meta-a%0Ax-amz-meta-b", "x-amz-meta-a%3A1", "x-amz-meta-%C3%BC", "x-amz-meta-a%20"]
)
def test_what_is_no_name_of_a_header_is_not_taken_for_one(name: str) -> None:
    """Lines of what is signed could be read in two ways, and answers with such a header by nobody."""
    with pytest.raises(S3Error) as caught:
        request("PUT", f"/b/k?{name}=v")
    assert caught.value.code == "InvalidArgument"
    with pytest.raises(S3Error):
        kept_headers({unquote(name): "v"})


def test_a_checksum_that_was_announced_has_to_come() -> None:
    body = Body(request("PUT", "/b/k", {**CHUNKED, "x-amz-decoded-content-length": "0"}, b"0\r\n\r\n"), None)
    asyncio.run(collected(aiter(body)))
    body.feed(b"")
    with pytest.raises(S3Error, match="trailer"):
        body.verify()


FORM = (
    b'--X\r\nContent-Disposition: form-data; name="Key"\r\n\r\nup/\xc3\xbc\r\n'
    b'--X\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\n'
    b"hello\r\n--Y\r\n--X\r\nContent-Disposition: form-data; name=after\r\n\r\nignored\r\n--X--\r\n"
)


@settings(max_examples=60)
@given(some.lists(some.integers(1, 60), max_size=20))
def test_forms_are_read_however_they_arrive(sizes: list[int]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in cut(FORM, sizes):
            if piece:
                yield piece

    async def scenario() -> None:
        form = Form("multipart/form-data; boundary=X", pieces())
        await form.read_fields()
        assert (form.fields, form.filename) == ({"key": "up/ü"}, "a.txt")
        assert await collected(aiter(form)) == b"hello\r\n--Y"

    asyncio.run(scenario())


KEYS = some.lists(some.text("a/b\ud7ff\U0010ffff", min_size=1, max_size=5), unique=True, max_size=12)


@settings(max_examples=40, deadline=None)
@given(
    KEYS, some.sampled_from(["", "a", "a/", "/", "\U0010ffff"]), some.sampled_from(["", "/", "b"]), some.integers(1, 5)
)
def test_pages_are_what_the_definition_says(keys: list[str], prefix: str, delimiter: str, limit: int) -> None:
    expected = []
    for key in sorted(keys, key=str.encode):
        if key.startswith(prefix):
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            name = key if at < 0 else key[: at + len(delimiter)]
            if name not in expected:
                expected.append(name)
    with contextlib.closing(Store(Path(":memory:"), index=":memory:")) as store:
        store.index.prepare()
        store.make_bucket("bucket", "key", "secret", 10)
        for key in keys:
            store.insert("bucket", Object(key, 0, "", 0, {}, ()))
        found, after = [], ""
        while True:
            page = listing.page(store.index, "bucket", prefix=prefix, delimiter=delimiter, after=after, limit=limit)
            names = [item.key for item in page.objects] + page.prefixes
            assert len(names) <= limit
            found += sorted(names, key=str.encode)
            if not page.last:
                break
            after = page.last
    assert found == expected


@given(some.text(max_size=20))
def test_xml_is_read_as_it_was_written(text: str) -> None:
    from xml.etree import ElementTree

    written = markup.write("R", {"Key": text, "N": [1, True], "In": {"A": "<b>"}})
    element = ElementTree.fromstring(written)
    if all((letter >= " " and letter not in "\ufffe\uffff") or letter in "\r\n\t" for letter in text):
        assert (element[0].text or "") == text
    assert [child.text for child in element[1:3]] == ["1", "true"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<Delete>",
        b"<Other/>",
        b'<!DOCTYPE d [<!ENTITY a "b">]><Delete>&a;</Delete>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE d [<!ENTITY a "b">]><Delete>&a;</Delete>'.encode("utf-16"),
    ],
)
def test_other_xml_is_malformed(document: bytes) -> None:
    with pytest.raises(S3Error) as caught:
        markup.read(document, "Delete")
    assert caught.value.code == "MalformedXML"


def test_origins_are_matched_by_one_star_and_nothing_else() -> None:
    rules = json.dumps([{"AllowedOrigin": ["https://*.example.com", "https://[a]"], "AllowedMethod": ["GET"]}])
    for origin, granted in (
        ("https://a.example.com", True),
        ("https://example.com", False),
        ("https://a.example.com.evil.test", False),
        ("https://a", False),
        ("https://[a]", True),
    ):
        assert bool(cors.granted(rules, "GET", {"origin": origin})) is granted, origin


@given(some.lists(some.binary(max_size=30), min_size=1, max_size=4))
def test_checksums_of_parts_make_that_of_the_whole(parts: list[bytes]) -> None:
    for name in ("crc32", "crc32c", "crc64nvme"):
        known = []
        for part in parts:
            digest = checksums.ALGORITHMS[name]()
            digest.update(part)
            known.append((checksums.encode(digest.digest()), len(part)))
        whole = checksums.ALGORITHMS[name]()
        whole.update(b"".join(parts))
        assert checksums.combined(name, known) == checksums.encode(whole.digest())


def test_only_the_attachment_called_bucketeer_sets_the_common_endpoint() -> None:
    secret = {"bucket": "b", "key_id": "id", "password": "secret", "endpoint": "https://localhost:8443/s3"}
    first, other = variables.config_vars(secret, "BUCKETEER"), variables.config_vars(secret, "MEDIA")
    assert first["AWS_ENDPOINT_URL_S3"] == "https://localhost:8443/s3"
    assert set(other) == {name.replace("BUCKETEER", "MEDIA") for name in first} - {"AWS_ENDPOINT_URL_S3"}
    assert variables.endpoint("https://localhost:8443") == "https://localhost:8443/s3"
    assert variables.endpoint("https://api.example.com") == "https://s3.example.com"
    assert variables.endpoint("https://api.api.example.com:8443") == "https://s3.api.example.com:8443"
