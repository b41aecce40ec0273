"""Is it ready for requests? Asked often, quickly, and without a trace in the app's log.

First somebody must listen on the port, which the kernel tells without the app noticing. But a server with several
processes listens before any of them can answer (gunicorn does before it imports the app), and one whose app cannot be
imported dies only then. So next somebody knocks: opens a connection and ends it without a request. Once a process of
the server takes it, requests will be taken too. Tried with gunicorn and its worker classes, uvicorn, hypercorn,
granian, daphne, waitress, Flask's, Django's, aiohttp, tornado, gevent and cheroot: none logs it.

A configured health path is asked for instead.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from homeport.dynos import sockets
from homeport.dynos.situation import Gate
from homeport.engine import Address

_ONE_ANSWER = 10.0  # seconds that one request to the health path may take
_BLIND = 10.0  # seconds that a knock may take where the kernel does not tell whether it was heard
_TORN_DOWN = 3  # knocks that may end so before that is taken for the server's manner
_AFTER_TORN_DOWN = 0.2  # seconds
_LOOK_AT_KNOCK = 0.1  # seconds; most servers close the connection at once, which needs no looking


@dataclass(frozen=True)
class Health:
    """Where to ask, and as which host: the app sees what a router would send."""

    path: str
    hostname: str

    @classmethod
    def of(cls, path: str, hostname: str) -> Health:
        """From a config var, which may hold anything."""
        return cls("/" + quote(path.strip().lstrip("/"), safe="/?&=%:@!$'()*+,;~"), hostname)


@dataclass(frozen=True)
class Verdict:
    """`detail` says what was seen last, for people; of one that is ready, what is wrong with it all the same."""

    gate: Gate
    detail: str = ""


UNHEARD = "listens, but took no connection in time: visitors may get no answer"

UntilReady = Callable[[Address, float, Health | None], Awaitable[Verdict]]


async def until_ready(address: Address, within: float, health: Health | None) -> Verdict:
    """Wait for up to `within` seconds (at least one look) for a dyno to take requests."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    deadline = started + within
    torn_down = 0
    while True:
        while not await _listens(address):
            if loop.time() >= deadline:
                return Verdict(Gate.UNBOUND)
            await asyncio.sleep(_pace(loop.time() - started))
        if health is not None:
            return await _until_healthy(address, health, deadline)
        try:
            async with asyncio.timeout(max(deadline - loop.time(), _LOOK_AT_KNOCK)):
                await _knock(address)
            return Verdict(Gate.READY)
        except TimeoutError:  # then it is as on Heroku, where a bound port is enough
            return Verdict(Gate.READY, UNHEARD)
        except OSError:
            # Nobody took it, and now nobody listens: the server is going down, or begins anew. A server that goes on
            # listening treats everybody so.
            torn_down += 1
            if torn_down >= _TORN_DOWN:
                return Verdict(Gate.READY)
            await asyncio.sleep(_AFTER_TORN_DOWN)


def _pace(elapsed: float) -> float:
    """Most apps are up within seconds, and somebody waits: look often at first."""
    if elapsed < 5:
        return 0.01
    return 0.025 if elapsed < 15 else 0.1


async def _listens(address: Address) -> bool:
    if sockets.visible(address):
        return sockets.listens(address)
    try:
        async with asyncio.timeout(1.0):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError):
        return False
    await _close(writer)
    return True


async def _knock(address: Address) -> None:
    """Returns once somebody has opened. Raises `OSError` if nobody ever will: the listening socket was closed."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        port = writer.get_extra_info("sockname")[1]
        writer.write_eof()
        closed = asyncio.ensure_future(reader.read())
        try:
            while not (await asyncio.wait((closed,), timeout=_wait_for_knock(address)))[0]:
                if not sockets.visible(address) or sockets.accepted(address, port):
                    return
            closed.result()
        finally:
            closed.cancel()
            await asyncio.gather(closed, return_exceptions=True)
    finally:
        await _close(writer)


def _wait_for_knock(address: Address) -> float:
    return _LOOK_AT_KNOCK if sockets.visible(address) else _BLIND


async def _until_healthy(address: Address, health: Health, deadline: float) -> Verdict:
    loop = asyncio.get_running_loop()
    started = loop.time()
    while True:
        patience = max(min(_ONE_ANSWER, deadline - loop.time()), 0.1)
        try:
            async with asyncio.timeout(patience):
                status = await _status(address, health)
            if 200 <= status < 400:
                return Verdict(Gate.READY)
            detail = f"status {status}"
        except TimeoutError:
            detail = f"nothing within {patience:.0f} seconds"
        except (OSError, ValueError) as error:
            detail = f"no HTTP ({error or type(error).__name__})"
        if loop.time() >= deadline:
            return Verdict(Gate.UNHEALTHY, f"{detail} for {health.path}")
        await asyncio.sleep(min(5 * _pace(loop.time() - started), max(deadline - loop.time(), 0.01)))


async def _status(address: Address, health: Health) -> int:
    """The status of a GET, as a request over HTTPS through the router would look to the app."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(
            (
                f"GET {health.path} HTTP/1.1\r\nHost: {health.hostname}\r\nX-Forwarded-Proto: https\r\n"
                "User-Agent: homeport-health\r\nAccept: */*\r\nConnection: close\r\n\r\n"
            ).encode("latin-1")
        )
        await writer.drain()
        line = (await reader.readline()).decode("latin-1").split(None, 2)
        if len(line) < 2 or not line[0].startswith("HTTP/") or not line[1].isdigit():
            raise ValueError("not an HTTP answer")
        return int(line[1])
    finally:
        await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
