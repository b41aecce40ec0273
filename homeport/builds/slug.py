"""The slug at the end of a build: the code layer's key, its keeping, its weight."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from pathlib import Path

from homeport.buildpacks import BuildFailed, FailureId
from homeport.slugs import Store

FORMAT = 1
"""Raised when builds start to make something else of the same source."""


def code_key(source_id: str, influence: str | None) -> str:
    """The key of the finished code of a source; `influence` is what else it depends on, None if nobody knows."""
    if influence is None:
        return f"code-{uuid.uuid4().hex}"
    return "code-" + hashlib.sha256(f"{FORMAT}\0{source_id}\0{influence}".encode()).hexdigest()[:32]


def keep_code(store: Store, source: Path, source_id: str, influence: str | None) -> str:
    """Move the source folder into the store and return its key."""
    key = code_key(source_id, influence)
    if store.has(key):
        store.touch(key)
        return key
    draft = store.draft(key)
    draft.rmdir()
    source.rename(draft) if _same_device(source, draft.parent) else _copy(source, draft)
    store.keep(key, draft)
    return key


def _same_device(one: Path, other: Path) -> bool:
    return one.stat().st_dev == other.stat().st_dev


def _copy(source: Path, target: Path) -> None:
    import shutil

    shutil.copytree(source, target, symlinks=True)


def weigh(store: Store, code: str, layers: Sequence[str], *, most_code: int, most: int) -> list[int]:
    """Bytes of the code and of each layer. Raises `BuildFailed` (`slug_too_large`)."""
    sizes = [store.size(key) for key in (code, *layers)]
    for what, size, limit in (("code", sizes[0], most_code), ("slug", sum(sizes), most)):
        if size <= limit:
            continue
        raise BuildFailed(
            FailureId.SLUG_TOO_LARGE,
            f"The {what} is too large: {human(size)}, and at most {human(limit)} are allowed.",
            why=f"Your code has {human(sizes[0])}, the dependencies {human(sum(sizes[1:]))}. Each dyno gets a copy of\n"
            "the code, so large slugs start slowly.",
            fix="Take data and media out of the repository (`git rm --cached`), or name them in a .slugignore file.\n"
            "Drop dependencies that only development needs.",
        )
    return sizes


def human(size: int) -> str:
    """12.3M, in Heroku's way."""
    amount = float(size)
    for unit in ("B", "K", "M"):
        if amount < 1000:
            return f"{amount:.0f}{unit}" if unit == "B" else f"{amount:.1f}{unit}"
        amount /= 1000
    return f"{amount:.1f}G"
