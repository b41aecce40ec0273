"""One server: its folder, its process, and a way in for us."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from functools import cached_property
from pathlib import Path

from cryptography import x509

from homeport.addons import servers
from homeport.addons.accounts import Account
from homeport.addons.redis import wire
from homeport.addons.redis.configuration import ADMIN
from homeport.addons.redis.wire import Connection, Refused
from homeport.addons.servers import HANDED_DOWN, Server, Servers
from homeport.errors import HomeportError, Unavailable

READY_SECONDS = 60.0
"""Reading all data again after a crash may take that long."""
RENEW_SECONDS = 30 * 24 * 3600.0
LOST = (OSError, EOFError, TimeoutError, Refused)
"""What talking to a server raises that isn't there, or isn't ready."""


class Instance:
    """The server called `name` on `folder`: `redis.conf` and `server.pem`, which it can't change, and `data`, its own.

    `admin` is the file with our own password.
    """

    def __init__(self, keeper: Servers, name: str, folder: Path, account: Account | None) -> None:
        self.name = name
        self.folder = folder
        self._keeper = keeper
        self._account = account
        self.turn = asyncio.Lock()
        """Starting and stopping is done by one at a time."""
        self.saving = asyncio.Lock()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def exists(self) -> bool:
        return (self.folder / "redis.conf").exists()

    @property
    def is_running(self) -> bool:
        return self._keeper.pid(self.name) is not None

    @cached_property
    def password(self) -> str:
        """Ours. Made once, and kept where the server itself can't read it."""
        path = self.folder / "admin"
        with contextlib.suppress(OSError):
            if known := path.read_text().strip():
                return known
        self.prepare()
        servers.give(path, secrets.token_hex(32), None)
        return path.read_text().strip()

    def prepare(self) -> None:
        """Make its folders."""
        servers.share(self.folder, self._account)
        servers.own(self.data, self._account)

    def configure(self, text: str) -> None:
        """Write what it is told at its next start. What is there already is not written again: the disk may be full."""
        path = self.folder / "redis.conf"
        if not path.exists() or path.read_text() != text:
            servers.give(path, text, self._account)

    def certify(self, host: str, pem: bytes) -> None:
        """Write the key and the certificate that it shows."""
        servers.give(self.folder / "server.pem", f"# {host}\n{pem.decode()}", self._account)

    def is_certified(self, host: str) -> bool:
        """Whether it has a certificate for that host which lasts."""
        try:
            known, _, pem = (self.folder / "server.pem").read_text().partition("\n")
            expires = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
        except (OSError, ValueError):
            return False
        return known == f"# {host}" and expires.timestamp() - time.time() > RENEW_SECONDS

    async def start(self) -> None:
        """Have it running and answering. Raises `HomeportError` (`program_missing`, `server_not_started`)."""
        self.settle()
        await self._keeper.start(self._server)
        await self._until_ready()

    def settle(self) -> None:
        """Finish or undo an exchange of its data that was cut short. Only while it is down."""
        if self.is_running:
            return
        old = self.folder / "data.old"
        if old.exists() and not self.data.exists():
            old.rename(self.data)
        shutil.rmtree(old, ignore_errors=True)

    def exchange(self, data: Path) -> None:
        """Put another data folder in the place of its own. Only while it is down."""
        self.settle()
        self.data.rename(self.folder / "data.old")
        data.rename(self.data)
        shutil.rmtree(self.folder / "data.old", ignore_errors=True)

    async def stop(self) -> None:
        """Everything is on the disk afterwards. Quiet if it doesn't run."""
        await self._keeper.stop(self._server)

    async def remove(self) -> None:
        """Stop it and leave nothing of it."""
        await self.stop()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)
        if self.folder.exists():
            raise HomeportError("folder_not_removed", f"{self.folder} could not be removed.")
        for log in (self._keeper.log(self.name), self._keeper.log(self.name).with_suffix(".log.1")):
            log.unlink(missing_ok=True)

    def tidy(self) -> None:
        self._keeper.trim_log(self.name)

    def take(self, source: Path, name: str) -> None:
        """Copy a file into its data folder."""
        servers.hand(source, self.data / name, self._account)

    def bring(self, name: str, into: Path) -> None:
        """Move a file that the server has written out of its data folder. Raises OSError."""
        servers.collect(self.data / name, into, self._account)
        (self.data / name).unlink(missing_ok=True)

    @property
    def last_words(self) -> str:
        return self._keeper.last_words(self.name)

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        """A connection that may do everything. Raises `Unavailable` (`server_not_ready`) when it breaks, too."""
        try:
            async with wire.connect(self.data, ADMIN, self.password) as connection:
                yield connection
        except LOST as error:
            raise Unavailable(
                "Redis does not answer.",
                id="server_not_ready",
                why=str(error),
                fix="It is started again by itself; try again in a moment.",
            ) from error

    @cached_property
    def _server(self) -> Server:
        program = servers.program("redis-server", "redis-server")
        command = (program, f"{HANDED_DOWN}/redis.conf")
        return Server(self.name, self.folder, command, self._account)

    async def _until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                async with self.connect() as connection:
                    if (await connection.info("persistence"))["loading"] == "0":
                        return
            except Unavailable:
                if not self.is_running:
                    raise HomeportError(
                        "server_not_started",
                        "Redis ended right after its start.",
                        why=self.last_words,
                        fix=f"Its log is {self._keeper.log(self.name)}.",
                    ) from None
            if time.monotonic() > deadline:
                raise HomeportError(
                    "server_not_ready",
                    f"Redis has not read all of its data within {READY_SECONDS:.0f} s.",
                    fix="It goes on reading; try again in a moment.",
                )
            await asyncio.sleep(0.005)
