"""Log sessions: a URL that carries all it grants, signed.

`heroku logs` fetches it without credentials, so whoever has the URL may read that app's log, for as long as it says
and no longer. Nothing is stored: sessions survive a restart of the daemon.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from homeport.errors import Forbidden, Invalid, NotFound
from homeport.logs.lines import EVERYTHING, Filter
from homeport.logs.logs import KEPT_LINES

FETCH_TTL = 300.0
"""Seconds that the URL of a session without tail is good for, as on Heroku."""

TAIL_TTL = 24 * 3600.0
"""Seconds that a tail may last. The CLI reconnects to the same URL, and asks for a new one only when started anew:
five minutes would end every tail at the next restart of anything in between."""

_DOMAIN = b"homeport log session 1\0"
_LONGEST_TOKEN = 5_000


@dataclass(frozen=True, slots=True)
class Session:
    """What a log session's URL grants: `lines` of history, then everything new if `tail`."""

    app_id: str
    lines: int
    tail: bool
    filter: Filter
    issued_at: datetime
    expires_at: datetime


class Sessions:
    """Issues and opens sessions under one secret `key` of at least 16 bytes. Time is `clock`, an aware datetime."""

    def __init__(self, key: bytes, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        if len(key) < 16:
            raise ValueError("a log session key needs at least 16 bytes")
        self._key = key
        self._clock = clock

    def issue(
        self,
        app_id: str,
        *,
        lines: int = 100,
        tail: bool = False,
        filter: Filter = EVERYTHING,
        ttl: float | None = None,
    ) -> str:
        """A token of URL-safe characters, good for `ttl` seconds (TAIL_TTL or FETCH_TTL unless given).

        More `lines` than are kept means all, 0 only what comes from now on. Raises `Invalid` for fewer, or an endless
        filter.
        """
        if lines < 0:
            raise Invalid(
                f"A log session of {lines} lines is not possible.",
                fix=f"Ask for 0 to {KEPT_LINES} lines.",
            )
        for name, value in (("source", filter.source), ("dyno", filter.dyno)):
            if value is not None and len(value) > 100:
                raise Invalid(f"The {name} to filter by is too long.", fix="Give a name of at most 100 characters.")
        issued_at = self._clock()
        lasting = timedelta(seconds=(TAIL_TTL if tail else FETCH_TTL) if ttl is None else ttl)
        claims = [
            app_id,
            min(lines, KEPT_LINES),
            tail,
            filter.source,
            filter.dyno,
            issued_at.timestamp(),
            (issued_at + lasting).timestamp(),
        ]
        body = _encode(json.dumps(claims, separators=(",", ":")).encode())
        return (body + b"." + self._sign(body)).decode()

    def open(self, token: str) -> Session:
        """What a token grants. Raises `NotFound` if we never issued it, `Forbidden` if its time is over."""
        body = self._verified(token)
        if body is None:
            raise NotFound("log_session")
        claims: list[Any] = json.loads(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
        app_id, lines, tail, source, dyno, issued, expires = claims
        session = Session(
            app_id,
            lines,
            tail,
            Filter(source, dyno),
            datetime.fromtimestamp(issued, UTC),
            datetime.fromtimestamp(expires, UTC),
        )
        if self._clock() >= session.expires_at:
            raise Forbidden("This log session has expired.", fix="Run the command again: that makes a new session.")
        return session

    def _verified(self, token: str) -> bytes | None:
        """The signed part of a token that we issued, as it was issued."""
        body, _, signature = token[:_LONGEST_TOKEN].encode("utf-8", "replace").partition(b".")
        return body if hmac.compare_digest(self._sign(body), signature) else None

    def _sign(self, body: bytes) -> bytes:
        return _encode(hmac.digest(self._key, _DOMAIN + body, "sha256"))


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
