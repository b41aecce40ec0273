"""Index and files together: each verb is one transaction, and what it returned is on the disk."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import checksums
from .blobs import Blobs
from .errors import S3Error
from .index import Index, moment

PUBLIC = "public/"
"""What lies below it everybody may read."""
MIN_PART = 5 * 1024**2
SWEEP = 500


@dataclass(frozen=True)
class Bucket:
    """`quota` and `used` are bytes, `created` milliseconds; `cors` the rules as JSON."""

    name: str
    key_id: str
    secret: str = field(repr=False)
    quota: int
    used: int
    created: int
    cors: str


@dataclass(frozen=True)
class Object:
    """`headers` are what its answers bear: content-type, x-amz-meta-…, x-amz-checksum-…. `blobs` are its files."""

    key: str
    size: int
    etag: str
    modified: int
    headers: Mapping[str, str]
    blobs: tuple[str, ...]


@dataclass(frozen=True)
class Upload:
    """A multipart upload that goes on. `algorithm` is that of its parts' checksums, "" for none."""

    id: str
    key: str
    headers: Mapping[str, str]
    algorithm: str
    created: int


@dataclass(frozen=True)
class Part:
    number: int
    size: int
    etag: str
    modified: int
    checksums: Mapping[str, str]
    blob: str


Condition = Callable[[Object | None], None]
"""Looks at what is there under a key, and raises `S3Error` if it must not be replaced."""


def anything(_present: Object | None) -> None:
    """Whatever is there may be replaced."""


class Store:
    """For one thread at a time: a server has one to write and one for each thread that reads."""

    def __init__(self, folder: Path, blobs: Blobs | None = None, *, index: Path | str | None = None) -> None:
        self.folder = folder
        self.blobs = blobs or Blobs(folder)
        self.index = Index(index or folder / "index.db")

    def close(self) -> None:
        self.index.close()

    # Buckets

    def find_bucket(self, name: str) -> Bucket:
        row = self.index.one("SELECT * FROM buckets WHERE name = ?", name)
        if row is None:
            raise S3Error("NoSuchBucket", "The specified bucket does not exist")
        return Bucket(**row)

    def bucket_of_key(self, key_id: str) -> Bucket | None:
        row = self.index.one("SELECT * FROM buckets WHERE key_id = ?", key_id)
        return Bucket(**row) if row is not None else None

    def make_bucket(self, name: str, key_id: str, secret: str, quota: int) -> None:
        """Make it, or have it as it should be."""
        with self.index.transaction():
            self.index.run(
                "INSERT INTO buckets (name, key_id, secret, quota, created) VALUES (?, ?, ?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET key_id = excluded.key_id, secret = excluded.secret,"
                " quota = excluded.quota",
                *(name, key_id, secret, quota, moment()),
            )

    def remove_bucket(self, name: str) -> None:
        """And all that is in it. Quiet if it isn't there."""
        with self.index.transaction():
            self.clear(name)
            self.index.run("DELETE FROM buckets WHERE name = ?", name)

    def clear(self, name: str) -> None:
        """Let go of all that is in the bucket. Inside of a transaction."""
        self.index.run("DELETE FROM objects WHERE bucket = ?", name)
        self.index.run("DELETE FROM uploads WHERE bucket = ?", name)
        self.index.run("DELETE FROM blobs WHERE bucket = ?", name)

    def set_cors(self, name: str, rules: str) -> None:
        with self.index.transaction():
            self.index.run("UPDATE buckets SET cors = ? WHERE name = ?", rules, name)

    # Objects

    def find(self, bucket: str, key: str) -> Object | None:
        row = self.index.one("SELECT * FROM objects WHERE bucket = ? AND key = ?", bucket, key)
        return read_object(row) if row is not None else None

    def get(self, bucket: str, key: str) -> Object:
        found = self.find(bucket, key)
        if found is None:
            raise S3Error("NoSuchKey", "The specified key does not exist.")
        return found

    def sizes(self, ids: Sequence[str]) -> list[tuple[str, int]]:
        """Of files, in that order. Raises `FileNotFoundError` if one is not the index's any more."""
        rows = self.index.all(
            "SELECT blobs.id, blobs.size FROM json_each(?) AS wanted JOIN blobs ON blobs.id = wanted.value"
            " ORDER BY wanted.key",
            json.dumps(list(ids)),
        )
        if len(rows) != len(ids):
            raise FileNotFoundError
        return [(row["id"], row["size"]) for row in rows]

    def objects(self, bucket: str) -> Iterator[Object]:
        """All of them, by key."""
        return map(read_object, self.index.rows("SELECT * FROM objects WHERE bucket = ? ORDER BY key", bucket))

    def put(self, bucket: str, new: Object, condition: Condition = anything) -> Object:
        """Keep an object whose one file is incoming. Raises `S3Error`: what the condition says, `QuotaExceeded`."""
        with self.index.transaction():
            self._replace(bucket, new, [(blob, new.size) for blob in new.blobs], condition)
        for blob in new.blobs:
            self.blobs.publish(blob)
        return new

    def copy(self, source: tuple[str, str], bucket: str, new: Object, condition: Condition = anything) -> Object:
        """Keep under `new.key` what lies at `source`, with the headers and the time of `new`.

        Raises `FileNotFoundError` if what it is made of is gone meanwhile.
        """
        links: list[tuple[str, int]] = []
        try:
            links = [(self.blobs.link(blob), size) for blob, size in self.sizes(new.blobs)]
            kept = replace(new, blobs=tuple(blob for blob, _ in links))
            with self.index.transaction():
                present = self.find(*source)
                if present is None or present.blobs != new.blobs:
                    raise FileNotFoundError
                self._replace(bucket, kept, links, condition)
        except BaseException:
            for blob, _ in links:
                self.blobs.discard(blob)
            raise
        for blob, _ in links:
            self.blobs.publish(blob)
        return kept

    def delete(self, bucket: str, keys: Sequence[str], condition: Condition = anything) -> None:
        """Quiet about those that aren't there."""
        with self.index.transaction():
            for key in keys:
                if condition is not anything:
                    condition(self.find(bucket, key))
                self.index.run("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, key)

    def _replace(self, bucket: str, new: Object, files: list[tuple[str, int]], condition: Condition) -> None:
        condition(self.find(bucket, new.key))
        self.index.run("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, new.key)
        self.take(bucket, files)
        self.insert(bucket, new)

    def insert(self, bucket: str, new: Object) -> None:
        """Inside of a transaction that has taken its files."""
        values = (bucket, new.key, new.size, new.etag, new.modified)
        written = (json.dumps(dict(new.headers)), json.dumps(new.blobs))
        self.index.run("INSERT INTO objects VALUES (?, ?, ?, ?, ?, ?, ?)", *values, *written)

    def take(self, bucket: str, files: list[tuple[str, int]]) -> None:
        """Make files the bucket's. Inside of a transaction. Raises `S3Error` (`NoSuchBucket`, `QuotaExceeded`)."""
        self.find_bucket(bucket)
        for blob, size in files:
            self.index.run("INSERT INTO blobs VALUES (?, ?, ?)", blob, bucket, size)
        require_quota(self.find_bucket(bucket), 0)

    # Multipart uploads

    def begin(self, bucket: str, key: str, headers: Mapping[str, str], algorithm: str) -> Upload:
        upload = Upload(secrets.token_hex(24), key, headers, algorithm, moment())
        with self.index.transaction():
            written = json.dumps(dict(headers))
            values = (upload.id, bucket, key, written, algorithm, upload.created)
            self.index.run("INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)", *values)
        return upload

    def find_upload(self, bucket: str, key: str, id: str) -> Upload:
        """Raises `S3Error` (`NoSuchUpload`)."""
        row = self.index.one("SELECT * FROM uploads WHERE id = ? AND bucket = ? AND key = ?", id, bucket, key)
        if row is None:
            raise S3Error("NoSuchUpload", "The specified upload does not exist. It may be completed or aborted.")
        return Upload(row["id"], row["key"], json.loads(row["headers"]), row["algorithm"], row["created"])

    def put_part(self, bucket: str, upload: Upload, part: Part) -> Part:
        """Keep a part whose file is incoming; one of that number is replaced."""
        with self.index.transaction():
            self.find_upload(bucket, upload.key, upload.id)
            self._drop_parts(upload.id, "number = ?", part.number)
            self.take(bucket, [(part.blob, part.size)])
            values = (upload.id, part.number, part.size, part.etag, part.modified)
            self.index.run(
                "INSERT INTO parts VALUES (?, ?, ?, ?, ?, ?, ?)", *values, json.dumps(dict(part.checksums)), part.blob
            )
        self.blobs.publish(part.blob)
        return part

    def parts(self, upload: str, after: int = 0, limit: int = -1) -> list[Part]:
        query = "SELECT * FROM parts WHERE upload = ? AND number > ? ORDER BY number LIMIT ?"
        return [_part(row) for row in self.index.all(query, upload, after, limit)]

    def complete(
        self,
        bucket: str,
        upload: Upload,
        chosen: Sequence[tuple[int, str]],
        claimed: Mapping[str, str],
        condition: Condition = anything,
    ) -> Object:
        """Make one object of these parts (number, etag). `claimed` are checksums of the whole, by algorithm.

        Raises `S3Error`: `InvalidPart`, `InvalidPartOrder`, `EntityTooSmall`, `BadDigest`, `NoSuchUpload`.
        """
        with self.index.transaction():
            self.find_upload(bucket, upload.key, upload.id)
            present = {part.number: part for part in self.parts(upload.id)}
            parts = _chosen(present, chosen)
            sums = _sums(upload.algorithm, parts, claimed)
            whole = Object(
                key=upload.key,
                size=sum(part.size for part in parts),
                etag=_etag(parts),
                modified=moment(),
                headers={**upload.headers, **sums},
                blobs=tuple(part.blob for part in parts),
            )
            condition(self.find(bucket, upload.key))
            self.index.run("DELETE FROM objects WHERE bucket = ? AND key = ?", bucket, upload.key)
            self.insert(bucket, whole)
            unused = [part.blob for part in present.values() if part.blob not in set(whole.blobs)]
            self.index.run("DELETE FROM blobs WHERE id IN (SELECT value FROM json_each(?))", json.dumps(unused))
            self.index.run("DELETE FROM uploads WHERE id = ?", upload.id)
        return whole

    def abort(self, bucket: str, upload: Upload) -> None:
        with self.index.transaction():
            self.find_upload(bucket, upload.key, upload.id)
            self._drop_parts(upload.id, "TRUE")
            self.index.run("DELETE FROM uploads WHERE id = ?", upload.id)

    def _drop_parts(self, upload: str, where: str, *values: object) -> None:
        chosen = f"parts WHERE upload = ? AND {where}"
        self.index.run(f"DELETE FROM blobs WHERE id IN (SELECT blob FROM {chosen})", upload, *values)  # noqa: S608
        self.index.run(f"DELETE FROM {chosen}", upload, *values)  # noqa: S608

    # Files that nothing refers to

    def sweep(self) -> bool:
        """Remove some; whether there may be more. Nothing while somebody makes a backup."""
        if self.is_pinned():
            return False
        found = [row["blob"] for row in self.index.all("SELECT blob FROM garbage LIMIT ?", SWEEP)]
        removed = [blob for blob in found if self.blobs.remove(blob)]
        if removed:
            with self.index.transaction():
                self.index.run(
                    "DELETE FROM garbage WHERE blob IN (SELECT value FROM json_each(?))", json.dumps(removed)
                )
        return len(removed) == SWEEP

    def is_pinned(self) -> bool:
        return self.index.one("SELECT 1 FROM pins WHERE until > ?", int(time.time())) is not None

    def pin(self, id: str, seconds: int) -> None:
        """Keep all files for so long, whatever is deleted."""
        with self.index.transaction():
            self.index.run("INSERT OR REPLACE INTO pins VALUES (?, ?)", id, int(time.time()) + seconds)

    def unpin(self, id: str) -> None:
        with self.index.transaction():
            self.index.run("DELETE FROM pins WHERE id = ? OR until < ?", id, int(time.time()))

    def knows(self, blob: str) -> bool:
        return self.index.one("SELECT 1 FROM blobs WHERE id = ?", blob) is not None


def require_quota(bucket: Bucket, more: int) -> None:
    """Raises `S3Error` (`QuotaExceeded`)."""
    if bucket.used + more > bucket.quota:
        raise S3Error(
            "QuotaExceeded",
            f"The bucket would hold more than the {bucket.quota} bytes of its plan. Nothing was changed. "
            "Delete objects, abort multipart uploads, or choose a larger plan (addons:upgrade).",
        )


def read_object(row: sqlite3.Row) -> Object:
    headers, blobs = json.loads(row["headers"]), tuple(json.loads(row["blobs"]))
    return Object(row["key"], row["size"], row["etag"], row["modified"], headers, blobs)


def _part(row: sqlite3.Row) -> Part:
    found = json.loads(row["checksums"])
    return Part(row["number"], row["size"], row["etag"], row["modified"], found, row["blob"])


def _chosen(present: Mapping[int, Part], chosen: Sequence[tuple[int, str]]) -> list[Part]:
    numbers = [number for number, _ in chosen]
    if numbers != sorted(set(numbers)):
        raise S3Error("InvalidPartOrder", "The list of parts was not in ascending order.")
    parts = [present[number] for number, etag in chosen if number in present and present[number].etag == etag]
    if len(parts) != len(chosen) or not parts:
        raise S3Error("InvalidPart", "One or more of the specified parts could not be found, or have other ETags.")
    if any(part.size < MIN_PART for part in parts[:-1]):
        raise S3Error("EntityTooSmall", "All parts but the last must have 5 MiB at least.")
    return parts


def _etag(parts: Sequence[Part]) -> str:
    digest = hashlib.md5(b"".join(bytes.fromhex(part.etag) for part in parts), usedforsecurity=False)
    return f"{digest.hexdigest()}-{len(parts)}"


def _sums(algorithm: str, parts: Sequence[Part], claimed: Mapping[str, str]) -> dict[str, str]:
    """The checksum of the whole, to be kept: the one that the client claims, if it is right; else one of checksums."""
    for name, value in claimed.items():
        known = [(part.checksums[name], part.size) for part in parts if name in part.checksums]
        if "-" in value or len(known) != len(parts):
            continue
        right = checksums.combined(name, known)
        if right is not None and right != value:
            raise S3Error("BadDigest", f"The {name.upper()} you specified did not match the calculated checksum.")
        if right is not None:
            return {checksums.PREFIX + name: value}
    if not algorithm or any(algorithm not in part.checksums for part in parts):
        return {}
    digest = checksums.ALGORITHMS[algorithm]()
    for part in parts:
        digest.update(base64.b64decode(part.checksums[algorithm]))
    return {checksums.PREFIX + algorithm: f"{checksums.encode(digest.digest())}-{len(parts)}"}
