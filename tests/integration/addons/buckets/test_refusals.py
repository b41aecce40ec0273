"""What isn't there is said so, and harms nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.addons.buckets.ground import Ground, Tenant, refused

pytestmark = pytest.mark.slow

Ask = Callable[[Any, dict[str, str], dict[str, str]], object]

UNSUPPORTED: dict[str, Ask] = {
    "tagging": lambda c, _, o: c.put_object_tagging(**o, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]}),
    "get tagging": lambda c, _, o: c.get_object_tagging(**o),
    "delete tagging": lambda c, _, o: c.delete_object_tagging(**o),
    "acl": lambda c, _, o: c.put_object_acl(**o, ACL="public-read"),
    "get acl": lambda c, _, o: c.get_object_acl(**o),
    "legal hold": lambda c, _, o: c.put_object_legal_hold(**o, LegalHold={"Status": "ON"}),
    "retention": lambda c, _, o: c.put_object_retention(**o, Retention={"Mode": "GOVERNANCE"}),
    "attributes": lambda c, _, o: c.get_object_attributes(**o, ObjectAttributes=["ETag"]),
    "restore": lambda c, _, o: c.restore_object(**o, RestoreRequest={"Days": 1}),
    "select": lambda c, _, o: c.select_object_content(
        **o, Expression="x", ExpressionType="SQL", InputSerialization={"CSV": {}}, OutputSerialization={"CSV": {}}
    ),
    "a version": lambda c, _, o: c.get_object(**o, VersionId="1"),
    "delete a version": lambda c, _, o: c.delete_object(**o, VersionId="1"),
    "a part": lambda c, _, o: c.get_object(**o, PartNumber=1),
    "bucket acl": lambda c, b, _: c.put_bucket_acl(**b, ACL="public-read"),
    "bucket tagging": lambda c, b, _: c.put_bucket_tagging(**b, Tagging={"TagSet": []}),
    "policy": lambda c, b, _: c.put_bucket_policy(**b, Policy="{}"),
    "delete policy": lambda c, b, _: c.delete_bucket_policy(**b),
    "versioning": lambda c, b, _: c.put_bucket_versioning(**b, VersioningConfiguration={"Status": "Enabled"}),
    "get versioning": lambda c, b, _: c.get_bucket_versioning(**b),
    "versions": lambda c, b, _: c.list_object_versions(**b),
    "lifecycle": lambda c, b, _: c.put_bucket_lifecycle_configuration(**b, LifecycleConfiguration={"Rules": []}),
    "delete lifecycle": lambda c, b, _: c.delete_bucket_lifecycle(**b),
    "website": lambda c, b, _: c.put_bucket_website(**b, WebsiteConfiguration={"IndexDocument": {"Suffix": "i"}}),
    "encryption": lambda c, b, _: c.get_bucket_encryption(**b),
    "public access block": lambda c, b, _: c.delete_public_access_block(**b),
    "put a storage class": lambda c, _, o: c.put_object(**o, Body=b"new", StorageClass="GLACIER"),
    "put with tags": lambda c, _, o: c.put_object(**o, Body=b"new", Tagging="a=b"),
    "put encrypted": lambda c, _, o: c.put_object(**o, Body=b"new", ServerSideEncryption="aws:kms"),
    "put locked": lambda c, _, o: c.put_object(**o, Body=b"new", ObjectLockLegalHoldStatus="ON"),
    "put public": lambda c, _, o: c.put_object(**o, Body=b"new", ACL="public-read"),
    "put granted": lambda c, _, o: c.put_object(**o, Body=b"new", GrantRead="id=1"),
    "append": lambda c, _, o: c.put_object(**o, Body=b"new", WriteOffsetBytes=5),
}


@pytest.fixture(scope="module")
def holder(ground: Ground) -> Tenant:
    made = ground.tenant()
    made.put("a", b"hello", ContentType="text/x-mine", Metadata={"who": "me"})
    return made


@pytest.mark.parametrize("name", sorted(UNSUPPORTED))
def test_unsupported_requests_harm_no_object(holder: Tenant, name: str) -> None:
    bucket = {"Bucket": holder.bucket}
    with holder.client() as client:
        with refused("NotImplemented", 501):
            UNSUPPORTED[name](client, bucket, {**bucket, "Key": "a"})
        found = client.head_object(**bucket, Key="a")
    assert (found["ContentType"], found["Metadata"]) == ("text/x-mine", {"who": "me"})
    assert holder.content("a") == b"hello"
    assert holder.keys() == ["a"]


def test_an_acl_that_says_what_is_so_anyway_is_taken(holder: Tenant, tenant: Tenant) -> None:
    tenant.put("a", b"x", ACL="private")
    tenant.put("public/a", b"x", ACL="public-read")
    assert tenant.keys() == ["a", "public/a"]


def test_strange_keys_are_not_let_in(holder: Tenant) -> None:
    import boto3

    for key_id, secret, code in (
        ("AKIANOBODY", "x", "InvalidAccessKeyId"),
        (holder.resource.secret["key_id"], "x", "SignatureDoesNotMatch"),
    ):
        session = boto3.session.Session(key_id, secret, region_name="us-east-1")
        client = session.client("s3", endpoint_url=holder.resource.secret["endpoint"])
        with refused(code, 403):
            client.put_object(Bucket=holder.bucket, Key="a", Body=b"new")
        client.close()
    assert holder.content("a") == b"hello"
