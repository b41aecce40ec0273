"""Layers on disk: a folder per key, written once, never changed afterwards.

    <root>/layers/KEY/…    what is kept
    <root>/sizes/KEY       its size in bytes, so that nobody walks a kept layer again
    <root>/drafts/…        being filled by a living process

A draft becomes a layer by one rename, so a layer is there completely or not at all. What a killed process has left
half done is cleared away by the next store that opens the folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from homeport.errors import NotFound
from homeport.home import write_whole
from homeport.slugs.scratch import Scratch
from homeport.slugs.trees import measure, remove

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")

GRACE = 3600.0
"""Seconds for which an unused layer survives `prune`: the build that made it may not have recorded its slug yet."""


class Store:
    """Content-addressed layers below `root`, private to this user. Safe for several threads and processes."""

    def __init__(self, root: Path, *, clock: Callable[[], float] = time.time) -> None:
        """Open the store, making its folders; clears away drafts whose process is gone."""
        self._layers = root / "layers"
        self._sizes = root / "sizes"
        self._clock = clock
        for folder in (root, self._layers, self._sizes):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._scratch = Scratch(root / "drafts")

    def path(self, key: str) -> Path:
        """The folder of a kept layer. Raises `NotFound`."""
        folder = self._layers / _checked(key)
        if not folder.is_dir():
            raise NotFound("layer", f"The layer {key} is not in the store.", fix="Deploy the app again.")
        return folder

    def has(self, key: str) -> bool:
        return (self._layers / _checked(key)).is_dir()

    def draft(self, key: str) -> Path:
        """A fresh, empty, private folder on the store's file system, to be filled and then given to `keep`."""
        return self._scratch.folder(_checked(key))

    def destination(self, key: str) -> Path:
        """Where the layer will be once it is kept, for what has to be told its own path beforehand."""
        return self._layers / _checked(key)

    def keep(self, key: str, draft: Path) -> Path:
        """Make this folder the layer `key`, atomically, and return where it is now.

        When the layer is there already the draft is discarded: equal keys mean equal content. `draft` may be any
        folder on the store's file system; it is gone afterwards.
        """
        folder = self._layers / _checked(key)
        if not folder.is_dir():
            write_whole(self._sizes / key, str(measure(draft)))
            try:
                draft.rename(folder)
            except OSError:
                if not folder.is_dir():  # somebody else's equal layer may have come first
                    raise
        self.discard(draft)
        self.touch(key)
        return folder

    def discard(self, draft: Path) -> None:
        """Throw a draft away; quiet if it is gone."""
        remove(draft)

    def size(self, key: str) -> int:
        """Bytes in a kept layer, links not followed. Raises `NotFound`."""
        folder = self.path(key)
        with contextlib.suppress(OSError, ValueError):
            return int((self._sizes / key).read_text())
        size = measure(folder)
        write_whole(self._sizes / key, str(size))
        return size

    def keys(self) -> set[str]:
        return {entry.name for entry in os.scandir(self._layers) if entry.is_dir(follow_symlinks=False)}

    def touch(self, key: str) -> None:
        """Say that the layer is being used, which keeps `prune` away for its grace."""
        with contextlib.suppress(OSError):
            now = self._clock()
            os.utime(self._layers / _checked(key), (now, now))

    def prune(self, keep: set[str], *, grace: float = GRACE) -> set[str]:
        """Remove the layers that are neither in `keep` nor used in the last `grace` seconds; returns their keys."""
        gone = set()
        for key in self.keys() - keep:
            folder = self._layers / key
            with contextlib.suppress(FileNotFoundError):
                if self._clock() - folder.stat().st_mtime < grace:
                    continue
                grave = self._scratch.path / f"pruned.{uuid.uuid4().hex[:8]}"
                folder.rename(grave)  # gone at once and as a whole; what a crash leaves is an abandoned draft
                (self._sizes / key).unlink(missing_ok=True)
                remove(grave)
                gone.add(key)
        return gone

    def close(self) -> None:
        """Clear this store's drafts away. Kept layers stay."""
        self._scratch.close()


def _checked(key: str) -> str:
    """A key is part of a path, so it must not be able to lead anywhere else."""
    if not _KEY.fullmatch(key):
        raise NotFound("layer", f"{key[:80]!r} is not the key of a layer.")
    return key
