"""Is it ready for requests? Asked often, quickly, and without a trace in the app's log.

A listening socket shows in /proc/net/tcp, so looking for it costs the app nothing. But servers with several processes
listen before any of them can answer, and one whose app cannot be imported dies only then. So once the port is bound
somebody knocks: a connection that ends at once, without a request. A server that works closes its side of it, and
none of those tried logs it (gunicorn, uvicorn, waitress, werkzeug, Django's, aiohttp, tornado and the standard
library's). A configured health path is asked for instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from homeport.dynos.situation import Gate
from homeport.engine import Address

PATIENCE = 10.0
"""Seconds for which a bound port that does not react to a knock keeps its dyno waiting: bound is Heroku's rule."""

_LISTEN = "0A"
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_ONE_ANSWER = 10.0  # seconds that one request to the health path may take


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
    """`detail` says what was seen last, for people."""

    gate: Gate
    detail: str = ""


UntilReady = Callable[[Address, float, Health | None], Awaitable[Verdict]]


async def until_ready(address: Address, within: float, health: Health | None) -> Verdict:
    """Wait for up to `within` seconds (at least one look) for a dyno to take requests."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    deadline = started + within
    while not await listens(address):
        if loop.time() >= deadline:
            return Verdict(Gate.UNBOUND)
        await asyncio.sleep(_pace(loop.time() - started))
    if health is None:
        with contextlib.suppress(TimeoutError, OSError):
            await asyncio.wait_for(_knock(address), min(PATIENCE, max(deadline - loop.time(), 0.0)))
        return Verdict(Gate.READY)
    return await _until_healthy(address, health, deadline)


def _pace(elapsed: float) -> float:
    """Most apps are up within seconds, and somebody waits: look often at first."""
    if elapsed < 5:
        return 0.01
    return 0.025 if elapsed < 15 else 0.1


async def listens(address: Address) -> bool:
    """Whether somebody accepts connections there."""
    host = ipaddress.ip_address(address.host)
    if host.is_loopback and _TABLES[0].exists():
        return any(_in_table(table, host, address.port) for table in _TABLES)
    return await _connects(address)


def _in_table(table: Path, host: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> bool:
    """The kernel lists listening sockets first, so a busy machine's thousands of others are never read."""
    wanted = {_hex(host), "0" * 8, "0" * 32}
    if host.version == 4:
        wanted.add(_hex(ipaddress.ip_address(f"::ffff:{host}")))
    suffix = f":{port:04X}"
    try:
        with table.open() as lines:
            next(lines, None)
            for line in lines:
                fields = line.split(None, 4)
                if fields[3] != _LISTEN:
                    return False
                if fields[1].endswith(suffix) and fields[1].partition(":")[0] in wanted:
                    return True
    except OSError:  # no IPv6 on this machine
        return False
    return False


def _hex(host: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """As the kernel prints it: 32-bit words in the machine's byte order."""
    words = [host.packed[i : i + 4] for i in range(0, len(host.packed), 4)]
    if sys.byteorder == "little":
        words = [word[::-1] for word in words]
    return b"".join(words).hex().upper()


async def _connects(address: Address) -> bool:
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(address.host, address.port), 1.0)
    except (OSError, TimeoutError):
        return False
    await _close(writer)
    return True


async def _knock(address: Address) -> None:
    """Returns once the server has closed a connection on which nothing was asked."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write_eof()
        while await reader.read(4096):
            pass
    finally:
        await _close(writer)


async def _until_healthy(address: Address, health: Health, deadline: float) -> Verdict:
    loop = asyncio.get_running_loop()
    started = loop.time()
    detail = "nothing"
    while True:
        patience = max(min(_ONE_ANSWER, deadline - loop.time()), 0.1)
        try:
            status = await asyncio.wait_for(_status(address, health), patience)
            if 200 <= status < 400:
                return Verdict(Gate.READY)
            detail = f"status {status}"
        except TimeoutError:
            detail = f"nothing within {patience:.0f} seconds"
        except (OSError, ValueError, EOFError) as error:
            detail = f"no HTTP ({error or type(error).__name__})"
        if loop.time() >= deadline:
            return Verdict(Gate.UNHEALTHY, detail)
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
        line = (await reader.readuntil(b"\n")).decode("latin-1").split(None, 2)
        if len(line) < 2 or not line[0].startswith("HTTP/") or not line[1].isdigit():
            raise ValueError("not an HTTP answer")
        return int(line[1])
    finally:
        await _close(writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


def connections(address: Address) -> int:
    """How many connections clients hold to there, as far as the kernel tells."""
    suffix, established = f":{address.port:04X}", "01"
    count = 0
    for table in _TABLES:
        try:
            text = table.read_text()
        except OSError:
            continue
        for line in text.splitlines()[1:]:
            fields = line.split(None, 4)
            count += fields[3] == established and fields[1].endswith(suffix)
    return count
