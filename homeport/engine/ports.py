"""Ports for dynos: each belongs to one live dyno, whichever engine on this machine started it."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from homeport.errors import HomeportError


@dataclass(frozen=True)
class Claim:
    """A port that is ours for as long as some process holds `holder` open."""

    port: int
    holder: socket.socket

    def close(self) -> None:
        """Let go of our end; the dyno's shim keeps its own."""
        self.holder.close()


class Ports:
    """Gives out the ports of a range in turn, so that one that was just freed rests a while.

    A claim is an abstract unix socket named after the port: like ports themselves these names belong to the network
    namespace, only one process can bind one, and the kernel frees it with its last holder, however that ends. So a
    dyno keeps its port from the moment it is chosen, long before the app binds it, and over restarts of the engine.
    """

    def __init__(self, ports: range) -> None:
        self._ports = ports
        self._next = random.randrange(len(ports)) if ports else 0  # noqa: S311 - only spreads engines apart

    def claim(self) -> Claim:
        """A port that nobody claims and nobody listens on. Raises `HomeportError` (`engine_start_failed`)."""
        for port in self._in_turn():
            holder = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                holder.bind(f"\0homeport/port/{port}")
            except OSError:
                holder.close()
                continue
            if _bindable(port):
                return Claim(port, holder)
            holder.close()
        raise HomeportError(
            "engine_start_failed",
            f"No port between {self._ports.start} and {self._ports.stop - 1} is free for another web dyno.",
            why="Every web dyno needs a port of its own on this machine, and all of them are taken.",
            fix="Scale some process types down, or stop the other programs that listen on these ports.",
        )

    def _in_turn(self) -> Iterator[int]:
        for _ in range(len(self._ports)):
            yield self._ports[self._next]
            self._next = (self._next + 1) % len(self._ports)


def _bindable(port: int) -> bool:
    """Whether a web server could listen on any address: apps bind 0.0.0.0, where one listener on 127.0.0.1 is in
    the way."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, or TIME_WAIT would count
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - never listened on
        except OSError:
            return False
    return True
