"""git over HTTP: https://git-scm.com/docs/http-protocol, by `git http-backend` behind ASGI.

Request bodies are spooled to disk before git is started: it answers before it has read everything, and proxies give up
on a push of which they cannot deliver the rest. What a refused push would say is said in git's own protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import IO

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from homeport.errors import HomeportError, NotFound, Unauthorized
from homeport.git.channel import Channel
from homeport.git.commands import Head, message, packet, read_head
from homeport.git.receive import Push, Receiver
from homeport.git.repositories import Objects, Repositories, environment
from homeport.git.spools import Spool, Spools
from homeport.git.turns import WAITING, Turns, catch_up

PATH = re.compile(r"/(?P<app>[^/]+?)(?:\.git)?/(?P<service>info/refs|git-upload-pack|git-receive-pack)")
"""What this application answers. Only the smart protocol: nothing is served as a plain file."""

MAX_PUSH_BYTES = 1024**3
"""Heroku refuses repositories over 1 GB ("Limits": https://devcenter.heroku.com/articles/limits#git-repository-size)."""

MAX_FETCH_BYTES = 16 * 1024**2
"""Of what a client has and wants, in a clone or fetch: a hundred thousand branches would take a third of it."""
PUSHES_AT_ONCE = 2
"""How many pushes of the largest size one person may have on this machine's disk; of usual ones, any number."""

RESULT = "application/x-git-receive-pack-result"
_NO_CACHE = {"Cache-Control": "no-cache"}
_CHUNK = 64 * 1024


class _Taken(Enum):
    """What became of a request's body. All of it was read in any case."""

    WHOLE = "whole"
    TOO_LARGE = "too large"
    CROWDED = "crowded"  # the person has too many others under way


@dataclass(frozen=True)
class Caller:
    """Who may use which repository."""

    app_id: str
    user_id: str


Authorize = Callable[[str, str, bool], Awaitable[Caller]]
"""(app name, Authorization header, whether it writes) -> caller. Raises Unauthorized, NotFound, Forbidden."""


class GitApplication:
    """The ASGI application for everything that `PATH` matches."""

    def __init__(
        self,
        repositories: Repositories,
        receiver: Receiver,
        authorize: Authorize,
        spool: Path,
        max_push_bytes: int = MAX_PUSH_BYTES,
        turns: Turns | None = None,
    ) -> None:
        self._repositories = repositories
        self._receiver = receiver
        self._authorize = authorize
        self._spools = Spools(spool, PUSHES_AT_ONCE * max_push_bytes)
        self._max_push_bytes = max_push_bytes
        self._turns = turns or Turns()

    @staticmethod
    def answers(path: str) -> bool:
        return PATH.fullmatch(path) is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._respond(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        match = PATH.fullmatch(request.url.path)
        if match is None:
            return PlainTextResponse("Not found.\n", 404)
        service = request.query_params.get("service", "") if match["service"] == "info/refs" else match["service"]
        if service not in ("git-upload-pack", "git-receive-pack"):
            return PlainTextResponse("Only git's smart HTTP protocol is spoken here.\n", 403)
        writes = service == "git-receive-pack"
        try:
            caller = await self._authorize(match["app"], request.headers.get("authorization", ""), writes)
        except Unauthorized:
            return PlainTextResponse(
                "Not logged in. Use your API token as the password.\n",
                401,
                {"WWW-Authenticate": 'Basic realm="Homeport"'},
            )
        except NotFound as error:
            # git shows no body but this header's line for text/plain
            return PlainTextResponse(f"{error.message}\n", 404)
        except HomeportError as error:
            return PlainTextResponse(f"{error.message}\n", 403)
        objects = await self._repositories.open(caller.app_id)
        body = self._spools.open(caller.user_id)
        try:
            taken = await _take_body(request, body, self._max_push_bytes if writes else MAX_FETCH_BYTES)
            if taken is not _Taken.WHOLE:
                body.close()
                return self._refused(taken, writes)
        except BaseException:
            body.close()
            raise
        if request.method == "POST" and writes:
            return await self._receive(request, Push(caller.app_id, caller.user_id, objects=objects), body)
        stack = contextlib.AsyncExitStack()
        stack.callback(body.close)
        return await _backend(request, match["service"], objects, body, {}, stack)

    def _refused(self, taken: _Taken, writes: bool) -> Response:
        limit = self._max_push_bytes // 1024**2
        too_large = (
            f" !     This push is larger than the {limit} MB that an app's repository may have.\n"
            " !     Take large files out of the commit (`git rm --cached FILE`)\n"
            " !     and out of older ones (`git filter-repo`), and keep them in a bucket.\n"
            " !     Error ID: push_too_large"
        )
        crowded = (
            f" !     Your pushes that are under way have more than {PUSHES_AT_ONCE * limit} MB together.\n"
            " !     Wait until one of them is done, then push again.\n"
            " !     Error ID: too_many_pushes"
        )
        if not writes:
            return PlainTextResponse("Too large.\n", 413)
        lines, word = (too_large, "push_too_large") if taken is _Taken.TOO_LARGE else (crowded, "too_many_pushes")
        # Side-band 3 ends the push.
        content = message(lines) + packet(b"\x03" + word.encode() + b"\n") + b"0000"
        return Response(content, media_type=RESULT, headers=_NO_CACHE)

    async def _receive(self, request: Request, push: Push, body: IO[bytes]) -> Response:
        """Take a push when it is its turn: one at a time per app, the others wait and are told so."""
        head = await asyncio.to_thread(read_head, body)
        # Before a large pack git asks whether it may send anything, by a request without commands: that needs no turn.
        turn = self._turns.of(push.app_id) if head.commands else asyncio.Lock()
        if not turn.locked() or not head.shows_messages:
            return await self._receive_in_turn(request, push, head, body, turn)
        output = Channel()
        output.put_soon(message(WAITING))
        output.keep(self._receive_later(request, push, head, body, turn, output))
        return StreamingResponse(output.chunks(), media_type=RESULT, headers=_NO_CACHE)

    async def _receive_later(
        self, request: Request, push: Push, head: Head, body: IO[bytes], turn: asyncio.Lock, output: Channel
    ) -> None:
        response = await self._receive_in_turn(request, push, head, body, turn)
        if isinstance(response, StreamingResponse):
            async for chunk in response.body_iterator:
                await output.put(bytes(chunk) if not isinstance(chunk, str) else chunk.encode())

    async def _receive_in_turn(
        self, request: Request, push: Push, head: Head, body: IO[bytes], turn: asyncio.Lock
    ) -> Response:
        stack = contextlib.AsyncExitStack()
        stack.callback(body.close)
        await stack.enter_async_context(turn)
        try:
            push = replace(push, moved=await catch_up(push.objects, head, body))
            extra = stack.enter_context(self._receiver.announced(push))
        except BaseException:
            await stack.aclose()
            raise
        return await _backend(request, "git-receive-pack", push.objects, body, extra, stack)


async def _take_body(request: Request, body: Spool, limit: int) -> _Taken:
    """Spool the request's body, to be read from its beginning. What is refused leaves nothing on the disk."""
    size, taken = 0, _Taken.WHOLE
    async for chunk in request.stream():
        size += len(chunk)
        if taken is not _Taken.WHOLE or not chunk:
            continue
        if size > limit or not body.reserve(len(chunk)):
            taken = _Taken.TOO_LARGE if size > limit else _Taken.CROWDED
            await asyncio.to_thread(body.empty)
        elif len(chunk) > _CHUNK:
            await asyncio.to_thread(body.write, chunk)
        else:
            body.write(chunk)
    body.seek(0)
    return taken


async def _backend(
    request: Request,
    path: str,
    objects: Objects,
    body: IO[bytes],
    extra: Mapping[str, str],
    stack: contextlib.AsyncExitStack,
) -> Response:
    """Run git on a spooled body and stream its answer; `stack` is closed when git has ended."""
    try:
        process = await asyncio.create_subprocess_exec(
            "git", "http-backend",
            env=environment({**extra, **_cgi(request, objects.directory, path, body)}),
            stdin=body, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdout is not None  # noqa: S101 - it is a PIPE
        status, headers = await _cgi_headers(process.stdout)
    except BaseException:
        await stack.aclose()
        raise
    output = Channel()
    output.keep(_pump(process, output, stack))
    return StreamingResponse(output.chunks(), status, headers)


async def _pump(process: asyncio.subprocess.Process, output: Channel, stack: contextlib.AsyncExitStack) -> None:
    assert process.stdout is not None  # noqa: S101 - it is a PIPE
    async with stack:
        while chunk := await process.stdout.read(_CHUNK):
            await output.put(chunk)
        await process.wait()


def _cgi(request: Request, repository: Path, path: str, body: IO[bytes]) -> dict[str, str]:
    """RFC 3875's variables, for the repository by its id: its name was the person's, and is not used."""
    size = body.seek(0, 2)
    body.seek(0)
    variables = {
        "REQUEST_METHOD": request.method,
        "GIT_PROJECT_ROOT": str(repository.parent),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{repository.name}/{path}",
        "QUERY_STRING": request.url.query,
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(size),
        "REMOTE_USER": "homeport",
        "REMOTE_ADDR": "127.0.0.1",
    }
    if encoding := request.headers.get("content-encoding"):
        variables["HTTP_CONTENT_ENCODING"] = encoding
    protocol = request.headers.get("git-protocol", "")
    if re.fullmatch(r"version=[0-2]", protocol):
        variables["GIT_PROTOCOL"] = protocol
    return variables


async def _cgi_headers(stream: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    status, headers = 200, {}
    while line := (await stream.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            status = int(value.split()[0])
        else:
            headers[name] = value.strip()
    return status, headers
