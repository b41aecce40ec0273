"""Pushes to one app come one after another, whichever way they come; those that waited catch up."""

from __future__ import annotations

import asyncio
from typing import IO

from homeport.git.commands import Head, rewrite_old
from homeport.git.repositories import Objects

NOTHING = "0" * 40
"""The name of no object: what a ref that does not exist is at."""

WAITING = "-----> Another push to this app is under way, waiting for it to finish..."


class Turns:
    """A lock per app: first come, first served."""

    def __init__(self) -> None:
        self._locks: dict[str, asyncio.Lock] = {}

    def of(self, app_id: str) -> asyncio.Lock:
        return self._locks.setdefault(app_id, asyncio.Lock())


async def catch_up(objects: Objects, head: Head, body: IO[bytes]) -> frozenset[str]:
    """Let the push see refs that were moved while it waited where they are now; returns which ones.

    git would refuse it otherwise, after all was built. Whether it may follow what came before it is decided later,
    when its commits can be read.
    """
    refs = await objects.refs() if head.commands else {}
    moved = set()
    for command in head.commands:
        now = refs.get(command.ref, NOTHING)
        if now != command.old:
            await asyncio.to_thread(rewrite_old, body, command, now)
            moved.add(command.ref)
    return frozenset(moved)
