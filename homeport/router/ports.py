"""Ports and addresses to listen on: picked, checked, and blamed on whoever holds them."""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence
from pathlib import Path

from homeport.errors import HomeportError

_FLAGS = {"--port": "HTTPS", "--http-port": "HTTP"}


def addresses(domain: str, bind: str | Sequence[str] | None = None) -> tuple[str, ...]:
    """Where to listen: loopback alone for localhost, everywhere for a real domain, or as `bind` says."""
    if bind:
        return (bind,) if isinstance(bind, str) else tuple(bind)
    wanted = ("127.0.0.1", "::1") if domain == "localhost" else ("0.0.0.0", "::")  # noqa: S104 - a server serves
    return tuple(address for address in wanted if ":" not in address or _has(address)) or wanted[:1]


def pick(hosts: Sequence[str], *, taken: Sequence[int] = ()) -> int:
    """A port that is free on all of these addresses."""
    for _ in range(50):
        with _bound(hosts[0], 0) as first:
            port: int = first.getsockname()[1]
        if port not in taken and is_free(hosts, port):
            return port
    raise HomeportError("port_taken", "No free port was found.", fix="Name one with --port and --http-port.")


def is_free(hosts: Sequence[str], port: int) -> bool:
    """Whether one could listen on this port of all these addresses now."""
    return all(_problem(host, port) is None for host in hosts)


def ensure_free(hosts: Sequence[str], port: int, *, flag: str) -> None:
    """Raises `HomeportError`: `port_taken` (with who holds it, if that can be known) or `port_forbidden`."""
    for host in hosts:
        problem = _problem(host, port)
        if problem is None:
            continue
        if problem.errno in (errno.EACCES, errno.EPERM):
            raise HomeportError(
                "port_forbidden",
                f"This user may not listen on port {port}.",
                why="Ports below 1024 are reserved for the administrator by default.",
                fix=f"Use another port with {flag}, or allow it: "
                f"sudo sysctl net.ipv4.ip_unprivileged_port_start={port}",
            )
        holder = _holder(port)
        raise HomeportError(
            "port_taken",
            f"Port {port} is taken" + (f" by {holder}." if holder else f" ({host}: {problem.strerror})."),
            why=f"It is the {_FLAGS.get(flag, '')} port that apps are reached at.",
            fix=f"Stop what uses it, or use another port with {flag} (0 picks a free one).",
        )


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.listen(1)
    except OSError:
        sock.close()
        raise
    return sock


def _problem(host: str, port: int) -> OSError | None:
    try:
        _bound(host, port).close()
    except OSError as error:
        return error
    return None


def _has(address: str) -> bool:
    return _problem(address, 0) is None


def _holder(port: int) -> str:
    """Who listens on a port (`nginx (process 123)`), as far as /proc tells this user; else ""."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = [line.split() for line in Path(table).read_text().splitlines()[1:]]
        except OSError:
            continue
        inodes |= {row[9] for row in rows if row[3] == "0A" and int(row[1].rpartition(":")[2], 16) == port}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(str(link.readlink()) in wanted for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} (process {process.name})"
        except OSError:
            continue
    return ""
