"""The providers of add-ons on their own, without a platform around them: for backups and restores."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine

from homeport import logs
from homeport.addons import Resource, Servers
from homeport.config import Vault
from homeport.daemon.addons import AddonParts, make_addons
from homeport.home import Home
from homeport.state import Database


class Providers:
    """Those of the platform in `home`, asked from code that is not asynchronous."""

    def __init__(self, home: Home, parts: AddonParts, runner: asyncio.Runner) -> None:
        self._home = home
        self._parts = parts
        self._runner = runner

    @property
    def are_running(self) -> bool:
        """Whether any server of an add-on does."""
        servers = Servers(self._home.run / "servers", self._home.logs / "addons")
        return any(servers.pid(path.stem) for path in (self._home.run / "servers").glob("*.pid"))

    def capture(self, resource: Resource, into: Path) -> None:
        self._run(self._parts.addons.provider(resource.plan.service).backup(resource, into))

    def check(self, resource: Resource, folder: Path) -> None:
        """See that what was captured could be restored. Raises `Invalid`."""
        self._run(self._parts.addons.provider(resource.plan.service).examine(resource, folder))

    def fill(self, resource: Resource, folder: Path) -> None:
        """Make it, under its old name and password, and fill it with what was captured.

        What the provider would have remembered is not written down: where that differs from what apps know (a port),
        `tend` finds it at the next start, and apps get a release.
        """
        provider = self._parts.addons.provider(resource.plan.service)
        self._run(provider.provision(resource))
        self._run(provider.restore(resource, folder))

    def stop(self) -> None:
        """Stop all servers; data stays."""
        self._run(self._parts.stop())

    def _run(self, work: Coroutine[Any, Any, object]) -> None:
        self._runner.run(work)


@contextlib.contextmanager
def providers_of(home: Home) -> Iterator[Providers]:
    """They remember nothing: resources come from elsewhere, and the database that they stand on is empty."""
    with tempfile.TemporaryDirectory(prefix="homeport-") as folder, asyncio.Runner() as runner:
        database = Database(create_engine("sqlite://"), vault=Vault.new_key())  # without a single table
        journal = logs.Logs(Path(folder) / "logs")
        parts = make_addons(home, database, journal, domain="localhost", bind=(), url=_unknown, clear_url=_unknown)
        try:
            yield Providers(home, parts, runner)
        finally:
            runner.run(parts.close())
            runner.run(database.close())


def _unknown() -> str:
    """Where a platform that doesn't run is reached."""
    return "https://localhost"
