"""Multipart uploads, by hand and as boto3 makes them of large files."""

from __future__ import annotations

import io
import os
from typing import Any

import pytest

from tests.integration.addons.buckets.ground import Tenant, refused

pytestmark = pytest.mark.slow

MB = 1024**2
CONTENT = os.urandom(20 * MB)


@pytest.mark.parametrize("algorithm", [None, "CRC64NVME", "SHA256"])
def test_a_large_file_goes_up_and_comes_down(tenant: Tenant, algorithm: str | None) -> None:
    more: dict[str, Any] = {"ContentType": "image/png", "Metadata": {"who": "me"}}
    if algorithm:
        more["ChecksumAlgorithm"] = algorithm
    with tenant.client() as client:
        client.upload_fileobj(io.BytesIO(CONTENT), tenant.bucket, "large", ExtraArgs=more)
        found = client.head_object(Bucket=tenant.bucket, Key="large")
        assert (found["ContentLength"], found["ContentType"], found["Metadata"]) == (
            len(CONTENT),
            "image/png",
            {"who": "me"},
        )
        assert found["ETag"].endswith('-3"')
        came = io.BytesIO()
        client.download_fileobj(tenant.bucket, "large", came)
        assert came.getvalue() == CONTENT
        across = client.get_object(Bucket=tenant.bucket, Key="large", Range=f"bytes={8 * MB - 5}-{8 * MB + 4}")
        assert across["Body"].read() == CONTENT[8 * MB - 5 : 8 * MB + 5]
        client.copy_object(Bucket=tenant.bucket, Key="copy", CopySource={"Bucket": tenant.bucket, "Key": "large"})
        client.delete_object(Bucket=tenant.bucket, Key="large")
    assert tenant.content("copy") == CONTENT


class Upload:
    def __init__(self, tenant: Tenant, client: Any, key: str = "big") -> None:
        self._client = client
        self.where = {"Bucket": tenant.bucket, "Key": key}
        self.where["UploadId"] = client.create_multipart_upload(**self.where)["UploadId"]

    def part(self, number: int, content: bytes) -> dict[str, Any]:
        etag = self._client.upload_part(**self.where, PartNumber=number, Body=content)["ETag"]
        return {"PartNumber": number, "ETag": etag}

    def complete(self, *parts: dict[str, Any], **more: Any) -> Any:
        return self._client.complete_multipart_upload(**self.where, MultipartUpload={"Parts": list(parts)}, **more)


def test_parts_are_listed_and_an_abort_leaves_nothing(tenant: Tenant) -> None:
    with tenant.client() as client:
        upload = Upload(tenant, client)
        for number in (3, 1, 2):
            upload.part(number, b"x" * number)
        upload.part(2, b"replaced")
        listed = client.list_parts(**upload.where)
        assert [(part["PartNumber"], part["Size"]) for part in listed["Parts"]] == [(1, 1), (2, 8), (3, 3)]
        page = client.list_parts(**upload.where, MaxParts=1, PartNumberMarker=1)
        assert ([part["PartNumber"] for part in page["Parts"]], page["IsTruncated"]) == ([2], True)
        going_on = client.list_multipart_uploads(Bucket=tenant.bucket)["Uploads"]
        assert [(item["Key"], item["UploadId"]) for item in going_on] == [("big", upload.where["UploadId"])]
        client.abort_multipart_upload(**upload.where)
        assert "Uploads" not in client.list_multipart_uploads(Bucket=tenant.bucket)
        for gone in (client.list_parts, client.abort_multipart_upload):
            with refused("NoSuchUpload", 404):
                gone(**upload.where)
        with refused("NoSuchUpload", 404):
            upload.part(1, b"late")
    assert tenant.keys() == []


def test_uploads_are_listed_in_pages(tenant: Tenant) -> None:
    with tenant.client() as client:
        begun = [Upload(tenant, client, key).where for key in ("a", "b/1", "b/1", "b/2", "c ü")]
        paging = {"PageSize": 2}
        pages = list(
            client.get_paginator("list_multipart_uploads").paginate(Bucket=tenant.bucket, PaginationConfig=paging)
        )
        found = [item["Key"] for page in pages for item in page["Uploads"]]
        assert found == [where["Key"] for where in begun]
        below = client.list_multipart_uploads(Bucket=tenant.bucket, Prefix="b/")["Uploads"]
        assert [item["Key"] for item in below] == ["b/1", "b/1", "b/2"]


def test_completing_takes_the_parts_that_are_named(tenant: Tenant) -> None:
    tenant.put("big", b"old")
    with tenant.client() as client:
        upload = Upload(tenant, client)
        one, two, unused = upload.part(1, b"a" * 5 * MB), upload.part(2, b"b"), upload.part(9, b"never")
        with refused("InvalidPart", 400):
            upload.complete(one, {**two, "ETag": unused["ETag"]})
        with refused("InvalidPartOrder", 400):
            upload.complete(two, one)
        with refused("EntityTooSmall", 400):
            upload.complete(one, two, unused)
        assert tenant.content("big") == b"old"
        upload.complete(one, two)
        with refused("NoSuchUpload", 404):
            upload.complete(one, two)
    assert tenant.content("big") == b"a" * 5 * MB + b"b"


def test_parts_can_be_copied(tenant: Tenant) -> None:
    source = bytes(range(256)) * 40_000
    tenant.put("source", source)
    with tenant.client() as client:
        upload = Upload(tenant, client)
        parts = []
        for number, span in enumerate((f"bytes=0-{6 * MB - 1}", f"bytes={6 * MB}-{len(source) - 1}"), 1):
            copied = client.upload_part_copy(
                **upload.where,
                PartNumber=number,
                CopySource={"Bucket": tenant.bucket, "Key": "source"},
                CopySourceRange=span,
            )
            parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
        upload.complete(*parts)
    assert tenant.content("big") == source


def test_the_checksum_of_the_whole_is_verified(tenant: Tenant) -> None:
    with tenant.client() as client:
        whole = {"Bucket": tenant.bucket, "Key": "whole"}
        more = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
        begun = client.create_multipart_upload(**whole, **more)["UploadId"]
        parts = []
        for number, content in enumerate((b"a" * 5 * MB, b"b" * 100), 1):
            done = client.upload_part(
                **whole, UploadId=begun, PartNumber=number, Body=content, ChecksumAlgorithm="CRC32"
            )
            parts.append({"PartNumber": number, "ETag": done["ETag"], "ChecksumCRC32": done["ChecksumCRC32"]})
        ending = {**whole, "UploadId": begun, "MultipartUpload": {"Parts": parts}, "ChecksumType": "FULL_OBJECT"}
        with refused("BadDigest", 400):
            client.complete_multipart_upload(**ending, ChecksumCRC32="AAAAAA==")
        client.put_object(Bucket=tenant.bucket, Key="same", Body=b"a" * 5 * MB + b"b" * 100, ChecksumAlgorithm="CRC32")
        right = client.head_object(Bucket=tenant.bucket, Key="same", ChecksumMode="ENABLED")["ChecksumCRC32"]
        assert client.complete_multipart_upload(**ending, ChecksumCRC32=right)["ChecksumCRC32"] == right
