"""All of a bucket as a folder, and back again: a list of objects, and a file for each.

`objects.jsonl` has a line for the bucket, one for each object, and one that says how many there are and what all before
it hashes to; each object's line has the hash of its file.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from homeport.addons.buckets.s3.blobs import PIECE, Blobs
from homeport.addons.buckets.s3.errors import S3Error
from homeport.addons.buckets.s3.store import Bucket, Object, Store
from homeport.addons.provider import damaged_backup
from homeport.errors import HomeportError, Invalid

LIST = "objects.jsonl"
FILES = "files"
PIN_SECONDS = 60


@dataclass(frozen=True)
class Saved:
    """An object in a backup."""

    object: Object
    file: Path
    sha256: str


def save(store: Store, bucket: str, into: Path) -> None:
    """Write all of it below the folder, as of one moment. Objects come and go meanwhile; no file is removed."""
    files = into / FILES
    files.mkdir()
    with _pinned(store), (into / LIST).open("x") as written, store.index.snapshot():
        digest = hashlib.sha256()

        def line(fields: dict[str, Any]) -> None:
            text = json.dumps(fields) + "\n"
            digest.update(text.encode())
            written.write(text)

        line({"version": 1, "cors": store.find_bucket(bucket).cors})
        count = 0
        for found in store.objects(bucket):
            name = f"{count:09}"
            folder = files / name[:6]
            folder.mkdir(exist_ok=True)
            hashed = _join(store.blobs, found, folder / name)
            told = {"key": found.key, "size": found.size, "etag": found.etag, "modified": found.modified}
            line({**told, "headers": dict(found.headers), "file": f"{name[:6]}/{name}", "sha256": hashed})
            count += 1
        written.write(json.dumps({"objects": count, "sha256": digest.hexdigest()}) + "\n")
        written.flush()
        os.fsync(written.fileno())


def examine(source: Path) -> tuple[str, list[Saved]]:
    """Read all of a backup: the bucket's CORS rules and its objects. Raises `Invalid` (`backup_damaged`)."""
    try:
        *lines, last = (source / LIST).read_text().splitlines(keepends=True)
        end = json.loads(last)
        digest = hashlib.sha256("".join(lines).encode()).hexdigest()
        if (end["objects"], end["sha256"]) != (len(lines) - 1, digest):
            raise damaged_backup("Its list of objects is not whole.")
        head, *told = (json.loads(line) for line in lines)
        saved = [_saved(source, fields) for fields in told]
        cors = str(head["cors"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise damaged_backup(f"Its list of objects can't be read ({type(error).__name__}).") from None
    for item in saved:
        if _hash(item.file) != item.sha256:
            raise damaged_backup(f"The content of {item.object.key[:100]!r} is not what it was.")
    return cors, saved


def load(store: Store, bucket: str, source: Path) -> None:
    """Replace all that is in the bucket. Raises `Invalid` (`backup_damaged`, `too_large`) before it touches anything.

    The old content is there until all of the new one is on the disk; a crash leaves one of the two.
    """
    cors, saved = examine(source)
    there = store.find_bucket(bucket)
    _require_fit(there, saved)
    taken: list[str] = []
    try:
        with _pinned(store):
            for item in saved:
                taken.append(_take(store.blobs, item.file))
            with store.index.transaction():
                store.clear(bucket)
                store.index.run("UPDATE buckets SET cors = ? WHERE name = ?", cors, bucket)
                for item, blob in zip(saved, taken, strict=True):
                    store.take(bucket, [(blob, item.object.size)])
                    store.insert(bucket, _with_blob(item.object, blob))
    except S3Error as error:
        for blob in taken:
            store.blobs.discard(blob)
        raise HomeportError("restore_failed", error.message) from error
    for blob in taken:
        store.blobs.publish(blob)


@contextmanager
def _pinned(store: Store) -> Iterator[None]:
    """Nothing is swept away inside, and for a minute at most if this process dies."""
    name = os.urandom(8).hex()
    done = threading.Event()
    another = Store(store.folder)
    another.pin(name, PIN_SECONDS)

    def renew() -> None:
        while not done.wait(PIN_SECONDS / 4):
            another.pin(name, PIN_SECONDS)

    renewing = threading.Thread(target=renew, daemon=True)
    renewing.start()
    try:
        yield
    finally:
        done.set()
        renewing.join()
        another.unpin(name)
        another.close()


def _join(blobs: Blobs, found: Object, target: Path) -> str:
    digest = hashlib.sha256()
    with target.open("xb") as written:
        for blob in found.blobs:
            with os.fdopen(blobs.open(blob), "rb") as file:
                _pour(file.read, digest.update, written.write)
    return digest.hexdigest()


def _take(blobs: Blobs, source: Path) -> str:
    with source.open("rb") as file, blobs.draft() as draft:
        _pour(file.read, draft.write)
        draft.keep()
        return draft.id


def _pour(read: Callable[[int], bytes], *into: Callable[[bytes], object]) -> None:
    while piece := read(PIECE):
        for take in into:
            take(piece)


def _hash(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            _pour(file.read, digest.update)
    except OSError:
        return ""
    return digest.hexdigest()


def _saved(source: Path, fields: dict[str, Any]) -> Saved:
    folder, name = str(fields["file"]).split("/")
    if not (folder.isdigit() and name.isdigit()):
        raise ValueError("a file outside of the backup")
    found = Object(fields["key"], fields["size"], fields["etag"], fields["modified"], fields["headers"], ())
    return Saved(found, source / FILES / folder / name, fields["sha256"])


def _with_blob(found: Object, blob: str) -> Object:
    return Object(found.key, found.size, found.etag, found.modified, found.headers, (blob,))


def _require_fit(bucket: Bucket, saved: list[Saved]) -> None:
    total = sum(item.object.size for item in saved)
    if total > bucket.quota:
        raise Invalid(
            f"The backup has {total / 1024**3:.1f} GB, more than the plan's {bucket.quota / 1024**3:.0f}.",
            id="too_large",
            why="Nothing was changed.",
            fix="Choose a larger plan, which costs nothing: `heroku addons:upgrade`.",
        )
