"""git over SSH: who comes with a known key may push to and clone their apps, and nothing else.

No shell, no terminal, no forwarding, no files, no variable of the client's but git's protocol version. What a command
does is in `ssh_session`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Protocol

import asyncssh

from homeport.git.smart_http import Caller

LOGIN_SECONDS = 30
MOST_KEYS = 20
"""That one connection may try: agents of people with many keys offer all of them."""
MOST_UNKNOWN = 30
"""Connections that have not logged in yet."""
MOST_CONNECTIONS = 100
MOST_COMMANDS = 10
"""At once on one connection, as OpenSSH's MaxSessions: each is a git of its own."""
PARTING_SECONDS = 2
KEEPALIVE_SECONDS = 30
KEEPALIVES_MISSED = 4

# The library's own choice has SHA-1 and DSA in it for the sake of old servers.
SIGNATURES = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "rsa-sha2-256",
    "rsa-sha2-512",
)

UNKNOWN_KEY = """\
 !     None of your SSH keys is known here.
 !     Add one: heroku keys:add ~/.ssh/id_ed25519.pub   (or: homeport keys:add)
 !     No key yet? Make one first: ssh-keygen -t ed25519
"""

WRONG_USER = """\
 !     Log in as git: ssh://git@HOST:PORT/APP.git
"""

TOO_MANY = """\
 !     Too many commands at once on one connection.
 !     Wait for one of them to end.
"""

KEY = "homeport_key"

_log = logging.getLogger("homeport")


class Keyring(Protocol):
    """Whose a public key ("ssh-ed25519 AAAA…") is."""

    async def knows(self, public_key: str) -> bool: ...

    async def admit(self, public_key: str, app: str, *, writes: bool) -> Caller:
        """Raises `NotFound`, `Forbidden`; `Unauthorized` for a key that is not known any more."""
        ...


class Doors:
    """How many are inside, and how many still stand on the threshold."""

    def __init__(self) -> None:
        self.unknown: set[asyncssh.SSHServerConnection] = set()
        self.known: set[asyncssh.SSHServerConnection] = set()

    def admit(self, connection: asyncssh.SSHServerConnection) -> bool:
        if len(self.unknown) >= MOST_UNKNOWN or len(self.unknown) + len(self.known) >= MOST_CONNECTIONS:
            return False
        self.unknown.add(connection)
        return True

    def greet(self, connection: asyncssh.SSHServerConnection) -> None:
        self.unknown.discard(connection)
        self.known.add(connection)

    def leave(self, connection: asyncssh.SSHServerConnection) -> None:
        self.unknown.discard(connection)
        self.known.discard(connection)


class Porter(asyncssh.SSHServer):
    """One connection until it has logged in. What is not said here is refused: passwords, forwarding, tunnels."""

    def __init__(self, keyring: Keyring, doors: Doors) -> None:
        self._keyring = keyring
        self._doors = doors
        self._tried = 0
        self._key = ""

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn
        if not self._doors.admit(conn):
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the library's signature
        self._doors.leave(self._connection)

    def begin_auth(self, username: str) -> bool:  # noqa: ARG002
        return True

    def auth_completed(self) -> None:
        self._connection.set_extra_info(**{KEY: self._key})
        self._doors.greet(self._connection)

    def public_key_auth_supported(self) -> bool:
        return True

    async def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._tried += 1
        if self._tried > MOST_KEYS:
            self._connection.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "Too many keys")
            return False
        public_key = key.export_public_key("openssh").decode().strip()
        if username != "git" or not await self._keyring.knows(public_key):
            return False
        self._key = public_key
        return True

    def kbdint_auth_supported(self) -> bool:
        """Clients ask for it when they have no key left: the one moment to say what to do, and to nobody else."""
        return True

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> bool:  # noqa: ARG002
        self._connection.send_auth_banner(UNKNOWN_KEY if username == "git" else WRONG_USER)
        return False


Serve = Callable[["asyncssh.SSHServerProcess[bytes]"], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(
    listeners: Sequence[socket.socket], key: asyncssh.SSHKey, keyring: Keyring, serve: Serve
) -> AsyncIterator[None]:
    """Accept connections on these sockets inside the block; what is under way at its end gets a moment."""
    doors, running = Doors(), set[asyncio.Task[None]]()
    commands = Counter[asyncssh.SSHServerConnection]()

    def begin(process: asyncssh.SSHServerProcess[bytes]) -> None:
        connection = process.get_extra_info("connection")
        if commands[connection] >= MOST_COMMANDS:
            process.stderr.write(TOO_MANY.encode())
            process.exit(1)
            return
        commands[connection] += 1
        task = asyncio.create_task(_carry_out(serve, process))
        running.add(task)

        def end(task: asyncio.Task[None]) -> None:
            running.discard(task)
            commands[connection] -= 1
            if not commands[connection]:
                del commands[connection]

        task.add_done_callback(end)

    options = asyncssh.SSHServerConnectionOptions(
        config=None,
        server_factory=lambda: Porter(keyring, doors),
        server_host_keys=[key],
        server_version="Homeport",
        process_factory=begin,
        encoding=None,
        login_timeout=LOGIN_SECONDS,
        keepalive_interval=KEEPALIVE_SECONDS,
        keepalive_count_max=KEEPALIVES_MISSED,
        signature_algs=SIGNATURES,
        compression_algs=["none"],
        password_auth=False,
        gss_host=None,
        allow_pty=False,
        line_editor=False,
        agent_forwarding=False,
        x11_forwarding=False,
        sftp_factory=None,
        allow_scp=False,
    )
    servers = [await asyncssh.listen(sock=listener, options=options) for listener in listeners]
    try:
        yield
    finally:
        for server in servers:
            server.close()
        await _part(running, doors)
        tasks = list(running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(server.wait_closed() for server in servers), return_exceptions=True)


async def _part(running: set[asyncio.Task[None]], doors: Doors) -> None:
    """A push that is given up is told so by git, and its client hears it before the connection goes."""
    if running:
        await asyncio.wait(running, timeout=PARTING_SECONDS)
    connections = [*doors.unknown, *doors.known]
    for connection in connections:
        connection.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PARTING_SECONDS):
            await asyncio.gather(*(connection.wait_closed() for connection in connections), return_exceptions=True)
    for connection in connections:
        connection.abort()


async def _carry_out(serve: Serve, process: asyncssh.SSHServerProcess[bytes]) -> None:
    try:
        await serve(process)
    except (asyncssh.Error, ConnectionError):
        pass  # the client is gone
    except Exception:
        _log.exception("a command over SSH crashed")
        with contextlib.suppress(Exception):
            process.stderr.write(b" !     Homeport met an error of its own; its log has the details.\n")
            process.exit(1)


def listen(addresses: Sequence[str], port: int) -> list[socket.socket]:
    """Listening sockets on one port of these addresses; port 0 is any that is free on all. Raises `OSError`."""
    for tries_left in reversed(range(1 if port else 20)):
        try:
            return _listen(addresses, port)
        except OSError:
            if not tries_left:
                raise
    raise AssertionError("unreachable")


def _listen(addresses: Sequence[str], port: int) -> list[socket.socket]:
    listeners: list[socket.socket] = []
    try:
        for address in addresses:
            listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if listener.family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((address, port))
            listener.listen(128)
            listener.setblocking(False)
            port = listener.getsockname()[1]
    except BaseException:
        for listener in listeners:
            listener.close()
        raise
    return listeners
