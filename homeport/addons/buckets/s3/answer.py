"""What is answered, and how it is sent."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from .request import Send

XML = "application/xml"
NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
# What apps' users upload shares an origin with other apps' uploads, and on localhost with the API: a page among them
# must be able to do nothing there. Browsers show no PDF in a sandbox, and a PDF is no page.
SANDBOX = {"Content-Security-Policy": "sandbox"}
UNBOXED = "application/pdf"


@dataclass(frozen=True)
class Answer:
    """`length` is Content-Length for `content` that is streamed, and for HEAD."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    content: AsyncGenerator[bytes] | None = None
    length: int | None = None

    async def send(self, send: Send, gone: asyncio.Event, *, with_body: bool = True) -> None:
        """Until all is sent, or the client is gone."""
        kind = next((value for name, value in self.headers.items() if name.lower() == "content-type"), "")
        headers = {**NO_SNIFFING, **({} if kind == UNBOXED else SANDBOX), **self.headers}
        if self.status not in (204, 304):
            headers["Content-Length"] = str(len(self.body) if self.length is None else self.length)
        raw = [(name.lower().encode(), encode(value)) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": raw})
        if self.content is not None and with_body:
            async with aclosing(self.content) as content:
                async for piece in content:
                    if gone.is_set():
                        return
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        body = self.body if with_body and self.status not in (204, 304) else b""
        await send({"type": "http.response.body", "body": body})


def xml(body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(200, {"Content-Type": XML, **(headers or {})}, body)


def encode(value: str) -> bytes:
    """A header's value: what Latin-1 hasn't got as S3 does it, by RFC 2047."""
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return b"=?UTF-8?B?" + base64.b64encode(value.encode()) + b"?="
