"""What a server is told: pure texts.

A server calls its folder `servers.HANDED_DOWN`, whoever it runs as: paths of unix sockets must be short, and those of
folders may be long.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from homeport.addons.redis.tuning import Tuning
from homeport.addons.servers import HANDED_DOWN

ADMIN = "homeport"
CERTIFICATE = f"{HANDED_DOWN}/server.pem"
SPARE_CLIENTS = 3
"""Connections beyond the plan's, so that we come in when the app has taken all of its own."""
FORBIDDEN = """
    acl bgrewriteaof bgsave cluster config debug failover migrate module psync replconf replicaof save shutdown slaveof
    sync
""".split()
"""What an app can't do to its server, as on Heroku: it would undo its limits, stop it, or reach for other hosts."""


class Sync(Enum):
    """When what was written is on the disk. A server that is killed loses nothing by either; see docs/decisions/0112.

    `everysec` is no choice: while its fsync takes long, writes are acknowledged that the kernel has not been given.
    """

    BEFORE_REPLY = "always"
    """Nothing that was acknowledged is lost when the power fails."""
    WHEN_THE_SYSTEM_LIKES = "no"
    """When the power fails, the last half minute may be lost."""


@dataclass(frozen=True)
class Listening:
    """Where a server can be reached; another one means a restart. Without `plain` it takes connections by TLS only."""

    addresses: tuple[str, ...]
    tls: int
    plain: int | None = None

    def settings(self) -> dict[str, str]:
        addresses = ["* -::*" if address == "*" else address for address in self.addresses]
        if "*" not in self.addresses and "127.0.0.1" not in self.addresses:
            addresses.insert(0, "127.0.0.1")
        return {"bind": " ".join(addresses), "port": str(self.plain or 0), "tls-port": str(self.tls)}


@dataclass(frozen=True)
class Limits:
    """What the plan gives: bytes of memory and connections."""

    memory: int
    connections: int
    sync: Sync

    def settings(self) -> dict[str, str]:
        return {
            "maxmemory": str(self.memory),
            "maxclients": str(self.connections + SPARE_CLIENTS),
            "appendfsync": self.sync.value,
        }


def tuned(tuning: Tuning) -> dict[str, str]:
    return {
        "maxmemory-policy": tuning.policy,
        "timeout": str(tuning.timeout),
        "notify-keyspace-events": tuning.events,
    }


@dataclass(frozen=True)
class Access:
    """What the passwords of the app and of Homeport come to; they themselves are not in the file."""

    app: str
    admin: str

    def lines(self) -> list[str]:
        return [f"user default {' '.join(rules(self.app))}", f"user {ADMIN} on #{self.admin} ~* &* +@all"]


def fingerprint(password: str) -> str:
    """As redis.io/commands/acl-setuser has it: `#` and the SHA-256, which says nothing about a long random password."""
    return hashlib.sha256(password.encode()).hexdigest()


def rules(app: str) -> list[str]:
    """What the app may do, by its password's fingerprint."""
    return ["on", f"#{app}", "~*", "&*", "+@all", *(f"-{name}" for name in FORBIDDEN)]


def redis_conf(listening: Listening, limits: Limits, tuning: Tuning, access: Access) -> str:
    """The whole configuration file of an add-on's server."""
    return _text(
        {
            **_FIXED,
            **listening.settings(),
            "tls-cert-file": CERTIFICATE,
            "tls-key-file": CERTIFICATE,
            "tls-auth-clients": "no",
            "tls-protocols": '"TLSv1.2 TLSv1.3"',
            "tcp-keepalive": "60",
            "appendonly": "yes",
            "auto-aof-rewrite-min-size": "16mb",
            **limits.settings(),
            **tuned(tuning),
        },
        access.lines(),
    )


def scratch_conf(admin: str) -> str:
    """For a server that only reads a dump: nobody but us reaches it."""
    return _text(
        {**_FIXED, "port": "0", "appendonly": "no"}, ["user default off", f"user {ADMIN} on #{admin} ~* &* +@all"]
    )


_FIXED = {
    "daemonize": "no",
    "logfile": "",
    "dir": f"{HANDED_DOWN}/data",
    "unixsocket": f"{HANDED_DOWN}/data/redis.sock",
    "unixsocketperm": "700",
    "save": "",
    "dbfilename": "dump.rdb",
    "always-show-logo": "no",
}
_NOTHING = '""'


def _text(settings: Mapping[str, str], lines: list[str]) -> str:
    shown = [f"{name} {value or _NOTHING}" for name, value in settings.items()]
    return "\n".join(["# Written by Homeport at each start.", *shown, *lines, ""])
