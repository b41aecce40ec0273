"""Who holds the keys of one bucket, and knows another's key id, which is no secret: every signed URL shows it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from urllib.parse import quote, urlsplit

import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.integration.addons.buckets.ground import Ground, Tenant

pytestmark = pytest.mark.slow


@pytest.fixture
def other(ground: Ground) -> Tenant:
    found = ground.tenant()
    found.put("secret.txt", b"theirs")
    return found


def test_two_credentials_in_a_header(tenant: Tenant, other: Tenant) -> None:
    ours, theirs = tenant.resource.secret, other.resource.secret
    asked = AWSRequest("GET", f"{other.url}/secret.txt", headers={"x-amz-content-sha256": hashlib.sha256().hexdigest()})
    S3SigV4Auth(Credentials(ours["key_id"], ours["password"]), "s3", "us-east-1").add_auth(asked)
    headers = dict(asked.headers)
    stamp = headers["X-Amz-Date"][:8]
    for name in (theirs["key_id"], ours["key_id"]):
        twice = f"{headers['Authorization']}, Credential={name}/{stamp}/us-east-1/s3/aws4_request"
        found = httpx.get(f"{other.url}/secret.txt", headers={**headers, "Authorization": twice})
        assert (found.status_code, b"theirs" in found.content) == (400, False)


def test_the_keys_of_two_versions_in_a_url(tenant: Tenant, other: Tenant) -> None:
    ours, theirs = tenant.resource.secret, other.resource.secret
    expires = int(time.time()) + 600
    credential = f"{ours['key_id']}/20260101/us-east-1/s3/aws4_request"
    text = f"GET\n\n\n{expires}\nx-amz-credential:{credential}\n{urlsplit(other.url).path}/secret.txt"
    signature = base64.b64encode(hmac.digest(ours["password"].encode(), text.encode(), "sha1")).decode()
    url = (
        f"{other.url}/secret.txt?X-Amz-Credential={credential}"
        f"&AWSAccessKeyId={theirs['key_id']}&Expires={expires}&Signature={quote(signature, safe='')}"
    )
    found = httpx.get(url)
    assert (found.status_code, b"theirs" in found.content) == (403, False)
