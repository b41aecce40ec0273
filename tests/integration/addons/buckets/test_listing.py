"""Listings in pages, by prefix and delimiter, in both versions."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.integration.addons.buckets.ground import Ground, Tenant, fetch, refused

pytestmark = pytest.mark.slow

KEYS = sorted(
    [f"l/{number // 10}/{number:03}" for number in range(25)] + ["a", "l", "l/", "l0", "m/ä", "m/é/x", "m/é/y", "z"],
    key=str.encode,
)


@pytest.fixture(scope="module")
def filled(ground: Ground) -> Tenant:
    made = ground.tenant()
    for key in KEYS:
        made.put(key, b"x")
    return made


def pages(tenant: Tenant, operation: str, **wanted: Any) -> tuple[list[str], list[str]]:
    with tenant.client() as client:
        found = list(client.get_paginator(operation).paginate(Bucket=tenant.bucket, **wanted))
    keys = [item["Key"] for page in found for item in page.get("Contents", [])]
    return keys, [rolled["Prefix"] for page in found for rolled in page.get("CommonPrefixes", [])]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_all_pages_together_are_all_keys_in_order(filled: Tenant, operation: str, size: int) -> None:
    paging = {"PageSize": size}
    assert pages(filled, operation, PaginationConfig=paging) == (KEYS, [])
    inside = [key for key in KEYS if key.startswith("l/")]
    assert pages(filled, operation, Prefix="l/", PaginationConfig=paging) == (inside, [])
    assert pages(filled, operation, Delimiter="/", PaginationConfig=paging) == (["a", "l", "l0", "z"], ["l/", "m/"])
    below = (["l/"], ["l/0/", "l/1/", "l/2/"])
    assert pages(filled, operation, Prefix="l/", Delimiter="/", PaginationConfig=paging) == below
    assert pages(filled, operation, Prefix="m/", Delimiter="/", PaginationConfig=paging) == (["m/ä"], ["m/é/"])
    assert pages(filled, operation, Prefix="none", PaginationConfig=paging) == ([], [])


def test_a_listing_may_start_after_a_key(filled: Tenant) -> None:
    with filled.client() as client:
        later = client.list_objects_v2(Bucket=filled.bucket, StartAfter="l/2/020", Prefix="l/")
        assert [item["Key"] for item in later["Contents"]] == ["l/2/021", "l/2/022", "l/2/023", "l/2/024"]
        marked = client.list_objects(Bucket=filled.bucket, Marker="m/é/x")
        assert [item["Key"] for item in marked["Contents"]] == ["m/é/y", "z"]
        none = client.list_objects_v2(Bucket=filled.bucket, MaxKeys=0)
        assert (none["KeyCount"], none["IsTruncated"]) == (0, False)
        with refused("InvalidArgument", 400):
            client.list_objects_v2(Bucket=filled.bucket, ContinuationToken="nonsense!")


def test_a_listing_tells_size_and_etag(filled: Tenant) -> None:
    with filled.client() as client:
        item = client.list_objects_v2(Bucket=filled.bucket, MaxKeys=1)["Contents"][0]
        head = client.head_object(Bucket=filled.bucket, Key=item["Key"])
    assert (item["Size"], item["ETag"]) == (1, head["ETag"])
    assert abs((item["LastModified"] - head["LastModified"]).total_seconds()) < 1


def test_what_a_bucket_holds_is_counted(filled: Tenant) -> None:
    facts = asyncio.run(filled.ground.provider().facts(filled.resource))
    assert (facts.objects, facts.used, facts.uploads) == (len(KEYS), len(KEYS), 0)
    assert (facts.public_objects, facts.public_bytes) == (0, 0)


def test_what_everybody_may_read_is_counted_apart(ground: Ground) -> None:
    tenant = ground.tenant()
    for key in ("public/a", "public/b/c", "public", "public0", "Public/d", "private/public/e"):
        tenant.put(key, b"12345")
    facts = asyncio.run(ground.provider().facts(tenant.resource))
    assert (facts.objects, facts.public_objects, facts.public_bytes) == (6, 2, 10)
    where = ground.provider().bucket(tenant.resource)
    assert fetch(f"{where.public_url}b/c") == (200, b"12345")
