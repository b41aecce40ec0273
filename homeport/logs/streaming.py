"""The body of a log session: server-sent events for the CLI and browsers, plain lines for everybody else.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from homeport.logs.lines import Line
from homeport.logs.logs import READ_AT_ONCE, Logs
from homeport.logs.sessions import Session

HEARTBEAT = b":\n\n"
"""A comment: nobody shows it, and no proxy or client takes a quiet app for a dead connection."""

FETCH_RETRY = b"retry: 1\n\n"
"""Milliseconds. The CLI exits only after the time to reconnect, by default three idle seconds."""

TAIL_RETRY = b"retry: 1000\n\n"
"""After a clean end on the way (a proxy's reload). Short enough not to be noticed, long enough not to be a storm."""

RESTART_RETRY = b"retry: 3000\n\n"
"""Sent before hanging up: the CLI gives up on any answer but 200, so it should come when we are back."""


async def stream(
    logs: Logs, session: Session, *, last_event_id: str | None, sse: bool, heartbeat: float = 15.0
) -> AsyncIterator[bytes]:
    """What to send, piece by piece, until the session is over: at its last line, or, for a tail, when it expires,
    the app is destroyed or the daemon stops.

    `last_event_id` is the header of a client that reconnects: it gets what came after, once, and no history.
    `heartbeat` seconds of silence make a sign of life (server-sent events only: plain text has no room for one).
    """
    encode = _events if sse else _plain
    if sse:
        yield TAIL_RETRY if session.tail else FETCH_RETRY
    after = _number(last_event_id)
    if after is None:
        # Read, and remember where, with nothing awaited between: what is written while we send comes next.
        since = logs.now()
        history = logs.recent(session.app_id, session.lines, session.filter)
        after = logs.last_seq(session.app_id)
        for start in range(0, len(history), READ_AT_ONCE):
            yield encode(history[start : start + READ_AT_ONCE])
        if not session.tail:
            return
    else:
        since = session.issued_at
    reader = logs.reader(session.app_id, after, session.filter, since=since)
    while session.tail and logs.now() < session.expires_at:
        lines = await reader.next(heartbeat)
        if lines is None:
            if sse and logs.stopping:
                yield RESTART_RETRY
            return
        if lines:
            yield encode(lines)
        elif sse:
            yield HEARTBEAT
    while not session.tail and (lines := reader.take()):
        yield encode(lines)


def _events(lines: Sequence[Line]) -> bytes:
    return "".join(f"id: {line.seq}\ndata: {line.format()}\n\n" for line in lines).encode()


def _plain(lines: Sequence[Line]) -> bytes:
    return "".join(f"{line.format()}\n" for line in lines).encode()


def _number(last_event_id: str | None) -> int | None:
    """Anything but a number that we could have sent counts as none: the client then starts as if new."""
    text = (last_event_id or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
