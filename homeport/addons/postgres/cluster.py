"""One PostgreSQL server: made once, kept running, spoken to as its superuser over its socket."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
from cryptography import x509
from psycopg import AsyncConnection

from homeport.addons import servers
from homeport.addons.accounts import Account
from homeport.addons.postgres import configuration
from homeport.addons.postgres.configuration import ALLOW_LIST, STATEMENTS, SUPERUSER
from homeport.addons.postgres.versions import Version
from homeport.addons.servers import Server
from homeport.addons.site import Site
from homeport.errors import HomeportError, Unavailable
from homeport.home import write_whole

READY_SECONDS = 60.0
"""Recovery after a crash may take that long."""
STARTS = 20
FIRST_PORT = 15432
RENEW_SECONDS = 30 * 24 * 3600.0

Connection = AsyncConnection[tuple[object, ...]]


@dataclass(frozen=True)
class Address:
    """Where apps and laptops reach a cluster."""

    host: str
    port: int


class Cluster:
    """The cluster of one major version, in `folder`."""

    def __init__(self, site: Site, version: Version, folder: Path, account: Account | None) -> None:
        self.version = version
        self.account = account
        self.locked_out: set[str] = set()
        """Roles that may not log in just now, because somebody in this process wants it so."""
        self._site = site
        self._folder = folder
        self._turn = asyncio.Lock()
        self._is_prepared = False

    @property
    def name(self) -> str:
        return f"postgres-{self.version.major}"

    @property
    def data(self) -> Path:
        """The server's own; nobody else writes there."""
        return self._folder / "data"

    @property
    def _configuration(self) -> Path:
        """What the server is told; it can't write there."""
        return self._folder / "configuration"

    @property
    def exists(self) -> bool:
        return (self.data / "PG_VERSION").exists()

    @property
    def address(self) -> Address:
        """As it was at the last start."""
        return Address(self._site.host, int((self._folder / "port").read_text()))

    def suggest(self, port: int) -> None:
        """Have a cluster that is still to be made listen there, if that is possible: apps know the port already."""
        if not self.exists and not (self._folder / "port").exists():
            servers.share(self._folder, self.account)
            self._remember_port(port)

    async def ensure(self) -> bool:
        """Have it there, running and answering; False, and cheap, when it was. Raises `HomeportError`."""
        async with self._turn:
            if self._is_prepared and self._site.servers.pid(self.name) is not None:
                return False
            self._is_prepared = False
            if not self.exists:
                await self._make()
            await self._until_ready()
            await self._prepare()
            self._is_prepared = True
            return True

    def tend(self) -> None:
        """Look after its log and its certificate."""
        self._site.servers.trim_log(self.name)
        if self._write_certificate():
            self._site.servers.signal(self._server, signal.SIGHUP)

    async def stop(self) -> None:
        if self.exists:
            await self._site.servers.stop(self._server)
        self._is_prepared = False

    @contextlib.asynccontextmanager
    async def connect(self, database: str = "postgres") -> AsyncIterator[Connection]:
        """A connection as superuser, autocommitting. Raises `Unavailable` (`server_not_ready`).

        Names are looked up in `pg_catalog` alone: the owner of a database may set another `search_path` for it, and
        functions of their own would then run as superuser.
        """
        # Paths of sockets are short; the folder's may be long, but its descriptor's is not.
        descriptor = os.open(self.data, os.O_PATH | os.O_DIRECTORY)
        try:
            port = self.address.port
            connection = await AsyncConnection.connect(
                host=f"/proc/self/fd/{descriptor}",
                port=port,
                user=SUPERUSER,
                dbname=database,
                autocommit=True,
                connect_timeout=10,
                application_name="homeport",
                options="-c search_path=pg_catalog",  # said by the client, so it goes before what a database sets
            )
        except psycopg.OperationalError as error:
            raise self._not_ready(str(error)) from error
        finally:
            os.close(descriptor)
        async with connection:
            yield connection

    async def tool(self, name: str, *arguments: str, environment: dict[str, str] | None = None) -> servers.Done:
        """Run one of PostgreSQL's programs on the data folder, as the server's account."""
        return await self._site.servers.tool(
            self.version.program(name),
            *arguments,
            folder=self._folder,
            account=self.account,
            environment=environment,
        )

    @cached_property
    def _server(self) -> Server:
        seen = servers.seen(self._folder, self.account)
        told = f"config_file={seen}/configuration/postgresql.conf"
        command = (self.version.program("postgres"), "-D", f"{seen}/data", "-c", told)
        return Server(self.name, self._folder, command, self.account, stop_signal=signal.SIGINT)

    async def _make(self) -> None:
        """initdb in a draft folder: a cluster that is there is a whole one."""
        draft = self._folder / "data.draft"
        await asyncio.to_thread(shutil.rmtree, draft, ignore_errors=True)
        servers.share(self._folder, self.account)
        servers.own(draft, self.account)
        done = await self.tool(
            "initdb",
            *("-D", f"{servers.seen(self._folder, self.account)}/data.draft", "-U", SUPERUSER, "--auth=reject"),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--data-checksums", "--no-instructions"),
        )
        if done.code != 0:
            raise HomeportError(
                "cluster_not_made",
                f"PostgreSQL {self.version.major} could not make its data folder.",
                why=done.output[-1000:],
                fix=f"Mend that (is the disk full?) and try again; {draft} may be removed.",
            )
        draft.rename(self.data)

    def _configure(self) -> None:
        """All of its files, before it starts."""
        for folder in ("", "configuration", "configuration/conf.d", "configuration/extensions"):
            servers.share(self._folder / folder, self.account)
        self._write_certificate()
        told = f"{servers.seen(self._folder, self.account)}/configuration"
        settings = configuration.Settings(told, self._port(), self._site.addresses, self._libraries())
        self._give("postgresql.conf", configuration.postgresql_conf(settings))
        for name, script in configuration.EXTENSION_SCRIPTS.items():
            servers.share(self._configuration / "extensions" / Path(name).parent, self.account)
            self._give(f"extensions/{name}", script)
        self._give("pg_hba.conf", configuration.pg_hba_conf())
        self._give("pg_ident.conf", configuration.pg_ident_conf(pwd.getpwuid(os.geteuid()).pw_name))

    def _port(self) -> int:
        """The port that it had, unless somebody else listens there now. Apps follow a change by a release."""
        file = self._folder / "port"
        try:
            port = int(file.read_text())
        except (OSError, ValueError):
            port = 0
        if not port or not _is_free(port):
            port = servers.free_port(FIRST_PORT)
            self._remember_port(port)
        return port

    def _remember_port(self, port: int) -> None:
        write_whole(self._folder / "port", f"{port}\n")

    def _libraries(self) -> set[str]:
        """Those of the libraries that would be loaded which this version has."""
        places = (self.version.programs.parent / "lib", self.version.programs.parent / "lib" / "postgresql")
        return {name for name in (STATEMENTS, ALLOW_LIST) if any((place / f"{name}.so").exists() for place in places)}

    def _write_certificate(self) -> bool:
        """A certificate for today's host that lasts; True if it was (re)issued now."""
        path, host = self._configuration / "server.pem", self._site.host
        try:
            known, _, pem = path.read_text().partition("\n")
            expires = x509.load_pem_x509_certificate(pem.encode()).not_valid_after_utc
            if known == f"# {host}" and expires.timestamp() - time.time() > RENEW_SECONDS:
                return False
        except (OSError, ValueError):
            pass
        self._give("server.pem", f"# {host}\n{self._site.certificate(host).decode()}")
        return True

    def _give(self, name: str, content: str) -> None:
        servers.give(self._configuration / name, content, self.account)

    async def _until_ready(self) -> None:
        """Start it where it doesn't run, and wait until it answers.

        Where the one before was killed, its children hold on to the data for a moment, and the new one ends at once.
        """
        deadline = time.monotonic() + READY_SECONDS
        starts = 0
        while True:
            if self._site.servers.pid(self.name) is None:
                if starts == STARTS:
                    raise self._not_started()
                starts += 1
                self._configure()
                await self._site.servers.start(self._server)
            try:
                async with self.connect():
                    return
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.02 if starts < 2 else 0.2)

    async def _prepare(self) -> None:
        """What holds for all databases: apps connect to none but their own. Idempotent."""
        async with self.connect("template1") as connection:
            for database in ("postgres", "template1"):
                await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
            await connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
            await connection.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")

    def _not_started(self) -> HomeportError:
        return HomeportError(
            "server_not_started",
            f"PostgreSQL {self.version.major} ends right after its start.",
            why=self._site.servers.last_words(self.name),
            fix=f"Its whole log is {self._site.servers.log(self.name)}.",
        )

    def _not_ready(self, said: str) -> Unavailable:
        return Unavailable(
            f"PostgreSQL {self.version.major} does not answer.",
            id="server_not_ready",
            why=said.strip().splitlines()[-1] if said.strip() else "",
            fix="It is started again by itself; try again in a moment.",
        )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
