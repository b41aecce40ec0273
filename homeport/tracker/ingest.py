"""What SDKs talk to: `POST /api/<project>/envelope/`, and `/store/` of the old ones. An ASGI application.

https://develop.sentry.dev/sdk/foundations/transport/
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from homeport.errors import BadRequest, Forbidden, HomeportError, Invalid, NotFound, TooLarge, Unavailable
from homeport.tracker import envelope, quota, reading
from homeport.tracker.bodies import MAX_BODY, MAX_SENT, Body
from homeport.tracker.envelope import Envelope, Item
from homeport.tracker.events import event_id
from homeport.tracker.projects import Project, Projects
from homeport.tracker.quota import Bucket
from homeport.tracker.writer import Writer

MAX_EVENT = 1024**2
"""Bytes of one event, as Sentry's limit."""
MAX_OF_STRANGERS = 2 * MAX_EVENT
"""Bytes that are read of a request whose key, if it has one, stands in the body."""
MAX_AT_ONCE = 96 * 1024**2
"""Bytes of all bodies that are being received."""
MAX_OF_STRANGERS_AT_ONCE = 16 * 1024**2
"""Bytes of all those whose key is not known yet: they may crowd each other out, but nobody who has one."""
RECEIVING_SECONDS = 60.0
STRANGERS_SECONDS = 15.0
"""For how long a body may come, and its memory be held. The router gives its place to somebody else as soon as the
client sends another byte or is gone; to one that falls silent it leaves it until its own time for uploads is over."""
OTHERS_PER_MINUTE = 6_000
"""Transactions, sessions and so on of one project that are looked at; they are only counted."""
FULL_SECONDS = 60
"""For how long SDKs are told to wait when nothing can be written."""

_PATH = re.compile(r"/api/(\d{1,9})/(envelope|store)/?")
_KINDS = frozenset(
    """attachment check_in client_report feedback form_data log metric_buckets otel_log profile profile_chunk
    raw_security replay_event replay_recording replay_video session sessions span statsd trace_metric transaction
    unreal_report user_report""".split()
)
"""Types of items that are counted by their names; of others anybody could invent any number."""
_CATEGORIES = {"sessions": "session", "check_in": "monitor", "replay_event": "replay", "log": "log_item"}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_log = logging.getLogger("homeport.tracker")


@dataclass(frozen=True)
class Answer:
    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class Ingest:
    """Time for limits is `clock`, seconds from anywhere."""

    def __init__(self, projects: Projects, writer: Writer, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._projects = projects
        self._writer = writer
        self._clock = clock
        self._buckets: dict[tuple[int, int], Bucket] = {}
        self._others: dict[int, Bucket] = {}
        self._receiving = {True: 0, False: 0}
        """Bytes, of those whose key is known and of strangers."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            answer = await self._answer(scope, receive)
        except ConnectionError:
            return
        except HomeportError as error:
            answer = _refused(error)
        except Exception:  # the wall: a bug costs one event, not the tracker
            _log.exception("an event could not be taken")
            answer = Answer(500, {"detail": "The tracker met an error of its own."})
        await _send(send, answer)

    async def _answer(self, scope: Scope, receive: Receive) -> Answer:
        match = _PATH.fullmatch(scope["path"])
        if match is None:
            raise NotFound("", "There is nothing here.")
        if scope["method"] == "OPTIONS":  # a browser asks before its SDK may send
            return Answer(200, {}, {"Access-Control-Allow-Methods": "POST, OPTIONS", "Access-Control-Max-Age": "3600"})
        if scope["method"] != "POST":
            return Answer(405, {"detail": "Events are sent by POST."}, {"Allow": "POST, OPTIONS"})
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        project = self._projects.find(int(match[1]))
        key = _key(headers, scope.get("query_string", b""))
        if key is not None or project is None:
            _require(project, key)  # before anything is read of strangers
        raw = await self._body(headers, receive, is_known=key is not None)
        sent = _stored(raw) if match[2] == "store" else envelope.parse(raw)
        if key is None:
            _require(project, _key_of_dsn(sent))
        assert project is not None  # noqa: S101 - required above
        return await self._take(project, sent)

    async def _body(self, headers: Mapping[str, str], receive: Receive, *, is_known: bool) -> bytes:
        limits = (MAX_SENT, MAX_BODY) if is_known else (MAX_OF_STRANGERS, MAX_OF_STRANGERS)
        body = Body(headers.get("content-encoding", ""), max_sent=limits[0], max_body=limits[1])
        counted = 0
        most = MAX_AT_ONCE if is_known else MAX_OF_STRANGERS_AT_ONCE
        try:
            async with asyncio.timeout(RECEIVING_SECONDS if is_known else STRANGERS_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ConnectionError
                    body.feed(message.get("body", b""))
                    self._receiving[is_known] += len(body) - counted
                    counted = len(body)
                    if self._receiving[is_known] > most:
                        raise Unavailable("Too much is being received.", id="tracker_busy")
                    if not message.get("more_body"):
                        return body.whole()
        except TimeoutError:
            raise BadRequest("The body came too slowly.") from None
        finally:
            self._receiving[is_known] -= counted

    async def _take(self, project: Project, sent: Envelope) -> Answer:
        events, tallies = _sort(sent)
        headers = self._hold_back_others(project, tallies)
        if events and not self._bucket(project).take(len(events)):
            bucket = self._bucket(project)
            await self._writer.write(project, [], {"rate_limited": len(events)}, 0)
            refused = quota.limits(bucket.wait, quota.ERRORS)
            return Answer(429, {"detail": "More events than the plan takes in a minute."}, refused)
        read = [_read(item, sent) for item in events]
        await self._writer.write(project, read, tallies, sum(len(item.content) for item in events))
        id_ = read[0]["event_id"] if read else reading.text(sent.headers.get("event_id"), 32)
        return Answer(200, {"id": id_} if id_ else {}, headers)

    def _bucket(self, project: Project) -> Bucket:
        return self._buckets.setdefault((project.number, project.per_minute), Bucket(project.per_minute, self._clock))

    def _hold_back_others(self, project: Project, tallies: Mapping[str, int]) -> dict[str, str]:
        """Headers that have an SDK keep to itself what is only counted here, if there is very much of it."""
        count = sum(tallies.values())
        bucket = self._others.setdefault(project.number, Bucket(OTHERS_PER_MINUTE, self._clock))
        if not count or bucket.take(count):
            return {}
        return {name: value for name, value in quota.limits(60, quota.OTHERS).items() if name != "Retry-After"}


def _sort(sent: Envelope) -> tuple[list[Item], Counter[str]]:
    """Events, and how many there were of everything else. Raises `TooLarge`."""
    events = [item for item in sent.items if item.type == "event"]
    if any(len(item.content) > MAX_EVENT for item in events):
        raise TooLarge(f"An event is larger than {MAX_EVENT // 1024} KB.")
    others = (item.type for item in sent.items if item.type != "event")
    return events, Counter(_CATEGORIES.get(type_, type_ if type_ in _KINDS else "unknown") for type_ in others)


def _read(item: Item, sent: Envelope) -> dict[str, Any]:
    """The event with an id. Raises `BadRequest`, `Invalid`."""
    value = envelope.read_json(item.content)
    if not isinstance(value, dict):
        raise Invalid("An event is a JSON object.")
    value["event_id"] = event_id(value.get("event_id") or sent.headers.get("event_id"))
    return value


def _stored(raw: bytes) -> Envelope:
    """What the endpoint of before envelopes takes: one event."""
    return Envelope({}, (Item("event", raw),))


def _key(headers: Mapping[str, str], query: bytes) -> str | None:
    """The key that a request shows, in a header or in its address."""
    for name in ("x-sentry-auth", "authorization"):
        scheme, _, fields = headers.get(name, "").strip().partition(" ")
        if scheme.lower() == "sentry":
            for part in fields.split(","):
                key, _, value = part.strip().partition("=")
                if key == "sentry_key":
                    return value.strip().strip('"')
    try:
        asked = parse_qs(query[:2000].decode("latin-1"), max_num_fields=20)
    except ValueError:
        return None
    return asked["sentry_key"][0] if "sentry_key" in asked else None


def _key_of_dsn(sent: Envelope) -> str | None:
    try:
        return urlsplit(reading.text(sent.headers.get("dsn"), 500)).username
    except ValueError:
        return None


def _require(project: Project | None, key: str | None) -> None:
    """Raises `Forbidden`, whether it is the project or the key that is wrong."""
    if key is None:
        raise Forbidden("No key was sent.", fix="Use SENTRY_DSN as it stands.")
    expected = project.key if project is not None else "0" * 32
    same = hmac.compare_digest(key.encode("utf-8", "replace"), expected.encode())
    if project is None or not same:
        raise Forbidden("There is no such project, or the key is not its.")


def _refused(error: HomeportError) -> Answer:
    if isinstance(error, Unavailable):
        seconds = 5 if error.id == "tracker_busy" else FULL_SECONDS
        return Answer(503, {"detail": error.what}, {"Retry-After": str(seconds)})
    kinds = ((TooLarge, 413), (BadRequest, 400), (Invalid, 400), (Forbidden, 403), (NotFound, 404))
    status = next((status for kind, status in kinds if isinstance(error, kind)), 500)
    return Answer(status, {"detail": error.what, "causes": [error.fix] if error.fix else []})


async def _send(send: Send, answer: Answer) -> None:
    content = json.dumps(answer.body).encode()
    headers = {
        "Content-Type": "application/json",
        "Content-Length": str(len(content)),
        "X-Content-Type-Options": "nosniff",
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "X-Sentry-Auth, X-Requested-With, Content-Type, Content-Encoding",
        "Access-Control-Expose-Headers": "X-Sentry-Error, X-Sentry-Rate-Limits, Retry-After",
        **answer.headers,
    }
    if answer.status >= 400:
        headers["X-Sentry-Error"] = str(answer.body.get("detail", ""))
        headers["Connection"] = "close"  # what was not read of the body is not waited for
    encoded = [(name.lower().encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})
