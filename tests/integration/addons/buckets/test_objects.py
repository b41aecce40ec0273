"""Objects by boto3 with its default settings."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from botocore import auth
from botocore.crt.auth import CRT_AUTH_TYPE_MAPS

from tests.integration.addons.buckets.ground import Ground, Tenant, fetch, refused

pytestmark = pytest.mark.slow


def test_an_object_comes_back_as_it_was_put(tenant: Tenant) -> None:
    put = tenant.put(
        "a.txt",
        b"hello",
        ContentType="text/x-mine",
        CacheControl="max-age=5",
        ContentDisposition='attachment; filename="a.txt"',
        ContentEncoding="identity",
        ContentLanguage="de",
        Metadata={"who": "me", "long-name": "with spaces"},
    )
    assert put["ETag"] == f'"{hashlib.md5(b"hello").hexdigest()}"'
    with tenant.client() as client:
        for asked in (client.get_object, client.head_object):
            found = asked(Bucket=tenant.bucket, Key="a.txt")
            assert found["ContentLength"] == 5
            assert found["ContentType"] == "text/x-mine"
            assert found["CacheControl"] == "max-age=5"
            assert found["ContentDisposition"] == 'attachment; filename="a.txt"'
            assert found["ContentEncoding"] == "identity"
            assert found["ContentLanguage"] == "de"
            assert found["Metadata"] == {"who": "me", "long-name": "with spaces"}
            assert found["ETag"] == put["ETag"]
            if "Body" in found:
                with contextlib.closing(found["Body"]) as body:
                    assert body.read() == b"hello"


def test_a_body_of_many_pieces_and_none(tenant: Tenant) -> None:
    content = bytes(range(256)) * 20_000
    with tenant.client() as client:
        client.put_object(Bucket=tenant.bucket, Key="large", Body=io.BytesIO(content))
        client.put_object(Bucket=tenant.bucket, Key="empty", Body=b"")
    assert tenant.content("large") == content
    assert tenant.content("empty") == b""


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])
def test_checksums_of_every_kind(tenant: Tenant, algorithm: str) -> None:
    """Over plain HTTP boto3 signs chunks and puts the checksum into a trailer; it verifies what it gets by the same."""
    with tenant.client() as client:
        put = client.put_object(
            Bucket=tenant.bucket, Key="a", Body=io.BytesIO(b"x" * 100_000), ChecksumAlgorithm=algorithm
        )
        found = client.head_object(Bucket=tenant.bucket, Key="a", ChecksumMode="ENABLED")
    assert found[f"Checksum{algorithm}"] == put[f"Checksum{algorithm}"]
    assert tenant.content("a") == b"x" * 100_000


def test_signers_of_the_common_runtime(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, signer in CRT_AUTH_TYPE_MAPS.items():
        monkeypatch.setitem(auth.AUTH_TYPE_MAPS, name, signer)
    with tenant.client(signature_version="s3v4") as client:
        for key in ("a b/ü", "a//b", "x/../y"):
            client.put_object(Bucket=tenant.bucket, Key=key, Body=io.BytesIO(b"x" * 100_000))
            address = client.generate_presigned_url("get_object", Params={"Bucket": tenant.bucket, "Key": key})
            assert fetch(address) == (200, b"x" * 100_000)


def test_a_wrong_checksum_is_refused_and_the_old_object_stays(tenant: Tenant) -> None:
    tenant.put("a", b"old")
    with refused("BadDigest", 400):
        tenant.put("a", b"new", ChecksumCRC32="AAAAAA==")
    with refused("BadDigest", 400):
        tenant.put("a", b"new", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")
    assert tenant.content("a") == b"old"


@pytest.mark.parametrize(
    ("asked", "expected", "told"),
    [
        ("bytes=1-3", b"ell", "bytes 1-3/5"),
        ("bytes=2-", b"llo", "bytes 2-4/5"),
        ("bytes=-2", b"lo", "bytes 3-4/5"),
        ("bytes=0-99", b"hello", "bytes 0-4/5"),
    ],
)
def test_ranges(tenant: Tenant, asked: str, expected: bytes, told: str) -> None:
    tenant.put("a", b"hello")
    with tenant.client() as client:
        found = client.get_object(Bucket=tenant.bucket, Key="a", Range=asked)
        with contextlib.closing(found["Body"]) as body:
            assert (body.read(), found["ContentRange"]) == (expected, told)
        with refused("InvalidRange", 416):
            client.get_object(Bucket=tenant.bucket, Key="a", Range="bytes=5-")


def test_conditions(tenant: Tenant) -> None:
    etag = tenant.put("a", b"one")["ETag"]
    with refused("PreconditionFailed", 412):
        tenant.put("a", b"two", IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        tenant.put("a", b"two", IfMatch='"0123456789abcdef0123456789abcdef"')
    assert tenant.content("a") == b"one"
    tenant.put("a", b"two", IfMatch=etag)
    tenant.put("b", b"new", IfNoneMatch="*")
    with tenant.client() as client:
        with refused("304", 304):
            client.get_object(
                Bucket=tenant.bucket, Key="b", IfNoneMatch=client.head_object(Bucket=tenant.bucket, Key="b")["ETag"]
            )
        with refused("PreconditionFailed", 412):
            client.get_object(Bucket=tenant.bucket, Key="b", IfMatch=etag)


def test_copies(tenant: Tenant) -> None:
    tenant.put("a", b"hello", ContentType="text/x-mine", Metadata={"who": "me"})
    source = {"Bucket": tenant.bucket, "Key": "a"}
    with tenant.client() as client:

        def facts(key: str) -> tuple[Any, Any]:
            found = client.head_object(Bucket=tenant.bucket, Key=key)
            return found["ContentType"], found["Metadata"]

        client.copy_object(Bucket=tenant.bucket, Key="b", CopySource=source)
        assert facts("b") == ("text/x-mine", {"who": "me"})
        more = {"MetadataDirective": "REPLACE", "ContentType": "text/plain"}
        client.copy_object(Bucket=tenant.bucket, Key="a", CopySource=source, **more)
        assert facts("a") == ("text/plain", {})
        client.copy(source, tenant.bucket, "ä ü/c")
        with refused("InvalidRequest", 400):
            client.copy_object(Bucket=tenant.bucket, Key="a", CopySource=source)
        with refused("NoSuchKey", 404):
            client.copy_object(Bucket=tenant.bucket, Key="b", CopySource={"Bucket": tenant.bucket, "Key": "none"})
        client.delete_object(Bucket=tenant.bucket, Key="a")
    assert tenant.content("b") == tenant.content("ä ü/c") == b"hello"


def test_deleting(tenant: Tenant) -> None:
    for number in range(30):
        tenant.put(f"k{number}", b"x")
    with tenant.client() as client:
        client.delete_object(Bucket=tenant.bucket, Key="k0")
        client.delete_object(Bucket=tenant.bucket, Key="never there")
        wanted = [{"Key": f"k{number}"} for number in range(29)]
        done = client.delete_objects(Bucket=tenant.bucket, Delete={"Objects": wanted})
        assert [item["Key"] for item in done["Deleted"]] == [item["Key"] for item in wanted]
        quiet = client.delete_objects(Bucket=tenant.bucket, Delete={"Objects": [{"Key": "x"}], "Quiet": True})
        assert "Deleted" not in quiet
        with refused("NoSuchKey", 404):
            client.get_object(Bucket=tenant.bucket, Key="k1")
        with refused("404", 404):
            client.head_object(Bucket=tenant.bucket, Key="k1")
    assert tenant.keys() == ["k29"]


ODD_KEYS = [
    *("with space", "ünï/çødé ☃ 🚢", "a/../b", "..", "../../etc/passwd", "a//b", "/leading", "trailing/", "//"),
    *("plus+%25&=?#", "x/./y", ".", "a\nb", "a\tb", "<&>'\"", "%2F", "%252e", "~!$*(),;:@[]", "x" * 1024),
]


def test_unusual_names(tenant: Tenant) -> None:
    for key in ODD_KEYS:
        tenant.put(key, key.encode(), Metadata={"n": "1"})
    for key in ODD_KEYS:
        assert tenant.content(key) == key.encode(), key
    assert tenant.keys() == sorted(ODD_KEYS, key=str.encode)
    with tenant.client() as client:
        for key in ODD_KEYS:
            client.copy_object(Bucket=tenant.bucket, Key="copy", CopySource={"Bucket": tenant.bucket, "Key": key})
            assert tenant.content("copy") == key.encode()
            address = client.generate_presigned_url("get_object", Params={"Bucket": tenant.bucket, "Key": key})
            assert fetch(address) == (200, key.encode()), address
        found = [{"Key": key} for key in [*ODD_KEYS, "copy"]]
        client.delete_objects(Bucket=tenant.bucket, Delete={"Objects": found})
        with refused("KeyTooLongError", 400):
            client.put_object(Bucket=tenant.bucket, Key="x" * 1025, Body=b"")
    assert tenant.keys() == []


def test_keys_reach_their_own_bucket_only(ground: Ground, tenant: Tenant) -> None:
    other = ground.tenant()
    other.put("public/a", b"other's")
    with tenant.client() as client:
        attempts: tuple[Callable[[], object], ...] = (
            lambda: client.get_object(Bucket=other.bucket, Key="public/a"),
            lambda: client.put_object(Bucket=other.bucket, Key="public/a", Body=b"mine"),
            lambda: client.delete_object(Bucket=other.bucket, Key="public/a"),
            lambda: client.list_objects_v2(Bucket=other.bucket),
            lambda: client.get_bucket_cors(Bucket=other.bucket),
            lambda: client.create_bucket(Bucket="another-one"),
            lambda: client.delete_bucket(Bucket=tenant.bucket),
            lambda: client.copy_object(
                Bucket=tenant.bucket, Key="b", CopySource={"Bucket": other.bucket, "Key": "public/a"}
            ),
        )
        for attempt in attempts:
            with refused("AccessDenied", 403):
                attempt()
        assert [bucket["Name"] for bucket in client.list_buckets()["Buckets"]] == [tenant.bucket]
        client.head_bucket(Bucket=tenant.bucket)
        client.create_bucket(Bucket=tenant.bucket)
    assert other.content("public/a") == b"other's"


def test_what_is_public_is_world_readable_and_nothing_else(tenant: Tenant) -> None:
    tenant.put("public/page.html", b"<script>", ContentType="text/html")
    tenant.put("private.txt", b"secret")
    tenant.put("publicity", b"secret")
    found = httpx.get(f"{tenant.url}/public/page.html?v=3")
    assert (found.status_code, found.content, found.headers["content-type"]) == (200, b"<script>", "text/html")
    assert found.headers["content-security-policy"] == "sandbox"
    assert found.headers["x-content-type-options"] == "nosniff"
    tenant.put("public/a.pdf", b"%PDF", ContentType="application/pdf")
    assert "content-security-policy" not in httpx.get(f"{tenant.url}/public/a.pdf").headers
    assert httpx.head(f"{tenant.url}/public/page.html").headers["content-length"] == "8"
    assert httpx.get(f"{tenant.url}/public/page.html", headers={"Range": "bytes=1-6"}).content == b"script"
    hidden: tuple[str, ...] = (
        "/private.txt",
        "/publicity",
        "",
        "/",
        "?list-type=2",
        "?prefix=public/",
        "/public",
        "?cors",
        "?uploads",
    )
    hidden += ("/public/../private.txt", "/public/%2e%2e/private.txt", "//private.txt")
    for path in hidden:
        status, said = fetch(tenant.url + path)
        assert status in (400, 403, 404), path
        assert b"secret" not in said
    for method in ("PUT", "DELETE", "POST"):
        assert httpx.request(method, f"{tenant.url}/public/page.html", content=b"new").status_code in (403, 501)
    assert tenant.content("public/page.html") == b"<script>"


def test_answers_headers_can_be_chosen_by_who_signs(tenant: Tenant) -> None:
    tenant.put("public/a", b"hello")
    chosen = {"ResponseContentType": "text/q", "ResponseContentDisposition": 'attachment; filename="ü.txt"'}
    for version in ("s3", "s3v4"):
        with tenant.client(signature_version=version) as client:
            wanted = {"Bucket": tenant.bucket, "Key": "public/a", **chosen}
            found = httpx.get(client.generate_presigned_url("get_object", Params=wanted))
        assert (found.status_code, found.headers["content-type"]) == (200, "text/q")
    assert httpx.get(f"{tenant.url}/public/a?response-content-type=text/html").status_code == 400
