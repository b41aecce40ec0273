"""One request and its answer, as handlers see them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response

from homeport import accounts, releases
from homeport.accounts import Action, Actor
from homeport.addons import Addons
from homeport.api import ranges
from homeport.api.fields import Fields
from homeport.api.parts import Core, Data
from homeport.errors import Invalid
from homeport.state import App

T = TypeVar("T")
Json = Mapping[str, Any] | Sequence[Any]


@dataclass(frozen=True)
class Reply:
    """A JSON answer."""

    body: Json
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def created(body: Json) -> Reply:
    return Reply(body, 201)


def accepted(body: Json | None = None) -> Reply:
    """Under way; the loops carry it out."""
    return Reply({} if body is None else body, 202)


@dataclass
class Call:
    """One request. Handlers read it, answer with a `Reply`, and say here what else should come of it."""

    core: Core
    params: Mapping[str, str]
    query: QueryParams
    headers: Headers
    body: Fields
    secret: str = ""
    known_actor: Actor | None = None
    known_app: App | None = None
    warnings: list[str] = field(default_factory=list)
    after: list[Callable[[], None]] = field(default_factory=list)
    reroutes: bool = False
    """Visitors go elsewhere by it: the answer waits until the router knows."""

    @property
    def actor(self) -> Actor:
        assert self.known_actor is not None  # noqa: S101 - public routes have no actor and must not ask
        return self.known_actor

    @property
    def app(self) -> App:
        assert self.known_app is not None  # noqa: S101 - the route has no {app}
        return self.known_app

    @property
    def addons(self) -> Addons:
        """Raises `Invalid` on a platform that has none."""
        if self.core.addons is None:
            raise Invalid("There are no add-ons here.", id="not_here_yet")
        return self.core.addons

    @property
    def data(self) -> Data:
        """Raises `Invalid` on a platform that has no add-ons."""
        if self.core.data is None:
            raise Invalid("There are no databases here.", id="not_here_yet")
        return self.core.data

    @property
    def attached(self) -> releases.Attach | None:
        """What add-ons give an app, on a platform that has any."""
        return self.core.addons.attached if self.core.addons is not None else None

    def accepted(self, header: str) -> set[str]:
        """What a header such as `Accept-Expansion: plan,addon_service` lists."""
        return {word.strip() for word in self.headers.get(header, "").split(",")}

    def require(self, action: Action) -> None:
        """More than the route itself asks for. Raises `Forbidden`."""
        accounts.require(self.actor, action, self.known_app)

    def say(self, *texts: str) -> None:
        """Lines for the app's log, as Heroku's `app[api]` writes them, once the transaction is committed."""
        app_id, by = self.app.id, self.actor.user.email
        lines = [f"{text} by user {by}" for text in texts]
        self.after.append(lambda: self.core.logs.write(app_id, "app", "api", lines))

    def warn(self, text: str) -> None:
        """A notice that the CLI shows as a warning (header X-Heroku-Warning)."""
        self.warnings.append(text)

    @property
    def range(self) -> ranges.Range:
        """The part of a list that is asked for."""
        return ranges.parse(self.headers.get("range", ""))

    def listing(self, rows: Sequence[T], show: Callable[[T], Json], keys: ranges.Keys[T]) -> Reply:
        """The rows that the Range header asks for, each as `show` has it."""
        page = ranges.cut(rows, self.range, keys)
        return Reply([show(row) for row in page.items], 206 if page.partial else 200, page.headers)


def respond(call: Call, reply: Reply, *, is_read: bool) -> Response:
    """The HTTP response; 304 when a read's answer is the one the client already has (the Ruby gem asks so)."""
    content = json.dumps(reply.body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {**reply.headers, "Cache-Control": "private, no-cache"}
    if call.warnings:
        text = " ".join(call.warnings)
        headers["X-Heroku-Warning"] = "".join(c if 32 <= ord(c) < 127 else "?" for c in text)
    if is_read:
        etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
        headers["ETag"] = etag
        if _has(call.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers=headers)
    return Response(content, reply.status, headers, media_type="application/json")


def _has(if_none_match: str, etag: str) -> bool:
    candidates = [candidate.strip().removeprefix("W/") for candidate in if_none_match.split(",")]
    return etag in candidates or "*" in candidates
