"""Signatures against the examples of AWS's own documentation, and what spoils them."""

from __future__ import annotations

import calendar
import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from homeport.addons.buckets.s3 import signatures
from homeport.addons.buckets.s3.errors import S3Error
from homeport.addons.buckets.s3.request import Message, Request, read

KEY_ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
THEN = calendar.timegm(time.strptime("20130524T000000Z", "%Y%m%dT%H%M%SZ"))


async def nothing() -> Message:
    return {"type": "http.request"}


def request(method: str, target: str, headers: Mapping[str, str]) -> Request:
    path, _, query = target.partition("?")
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    scope = {"method": method, "raw_path": path.encode(), "query_string": query.encode(), "headers": raw}
    return read(scope, nothing)


def secret_of(key_id: str) -> str | None:
    return SECRET if key_id == KEY_ID else None


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
# Amazon S3 API Reference, "Examples: Signature Calculations in AWS Signature Version 4": GET Object
GET = {
    "Host": "examplebucket.s3.amazonaws.com",
    "Range": "bytes=0-9",
    "x-amz-content-sha256": EMPTY,
    "x-amz-date": "20130524T000000Z",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20130524/us-east-1/s3/aws4_request,"
    "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,"
    "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
}
# The same page: GET Bucket Lifecycle, with a query parameter that has no value
LIFECYCLE = {
    "Host": "examplebucket.s3.amazonaws.com",
    "x-amz-content-sha256": EMPTY,
    "x-amz-date": "20130524T000000Z",
    "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20130524/us-east-1/s3/aws4_request,"
    "SignedHeaders=host;x-amz-content-sha256;x-amz-date,"
    "Signature=fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
}
# "Authenticating Requests: Using Query Parameters"
URL = (
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    f"&X-Amz-Credential={KEY_ID}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)
HOST = {"Host": "examplebucket.s3.amazonaws.com"}


def test_the_examples_of_amazon() -> None:
    for asked in (
        request("GET", "/test.txt", GET),
        request("GET", "/?lifecycle", LIFECYCLE),
        request("GET", URL, HOST),
    ):
        signer = signatures.signer(asked, secret_of, THEN + 60)
        assert signer is not None
        assert signer.key_id == KEY_ID


def test_the_chunks_of_amazons_example() -> None:
    """ "Transferring Payload in Multiple Chunks": 65 kB of `a`, in chunks of 64 kB and 1 kB."""
    import hashlib

    key = signatures.signing_key(SECRET, signatures.Scope("20130524", "us-east-1"))
    seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    scope = "20130524/us-east-1/s3/aws4_request"
    signer = signatures.Signer(KEY_ID, key=key, scope=scope, time="20130524T000000Z", signature=seed)
    expected = (
        (b"a" * 65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
        (b"a" * 1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
        (b"", "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
    )
    for chunk, wanted in expected:
        seed = signatures.chain(signer, seed, "PAYLOAD", EMPTY, hashlib.sha256(chunk).hexdigest())
        assert seed == wanted


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({**GET, "Range": "bytes=0-10"}, "SignatureDoesNotMatch"),
        ({**GET, "x-amz-meta-more": "x"}, "AccessDenied"),
        ({**GET, "Host": "other"}, "SignatureDoesNotMatch"),
        ({**GET, "x-amz-date": "20130524T000001Z"}, "SignatureDoesNotMatch"),
        ({**GET, "x-amz-date": "20130525T000000Z"}, "InvalidArgument"),
        ({**GET, "x-amz-date": "yesterday"}, "InvalidArgument"),
        ({**GET, "Authorization": GET["Authorization"].replace(KEY_ID, "AKIANOBODY")}, "InvalidAccessKeyId"),
        ({**GET, "Authorization": GET["Authorization"].replace("host;", "")}, "AccessDenied"),
        ({**GET, "Authorization": "AWS4-HMAC-SHA256 nonsense"}, "InvalidArgument"),
        ({**GET, "Authorization": "AWS AKIA:old"}, "InvalidRequest"),
        ({**GET, "Authorization": "Bearer token"}, "InvalidRequest"),
    ],
)
def test_spoilt_headers(headers: dict[str, str], code: str) -> None:
    with pytest.raises(S3Error) as caught:
        signatures.signer(request("GET", "/test.txt", headers), secret_of, THEN)
    assert caught.value.code == code


def test_a_signature_holds_for_a_time_only() -> None:
    for moved in (-16 * 60, 16 * 60):
        with pytest.raises(S3Error, match="difference"):
            signatures.signer(request("GET", "/test.txt", GET), secret_of, THEN + moved)
    for moved in (-16 * 60, 86_401):
        with pytest.raises(S3Error, match=r"expired|not yet"):
            signatures.signer(request("GET", URL, HOST), secret_of, THEN + moved)
    with pytest.raises(S3Error, match="a week"):
        signatures.signer(request("GET", URL.replace("86400", "604801"), HOST), secret_of, THEN)


def test_unsigned_is_nobody() -> None:
    assert signatures.signer(request("GET", "/a/b", {}), secret_of, THEN) is None


# "Signing and Authenticating REST Requests" (Version 2), by query string
OLD = f"/photos/puppy.jpg?AWSAccessKeyId={KEY_ID}&Expires=1175139620&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"


def test_the_old_example_of_amazon() -> None:
    """There the bucket is in the host name; what is signed is /BUCKET/KEY."""
    asked = replace(request("GET", OLD, {"Host": "x"}), path="/johnsmith/photos/puppy.jpg")
    signer = signatures.signer(asked, secret_of, 1175139600)
    assert signer is not None
    assert signer.key_id == KEY_ID
    with pytest.raises(S3Error, match="expired"):
        signatures.signer(asked, secret_of, 1175139621)
    with pytest.raises(S3Error, match="does not match"):
        signatures.signer(replace(asked, method="DELETE"), secret_of, 1175139600)
