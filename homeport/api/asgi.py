"""From an HTTP request to a handler and back."""

from __future__ import annotations

import inspect
import json
import re
import uuid
from urllib.parse import quote

from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeport import accounts, apps
from homeport.accounts import Action
from homeport.api import errors, fields
from homeport.api.authentication import presented_secret
from homeport.api.exchange import Call, Reply, respond
from homeport.api.parts import Core
from homeport.api.routes import ROUTES
from homeport.api.table import Access, Match, Route, Table
from homeport.errors import HomeportError, NotFound, TooLarge

MAX_BODY_BYTES = 1024 * 1024
"""Of a JSON body. Config vars, the largest thing in one, may have 64 KB."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")


def application(core: Core) -> ASGIApp:
    """The Platform API v3 as an ASGI application."""
    return _Application(core, Table(ROUTES))


class _Application:
    def __init__(self, core: Core, table: Table) -> None:
        self._core = core
        self._table = table

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        request_id = _request_id(request)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        except Exception as error:  # the wall: nothing but wire errors leaves here
            response = _failure(errors.to_wire(error, request_id=request_id))
        await response(scope, receive, _finishing(send, request_id, head=request.method == "HEAD"))

    async def _respond(self, request: Request) -> Response:
        path = _raw_path(request.scope)
        match = self._table.find(request.method, path)
        if isinstance(match, list):
            if match:
                return _failure(errors.wrong_method(request.method, match))
            raise errors.no_such_path(path)
        if match.route.streams and request.method == "HEAD":
            return _failure(errors.wrong_method("HEAD", [match.route.method]))
        call = await self._read(request, match)
        try:
            if match.route.streams:
                return await self._stream(match.route, call, request)
            reply = await self._carry_out(match.route, call)
        except HomeportError:
            raise
        except Exception as error:
            await self._blame_its_end(call, error)
            raise
        for action in call.after:
            action()
        if call.reroutes:
            await self._core.fleet.reroute()
        return respond(call, reply, is_read=match.route.method == "GET")

    async def _read(self, request: Request, match: Match) -> Call:
        secret = "" if match.route.needs is Access.PUBLIC else presented_secret(request.headers.get("authorization"))
        raw = b"" if match.route.streams else await _body(request)
        return Call(
            core=self._core,
            params=match.params,
            query=request.query_params,
            headers=request.headers,
            body=fields.parse(raw),
            secret=secret,
        )

    async def _carry_out(self, route: Route, call: Call) -> Reply:
        """Authentication, permission and (where the handler needs nothing slower) the work in one transaction."""
        if inspect.iscoroutinefunction(route.handler):
            await self._core.database.run(_admit, route, call)
            reply = await route.handler(call)
        else:
            reply = await self._core.database.run(_transact, route, call)
        assert isinstance(reply, Reply)  # noqa: S101 - a handler's contract
        return reply

    async def _stream(self, route: Route, call: Call, request: Request) -> Response:
        if route.needs is not Access.PUBLIC:
            await self._core.database.run(_admit, route, call)
        response = await route.handler(call, request)
        assert isinstance(response, Response)  # noqa: S101 - a handler's contract
        return response

    async def _blame_its_end(self, call: Call, error: Exception) -> None:
        """An app, or an add-on, may be destroyed while a request about it is under way, between two transactions.

        Raises `NotFound` if that is what went wrong.
        """
        if call.known_app is not None:
            await self._core.database.run(apps.find, call.app.id)
        if isinstance(error, NoResultFound):
            raise NotFound("", "What this is about was removed meanwhile.") from error


def _transact(session: Session, route: Route, call: Call) -> object:
    _admit(session, route, call)
    return route.handler(call, session)


def _admit(session: Session, route: Route, call: Call) -> None:
    """Who asks, for which app, and whether they may. Raises `Unauthorized`, `NotFound`, `Forbidden`."""
    if route.needs is Access.PUBLIC:
        return
    call.known_actor = accounts.authenticate(session, call.secret)
    if "app" in call.params:
        call.known_app = apps.find(session, call.params["app"])
        accounts.require(call.actor, Action.VIEW, call.app)  # what is not theirs is not found, whatever they want
    if isinstance(route.needs, Action):
        accounts.require(call.actor, route.needs, call.known_app)


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise TooLarge(f"The request body is larger than {MAX_BODY_BYTES // 1024} KB.")
        chunks.append(chunk)
    return b"".join(chunks)


def _raw_path(scope: Scope) -> str:
    raw: bytes | None = scope.get("raw_path")
    return raw.decode("latin-1").partition("?")[0] if raw else quote(scope["path"])


def _request_id(request: Request) -> str:
    """The newest of the ids that the CLI sends (all of a command's, comma-joined), or one of our own."""
    newest = request.headers.get("request-id", "").partition(",")[0].strip()
    return newest if _REQUEST_ID.fullmatch(newest) else str(uuid.uuid4())


def _failure(error: errors.WireError) -> Response:
    return Response(json.dumps(error.body()).encode(), error.status, error.headers, media_type="application/json")


def _finishing(send: Send, request_id: str, *, head: bool) -> Send:
    """What every answer has; and for HEAD, only headers."""

    async def finish(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message["headers"])
            headers["Request-Id"] = request_id
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Vary", "Accept, Authorization")
            message["headers"] = headers.raw
        elif head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return finish
