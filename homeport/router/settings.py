"""What the proxy is told once: ports, names, time limits."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Timeouts:
    """Seconds. The defaults are Heroku's (Dev Center, "HTTP Routing" and "Request Timeout").

    For apps: `connect`; `first_byte` of an answer; `idle` between any two bytes after that; `boot`, how long a request
    waits for an app that is starting. For all: `headers` of a request; `keep_alive` between requests; `upload`,
    how long a client may pause within a request, as git does while it compresses. `platform`: how long the API
    and attached dynos may be quiet.
    """

    connect: float = 5.0
    first_byte: float = 30.0
    idle: float = 55.0
    boot: float = 75.0
    headers: float = 30.0
    keep_alive: float = 60.0
    upload: float = 600.0
    platform: float = 3600.0


@dataclass(frozen=True)
class Settings:
    """What a reload is needed for to change.

    `addresses` are what to listen on. `api_socket` and `rendezvous_socket` are paths, relative ones to
    `$HOMEPORT_HOME`. `version` is HAProxy's; `lua` whether it has Lua, which the lobby is written in.
    """

    domain: str
    https_port: int
    http_port: int
    addresses: tuple[str, ...]
    api_socket: str
    rendezvous_socket: str
    timeouts: Timeouts = field(default_factory=Timeouts)
    threads: int = 2
    connections: int = 4000
    version: tuple[int, int] = (2, 6)
    lua: bool = True


def milliseconds(seconds: float) -> str:
    """A time as HAProxy reads it."""
    return f"{round(seconds * 1000)}ms"
