"""Buckets at an S3 endpoint that the operator names, instead of the built-in server.

Keys are not made there: no call of S3 does that, and each vendor's own API for it is another. All add-ons get the keys
that the operator gave, so every app can reach every other app's bucket at that endpoint (docs/buckets.md says so).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homeport.addons.buckets.copies import FILES, LIST, Saved, examine
from homeport.addons.buckets.variables import REGION
from homeport.addons.provider import Resource
from homeport.errors import HomeportError, Invalid, Unavailable

_ELSEWHERE = "foreign"
_HEADERS = {
    "content-type": "ContentType",
    "cache-control": "CacheControl",
    "content-disposition": "ContentDisposition",
    "content-encoding": "ContentEncoding",
    "content-language": "ContentLanguage",
}
_META = "x-amz-meta-"


@dataclass(frozen=True)
class Foreign:
    """The endpoint and the keys for it. `prefix` begins the names of buckets there."""

    endpoint: str
    key_id: str
    secret: str = field(repr=False)
    region: str = REGION
    prefix: str = "bucketeer"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Foreign | None:
        """`HOMEPORT_S3_ENDPOINT` and its keys; None where it isn't set.

        Raises `HomeportError` (`s3_endpoint_invalid`).
        """
        endpoint = environment.get("HOMEPORT_S3_ENDPOINT", "").rstrip("/")
        if not endpoint:
            return None
        key_id, secret = environment.get("HOMEPORT_S3_ACCESS_KEY_ID"), environment.get("HOMEPORT_S3_SECRET_ACCESS_KEY")
        if not endpoint.startswith(("http://", "https://")) or not key_id or not secret:
            raise HomeportError(
                "s3_endpoint_invalid",
                "HOMEPORT_S3_ENDPOINT is set, but is no URL or has no keys.",
                why="New buckets are to be made there.",
                fix="Set HOMEPORT_S3_ENDPOINT=https://…, HOMEPORT_S3_ACCESS_KEY_ID and HOMEPORT_S3_SECRET_ACCESS_KEY.",
            )
        region = environment.get("HOMEPORT_S3_REGION") or REGION
        return cls(endpoint, key_id, secret, region, environment.get("HOMEPORT_S3_PREFIX") or "bucketeer")

    @staticmethod
    def has(resource: Resource) -> bool:
        """Whether its bucket is at a foreign endpoint."""
        return _ELSEWHERE in resource.secret

    def remembered(self, bucket: str) -> dict[str, str]:
        return {
            "bucket": bucket,
            "key_id": self.key_id,
            "password": self.secret,
            "region": self.region,
            "endpoint": self.endpoint,
            _ELSEWHERE: "true",
        }

    def differs(self, resource: Resource) -> bool:
        """Whether other keys are to be used at the same endpoint. Another endpoint has other data: there nothing can
        be done by itself."""
        secret = resource.secret
        return secret["endpoint"] == self.endpoint and dict(secret) != self.remembered(secret["bucket"])

    async def provision(self, resource: Resource) -> dict[str, str]:
        bucket = resource.secret.get("bucket") or f"{self.prefix}-{resource.id}"
        if resource.secret.get("endpoint", self.endpoint) != self.endpoint:
            raise Invalid(
                f"{resource.name} is kept at {resource.secret['endpoint']}, not at {self.endpoint}.",
                fix="Name that endpoint again, or copy its objects into a new bucket.",
            )
        await asyncio.to_thread(self._make, bucket)
        return self.remembered(bucket)

    async def deprovision(self, resource: Resource) -> None:
        await asyncio.to_thread(self._remove, resource.secret["bucket"])

    async def backup(self, resource: Resource, into: Path) -> None:
        """Object by object, while it is in use: S3 has no snapshot. Each is consistent in itself."""
        await asyncio.to_thread(self._save, resource.secret["bucket"], into)

    async def restore(self, resource: Resource, source: Path) -> None:
        await asyncio.to_thread(self._load, resource.secret["bucket"], source)

    def _make(self, bucket: str) -> None:
        with self._client() as client:
            try:
                client.head_bucket(Bucket=bucket)
            except client.exceptions.ClientError:
                place = {"CreateBucketConfiguration": {"LocationConstraint": self.region}}
                try:
                    client.create_bucket(Bucket=bucket, **(place if self.region != REGION else {}))
                except client.exceptions.BucketAlreadyOwnedByYou:
                    return

    def _remove(self, bucket: str) -> None:
        with self._client() as client:
            try:
                for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                    for item in page.get("Contents", []):
                        client.delete_object(Bucket=bucket, Key=item["Key"])
                client.delete_bucket(Bucket=bucket)
            except client.exceptions.NoSuchBucket:
                return

    def _save(self, bucket: str, into: Path) -> None:
        digest, lines = hashlib.sha256(), 0
        with self._client() as client, (into / LIST).open("x") as written:
            for fields in self._saved(client, bucket, into / FILES):
                text = json.dumps(fields) + "\n"
                digest.update(text.encode())
                written.write(text)
                lines += 1
            written.write(json.dumps({"objects": lines - 1, "sha256": digest.hexdigest()}) + "\n")

    def _saved(self, client: Any, bucket: str, files: Path) -> Iterator[dict[str, Any]]:
        yield {"version": 1, "cors": "[]"}
        count = 0
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
            for item in page.get("Contents", []):
                try:
                    got = client.get_object(Bucket=bucket, Key=item["Key"])
                except client.exceptions.NoSuchKey:  # deleted since it was listed
                    continue
                name = f"{count:09}"
                (files / name[:6]).mkdir(parents=True, exist_ok=True)
                digest, size = hashlib.sha256(), 0
                with (files / name[:6] / name).open("xb") as file:
                    for piece in got["Body"].iter_chunks(1024**2):
                        digest.update(piece)
                        size += len(piece)
                        file.write(piece)
                headers = {header: got[name] for header, name in _HEADERS.items() if got.get(name)}
                headers |= {f"{_META}{key}": value for key, value in got["Metadata"].items()}
                yield {
                    "key": item["Key"],
                    "size": size,
                    "etag": got["ETag"].strip('"'),
                    "modified": int(got["LastModified"].timestamp() * 1000),
                    "headers": headers,
                    "file": f"{name[:6]}/{name}",
                    "sha256": digest.hexdigest(),
                }
                count += 1

    def _load(self, bucket: str, source: Path) -> None:
        _, saved = examine(source)
        with self._client() as client:
            kept = {item.object.key for item in saved}
            for item in saved:
                client.upload_file(str(item.file), bucket, item.object.key, ExtraArgs=_arguments(item))
            for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for there in page.get("Contents", []):
                    if there["Key"] not in kept:
                        client.delete_object(Bucket=bucket, Key=there["Key"])

    def _client(self) -> _Client:
        return _Client(self)


class _Client:
    """boto3's client, with its failures in our words. Imported when it is needed: it takes a while and 20 MB."""

    def __init__(self, where: Foreign) -> None:
        self._where = where

    def __enter__(self) -> Any:
        import boto3

        where = self._where
        session = boto3.session.Session(where.key_id, where.secret, region_name=where.region)
        self._client = session.client("s3", endpoint_url=where.endpoint)
        return self._client

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        self._client.close()
        if isinstance(error, BotoCoreError | ClientError):
            raise Unavailable(
                f"The S3 endpoint {self._where.endpoint} refuses, or does not answer.",
                id="s3_endpoint_failed",
                why=str(error)[:500],
                fix="Check HOMEPORT_S3_ENDPOINT and its keys, and what they may do there.",
            ) from error


def _arguments(item: Saved) -> dict[str, Any]:
    headers = item.object.headers
    known: dict[str, Any] = {name: headers[header] for header, name in _HEADERS.items() if header in headers}
    meta = {name.removeprefix(_META): value for name, value in headers.items() if name.startswith(_META)}
    return known | ({"Metadata": meta} if meta else {})
