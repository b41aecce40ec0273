"""What has to be told to a running HAProxy so that it does what it should: truths in, commands out. Pure.

The order matters: nothing is routed to what is not there yet, and nothing is taken away that is still routed to.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum

from homeport.router import paths
from homeport.router.configuration import (
    Configuration,
    add_server_command,
    server_name,
)
from homeport.router.control import RunningServer
from homeport.router.route_table import Server


class Reload(Enum):
    """Whether the run-time API suffices."""

    NO = "no"
    SOON = "soon"
    """Something is missing that nobody needs yet: a backend without servers. Several such are made by one reload."""
    NOW = "now"
    """Something differs that only a reload changes."""


@dataclass(frozen=True)
class Command:
    """One line for the run-time API, and how a good answer begins ("" for none at all)."""

    text: str
    expect: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class Snapshot:
    """What a running HAProxy has."""

    digest: str
    servers: Mapping[str, Collection[RunningServer]]
    hosts: Mapping[str, str]
    certificates: Collection[str]


@dataclass(frozen=True)
class Plan:
    """`certificates` to load first, `commands` in order, then the `leaving` servers (backend, name) may be deleted
    once their last request has ended, and `stale_certificates` be forgotten."""

    reload: Reload = Reload.NO
    certificates: tuple[str, ...] = ()
    commands: tuple[Command, ...] = ()
    leaving: tuple[tuple[str, str], ...] = ()
    stale_certificates: tuple[str, ...] = ()


@dataclass
class _Draft:
    arriving: list[Command] = field(default_factory=list)
    departing: list[Command] = field(default_factory=list)
    leaving: list[tuple[str, str]] = field(default_factory=list)


def plan(wanted: Configuration, certificates: Collection[str], running: Snapshot) -> Plan:
    """How to get from what runs to what is wanted."""
    if running.digest != wanted.digest:
        return Plan(Reload.NOW)
    missing = [name for name in wanted.backends if name not in running.servers]
    if any(wanted.backends[name] for name in missing):
        return Plan(Reload.NOW)
    draft = _Draft()
    for backend, servers in running.servers.items():
        if not _servers(draft, backend, wanted.backends.get(backend, ()), servers):
            return Plan(Reload.NOW)
    return Plan(
        reload=Reload.SOON if missing else Reload.NO,
        certificates=tuple(sorted(set(certificates) - set(running.certificates))),
        commands=(*draft.arriving, *_hosts(wanted.hosts, running.hosts), *draft.departing),
        leaving=tuple(draft.leaving),
        stale_certificates=tuple(sorted(set(running.certificates) - set(certificates))),
    )


def load_certificate(path: str, pem: str) -> tuple[Command, ...]:
    """The commands that make HAProxy serve a certificate that it has not seen before."""
    return (
        Command(f"new ssl cert {path}", ("New empty certificate store",)),
        Command(f"set ssl cert {path} <<\n{pem.strip()}\n", ("Transaction created",)),
        Command(f"commit ssl cert {path}", ("Committing",)),
        Command(f"add ssl crt-list {paths.CERTIFICATE_LIST} {path}", ("Inserting certificate",)),
    )


def replace_certificate(path: str, pem: str) -> tuple[Command, ...]:
    """The commands that give a certificate in use new contents."""
    return (
        Command(f"set ssl cert {path} <<\n{pem.strip()}\n", ("Transaction created",)),
        Command(f"commit ssl cert {path}", ("Committing",)),
    )


def unload_certificate(path: str) -> tuple[Command, ...]:
    return (
        Command(f"del ssl crt-list {paths.CERTIFICATE_LIST} {path}", ("Entry",)),
        Command(f"del ssl cert {path}", ("Certificate",)),
    )


def delete_server(backend: str, name: str) -> Command:
    """Succeeds once the server has no connection left."""
    return Command(f"del server {backend}/{name}", ("Server deleted", "No such server"))


def _servers(draft: _Draft, backend: str, wanted: Collection[Server], running: Collection[RunningServer]) -> bool:
    """Add what has to change in one backend; False when it cannot be changed at run time."""
    there = {server.name: server for server in running}
    for server in wanted:
        name = server_name(server)
        known = there.pop(name, None)
        enable = Command(f"enable server {backend}/{name}")
        if known is None:
            draft.arriving += [Command(add_server_command(backend, server), ("New server registered",)), enable]
        elif (known.host, known.port) != (server.host, server.port):
            return False
        elif not known.taking:
            draft.arriving.append(enable)
    for server_gone in there.values():
        if server_gone.taking:
            draft.departing.append(Command(f"disable server {backend}/{server_gone.name}"))
        draft.leaving.append((backend, server_gone.name))
    return True


def _hosts(wanted: Mapping[str, str], running: Mapping[str, str]) -> list[Command]:
    commands = []
    for host, route in wanted.items():
        if host not in running:
            commands.append(Command(f"add map {paths.HOSTS_MAP} {host} {route}"))
        elif running[host] != route:
            commands.append(Command(f"set map {paths.HOSTS_MAP} {host} {route}"))
    commands += [Command(f"del map {paths.HOSTS_MAP} {host}") for host in running if host not in wanted]
    return commands
