"""What builds and release commands say: kept in a file each, and followed by whoever asks while it is being said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from homeport.errors import NotFound

_CHUNK = 64 * 1024


class Outputs:
    """One text file per build (or release) under `root`, named by its id."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._root.mkdir(parents=True, exist_ok=True)
        self._open: dict[str, asyncio.Event] = {}

    def begin(self, build_id: str, say: Callable[[str], None]) -> Recorder:
        """A way to say lines that also keeps them; close it when the build has ended."""
        self._open[build_id] = asyncio.Event()
        return Recorder(self, build_id, self._path(build_id), say)

    async def follow(self, build_id: str) -> AsyncIterator[bytes]:
        """All that was said, and all that is still to be said. Raises `NotFound`."""
        path = self._path(build_id)
        if not path.exists():
            raise NotFound("output", "There is no output of that here.")
        with path.open("rb") as file:
            while True:
                spoken = self._open.get(build_id)
                if chunk := file.read(_CHUNK):
                    yield chunk
                elif spoken is None:
                    return
                else:
                    await spoken.wait()

    def has(self, build_id: str) -> bool:
        """Whether anything was begun to be said."""
        return self._path(build_id).exists()

    def sweep(self, keep: set[str]) -> None:
        """Remove the output of builds that are not among these, nor being made."""
        for path in self._root.glob("*.log"):
            if path.stem not in keep and path.stem not in self._open:
                path.unlink(missing_ok=True)

    def _path(self, build_id: str) -> Path:
        return self._root / f"{build_id}.log"

    def spoke(self, build_id: str) -> None:
        """Wake those who follow: each waits on the event there was before its last look."""
        self._open[build_id].set()
        self._open[build_id] = asyncio.Event()

    def ended(self, build_id: str) -> None:
        self._open.pop(build_id).set()


class Recorder:
    """Says a line to the person who waits and to the file."""

    def __init__(self, outputs: Outputs, build_id: str, path: Path, say: Callable[[str], None]) -> None:
        self._outputs = outputs
        self._build_id = build_id
        self._file = path.open("wb", buffering=0)
        self._say = say

    def __call__(self, line: str) -> None:
        self.note(line)
        self._say(line)

    def note(self, line: str) -> None:
        """To the file alone: the person hears it otherwise."""
        self._file.write(line.encode() + b"\n")
        self._outputs.spoke(self._build_id)

    def close(self) -> None:
        self._file.close()
        self._outputs.ended(self._build_id)
