"""The unix sockets that the router passes requests on to, and what answers there."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import uvicorn
from sqlalchemy.orm import Session
from starlette.types import ASGIApp, Receive, Scope, Send

from homeport import accounts, api, apps
from homeport.accounts import Action
from homeport.daemon.sockets import CLOSING_SECONDS, Server, listening
from homeport.git import Caller, GitApplication
from homeport.state import Database

_log = logging.getLogger("homeport")


def not_cut_off(record: logging.LogRecord) -> bool:
    """A logging filter: uvicorn says in a line how many requests it cuts off at the end, and a traceback of each."""
    return record.exc_info is None or not isinstance(record.exc_info[1], asyncio.CancelledError)


class Platform:
    """The ASGI application behind the API's host name: git's paths go to git, everything else to the API."""

    def __init__(self, api_application: ASGIApp, git_application: GitApplication) -> None:
        self._api = api_application
        self._git = git_application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_git = scope["type"] == "http" and GitApplication.answers(scope["path"])
        await (self._git if is_git else self._api)(scope, receive, send)


class Doorkeeper:
    """Who may use which repository: the `authorize` of `git.GitApplication`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, name: str, authorization: str, writes: bool) -> Caller:
        secret = api.presented_secret(authorization)
        return await self._database.run(_caller, name, secret, writes)


def _caller(session: Session, name: str, secret: str, writes: bool) -> Caller:
    actor = accounts.authenticate(session, secret)
    app = apps.find(session, name)
    accounts.require(actor, Action.DEPLOY if writes else Action.REVEAL, app)  # code may hold secrets
    return Caller(app.id, actor.user.id)


@contextlib.asynccontextmanager
async def http(application: ASGIApp, path: Path) -> AsyncIterator[None]:
    """Serve HTTP on this socket inside the block; requests under way get a moment at its end."""
    with listening(path) as listener:
        config = uvicorn.Config(
            application,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=64 * 1024,  # the CLI's Request-Id header grows to several KB
            timeout_graceful_shutdown=CLOSING_SECONDS,
            timeout_keep_alive=120,  # longer than the router keeps an idle connection
        )
        server = Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.005)
        try:
            yield
        finally:
            server.should_exit = True
            await serving


@contextlib.asynccontextmanager
async def streams(
    serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]], path: Path
) -> AsyncIterator[None]:
    """Have `serve` called for every connection to this socket inside the block; those under way are cancelled at its
    end, and may still say what they have to say."""
    serving: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - asyncio starts this as a task
        serving.add(task)
        try:
            await serve(reader, writer)
        except asyncio.CancelledError:
            pass  # by the end of the block; asyncio would write a traceback of it
        finally:
            serving.discard(task)
            writer.close()

    with listening(path) as listener:
        server = await asyncio.start_unix_server(answer, sock=listener)
        try:
            yield
        finally:
            server.close()
            ended = list(serving)
            if ended:
                _log.info("stopping: %d connection%s to %s ended", len(ended), "s" * (len(ended) > 1), path.name)
            for task in ended:
                task.cancel()
            await asyncio.gather(*ended, return_exceptions=True)
