"""What is in a bucket, in pages: by prefix, with what shares a delimiter rolled up."""

from __future__ import annotations

from dataclasses import dataclass

from .index import Index
from .store import Object, Upload, read_object

BATCH = 1000


@dataclass(frozen=True)
class Page:
    """`last` is what the next page begins after; empty where there is none. `prefixes` are rolled-up keys."""

    objects: list[Object]
    prefixes: list[str]
    last: str


def page(index: Index, bucket: str, *, prefix: str, delimiter: str, after: str, limit: int) -> Page:
    """Up to `limit` objects and prefixes that come after `after` (a key, or a prefix of the page before)."""
    objects: list[Object] = []
    prefixes: list[str] = []
    last = after
    rolled = delimiter and after.startswith(prefix) and after.endswith(delimiter) and after != prefix
    start, strictly = (beyond(after), False) if rolled else (after, True)
    if start is not None and start < prefix:
        start, strictly = prefix, False
    end = beyond(prefix) if prefix else None
    while start is not None:
        found = _batch(index, bucket, start, strictly, end, min(BATCH, limit + 1))
        start = None
        for item in found:
            if len(objects) + len(prefixes) == limit:
                return Page(objects, prefixes, last if limit else "")
            cut = item.key.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                last = item.key[: cut + len(delimiter)]
                prefixes.append(last)
                start, strictly = beyond(last), False
                break
            objects.append(item)
            last = item.key
        else:
            if len(found) == min(BATCH, limit + 1):
                start, strictly = last, True
    return Page(objects, prefixes, "")


def beyond(prefix: str) -> str | None:
    """The first key that comes after all that begin so, in the order of UTF-8; None if there can't be any."""
    text = prefix
    while text:
        point = ord(text[-1]) + 1
        if point <= 0x10FFFF:
            return text[:-1] + chr(0xE000 if point == 0xD800 else point)
        text = text[:-1]
    return None


def _batch(index: Index, bucket: str, start: str, strictly: bool, end: str | None, limit: int) -> list[Object]:
    query = f"SELECT * FROM objects WHERE bucket = ? AND key {'>' if strictly else '>='} ?"  # noqa: S608 - ours
    values: list[object] = [bucket, start]
    if end is not None:
        query += " AND key < ?"
        values.append(end)
    return [read_object(row) for row in index.all(f"{query} ORDER BY key LIMIT ?", *values, limit)]


def uploads(index: Index, bucket: str, *, prefix: str, after: tuple[str, str], limit: int) -> list[Upload]:
    """Multipart uploads that go on, by key and id."""
    rows = index.all(
        "SELECT * FROM uploads WHERE bucket = ? AND (key, id) > (?, ?) AND substr(key, 1, ?) = ?"
        " ORDER BY key, id LIMIT ?",
        *(bucket, *after, len(prefix), prefix, limit),
    )
    return [Upload(row["id"], row["key"], {}, row["algorithm"], row["created"]) for row in rows]
