"""Finding the route of a request.

Paths are matched as they were sent, percent-encoded, and parameters are decoded afterwards: a name may contain a slash
(`/buildpacks/heroku%2Fpython`, `/log-drains/syslog%3A%2F%2Fhost`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any
from urllib.parse import unquote

from homeport.accounts import Action


class Access(Enum):
    """What a route asks for beyond an `Action`."""

    PUBLIC = "public"  # nobody is asked who they are: the URL itself is the secret
    ANYONE = "anyone"  # any valid token, whatever its scope


Needs = Action | Access
Handler = Callable[..., Any]
"""`def handler(call, session) -> Reply`, run in a transaction; `async def handler(call) -> Reply`; or, where the route
streams, `async def handler(call, request) -> Response`, with the request's body still to be read."""


@dataclass(frozen=True)
class Route:
    """One line of the API. `command` is what of the official CLI (or which client) asks it."""

    method: str
    path: str
    handler: Handler
    needs: Needs
    command: str
    streams: bool = False


def route(
    asked: str, handler: Handler, needs: Needs, command: str, *, prefix: str = "", streams: bool = False
) -> Route:
    """A route from a line of a table, where `asked` is "METHOD /path"."""
    method, path = asked.split()
    return Route(method, prefix + path, handler, needs, command, streams)


@dataclass(frozen=True)
class Match:
    route: Route
    params: dict[str, str]


@dataclass
class _Node:
    literal: dict[str, _Node] = field(default_factory=dict)
    param: _Node | None = None
    routes: dict[str, Route] = field(default_factory=dict)


class Table:
    """All routes, as a tree over the parts of their paths; a literal part goes before a parameter."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        self._root = _Node()
        for route in routes:
            node = self._root
            for part in _parts(route.path):
                if part.startswith("{"):
                    node.param = node.param or _Node()
                    node = node.param
                else:
                    node = node.literal.setdefault(part, _Node())
            if route.method in node.routes:
                raise AssertionError(f"{route.method} {route.path} is there twice")
            node.routes[route.method] = route

    def find(self, method: str, raw_path: str) -> Match | list[str]:
        """The match; or else the methods that this path has, none if there is no such path. HEAD is GET."""
        parts = _parts(raw_path)
        try:
            decoded = [unquote(part, errors="strict") for part in parts]
        except UnicodeDecodeError:
            return []
        if any(ord(c) < 32 for part in decoded for c in part) or "" in parts:
            return []
        method = "GET" if method == "HEAD" else method
        allowed: set[str] = set()
        for node in _walk(self._root, decoded):
            if route := node.routes.get(method):
                names = _parts(route.path)
                params = {n[1:-1]: v for n, v in zip(names, decoded, strict=True) if n.startswith("{")}
                return Match(route, params)
            allowed.update(node.routes)
        return sorted(allowed)


def _walk(node: _Node, parts: Sequence[str]) -> list[_Node]:
    """Every node that the path leads to, the most literal first."""
    nodes = [node]
    for part in parts:
        further = []
        for node in nodes:
            if part in node.literal:
                further.append(node.literal[part])
            if node.param is not None:
                further.append(node.param)
        nodes = further
    return nodes


def _parts(path: str) -> list[str]:
    return path.removesuffix("/").split("/")[1:]
