"""The SSH port: opened early, so that one that is taken ends the start; served once all behind it is there."""

from __future__ import annotations

import logging
import socket
from dataclasses import dataclass

import asyncssh
from sqlalchemy.orm import Session

from homeport import accounts, apps, git, router
from homeport.accounts import Action
from homeport.daemon import ports
from homeport.daemon.parts import Settings
from homeport.errors import HomeportError
from homeport.git import Caller, SshHost
from homeport.home import Home
from homeport.state import Database

DEFAULT_PORT = 2222
"""22 is the machine's own, as a rule."""

_log = logging.getLogger("homeport")


@dataclass(frozen=True)
class SshDoor:
    """Listening sockets, and how they are reached from outside."""

    listeners: list[socket.socket]
    key: asyncssh.SSHKey
    host: SshHost

    def close(self) -> None:
        for listener in self.listeners:
            listener.close()


def open_door(home: Home, settings: Settings, picked: int = 0) -> SshDoor | None:
    """None when nobody asked for a port and the usual one is taken: everything else works without.

    `picked` is the port to prefer where any will do.

    Raises `HomeportError` (`ssh_port_taken`, `ssh_host_key_unreadable`).
    """
    key = git.host_key(home.secrets / "ssh_host_ed25519_key")
    addresses = router.addresses(settings.domain, settings.bind)
    port = ports.again(picked, addresses) if settings.picks_ssh_port else settings.ssh_port or DEFAULT_PORT
    try:
        listeners = git.listen(addresses, port)
    except OSError as error:
        if settings.ssh_port is None:
            _log.warning("no git over SSH: port %s cannot be used (%s); choose one with --ssh-port", port, error)
            return None
        raise HomeportError(
            "ssh_port_taken",
            f"Port {port} cannot be used for SSH: {error.strerror or error}.",
            fix="Choose another one: homeport up --ssh-port NUMBER (0: any free one).",
        ) from error
    name = "localhost" if settings.domain == "localhost" else f"git.{settings.domain}"
    return SshDoor(listeners, key, git.host(name, listeners[0].getsockname()[1], key))


class Keyring:
    """Whose a key is, asked anew each time: one that was removed opens nothing any more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def knows(self, public_key: str) -> bool:
        try:
            await self._database.run(accounts.authenticate_key, public_key)
        except HomeportError:  # not known, or of a kind that cannot be added
            return False
        return True

    async def admit(self, public_key: str, app: str, *, writes: bool) -> Caller:
        return await self._database.run(_caller, public_key, app, writes)


def _caller(session: Session, public_key: str, name: str, writes: bool) -> Caller:
    actor = accounts.authenticate_key(session, public_key)
    app = apps.find(session, name)
    accounts.require(actor, Action.DEPLOY if writes else Action.REVEAL, app)
    return Caller(app.id, actor.user.id)
