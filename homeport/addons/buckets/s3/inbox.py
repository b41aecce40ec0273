"""What a client sends, and what to do with the rest of it when it was refused in the middle."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from .request import Message, Receive

DRAIN_SECONDS = 10.0
DRAINED = 1024**2
"""Bytes of a refused body that are read all the same, so that the client gets to reading the answer."""


class Inbox:
    def __init__(self, scope: Mapping[str, Any], receive: Receive) -> None:
        self._receive = receive
        self._headers = {name.lower(): value for name, value in scope["headers"]}
        length = self._headers.get(b"content-length", b"0")
        self._left = int(length) if length.isdigit() else DRAINED + 1
        self._ended = self._left == 0 and b"transfer-encoding" not in self._headers
        self._begun = False

    async def receive(self) -> Message:
        self._begun = True
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        self._ended = self._ended or message["type"] != "http.request" or not message.get("more_body")
        return message

    async def drain(self) -> bool:
        """Read on a little, unless the client waits for a word before it sends anything; whether all was read."""
        waits = b"expect" in self._headers and not self._begun
        if not self._ended and not waits and self._left <= DRAINED:
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    while not self._ended:
                        await self.receive()
            except TimeoutError:
                return False
        return self._ended
