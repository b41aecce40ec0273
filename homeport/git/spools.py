"""What requests bring, on disk until git has read it: so many bytes per person, however many requests they send."""

from __future__ import annotations

import io
import os
import tempfile
from pathlib import Path


class Spools:
    """Files without names below `folder`. Those of one person hold at most `most_bytes` at any moment."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._held: dict[str, int] = {}

    def open(self, user_id: str) -> Spool:
        with tempfile.TemporaryFile(dir=self._folder) as file:
            return Spool(os.dup(file.fileno()), self, user_id)

    def take(self, user_id: str, count: int) -> bool:
        """Whether there is room for so many bytes more; then they count."""
        held = self._held.get(user_id, 0) + count
        if held > self._most_bytes:
            return False
        self._held[user_id] = held
        return True

    def give_back(self, user_id: str, count: int) -> None:
        held = self._held.pop(user_id, 0) - count
        if held > 0:
            self._held[user_id] = held


class Spool(io.BufferedRandom):
    """One request's body. Its room is given back when it is closed, or emptied."""

    def __init__(self, descriptor: int, spools: Spools, user_id: str) -> None:
        super().__init__(io.FileIO(descriptor, "r+"))
        self._spools = spools
        self._user_id = user_id
        self._reserved = 0

    def reserve(self, count: int) -> bool:
        """Room for so many bytes more; False if its owner has too much on disk already."""
        if not self._spools.take(self._user_id, count):
            return False
        self._reserved += count
        return True

    def empty(self) -> None:
        """It is not wanted any more."""
        self.seek(0)
        self.truncate()
        self._spools.give_back(self._user_id, self._reserved)
        self._reserved = 0

    def close(self) -> None:
        if not self.closed:
            self._spools.give_back(self._user_id, self._reserved)
            self._reserved = 0
        super().close()
