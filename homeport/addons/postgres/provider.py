"""Heroku Postgres on this machine."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from homeport.addons import accounts, servers
from homeport.addons.catalog import Plan
from homeport.addons.postgres import databases, diagnosis, facts, versions, work
from homeport.addons.postgres.cluster import Address, Cluster
from homeport.addons.postgres.databases import Database
from homeport.addons.postgres.diagnosis import Check
from homeport.addons.postgres.dumps import Dumps, Login
from homeport.addons.postgres.facts import Facts
from homeport.addons.postgres.proof import Counts
from homeport.addons.postgres.reports import Reports
from homeport.addons.postgres.versions import Version
from homeport.addons.postgres.work import Place
from homeport.addons.provider import UNSETTLED, Resource, damaged_backup
from homeport.addons.site import Site
from homeport.errors import Invalid
from homeport.state import now

LOCAL_HOSTS = ("localhost", "127.0.0.1")
OPTIONS = frozenset({"version"})
ARCHIVE = "database.dump"
ROWS = "rows.json"

_log = logging.getLogger("homeport.addons.postgres")


class Postgres:
    """The provider of `heroku-postgresql`."""

    service = "heroku-postgresql"

    def __init__(self, site: Site) -> None:
        self._site = site
        self._folder = site.home.addons / "postgres"
        self.reports = Reports(self._folder / "reports", now)
        self._clusters: dict[int, Cluster] = {}
        self._swept: set[int] = set()
        self._sweeping = asyncio.Lock()

    def check(self, plan: Plan, options: Mapping[str, str]) -> None:  # noqa: ARG002 - every plan can be had
        unknown = sorted(set(options) - OPTIONS)
        if unknown:
            raise Invalid(
                f"heroku-postgresql doesn't know the option {unknown[0][:50]} here.",
                fix="It knows --version. Instead of --fork and --follow: create an empty one and fill it by pg:copy.",
            )
        versions.choose(options.get("version"))

    async def provision(self, resource: Resource) -> Mapping[str, str]:
        version = self._version(resource)
        if known := resource.secret.get("port"):
            self.cluster(version).suggest(int(known))
        cluster = await self._running(version)
        if resource.secret.get("plan", resource.plan.name) != resource.plan.name:
            await self._require_room(cluster, resource)
        made = await databases.make(cluster, resource)
        return {**made.secret(), "plan": resource.plan.name}

    def config_vars(self, resource: Resource, name: str) -> dict[str, str]:
        return {f"{name}_URL": databases.remembered(resource.secret).url}

    async def deprovision(self, resource: Resource) -> None:
        for cluster in self._present():  # all of them: an upgrade may have been cut short between two
            await databases.drop(await self._running(cluster.version), resource)

    async def tend(self, resources: list[Resource]) -> list[Resource]:
        wanted = {int(resource.secret["version"]) for resource in resources}
        clusters = [cluster for cluster in self._present() if cluster.version.major in wanted]
        for cluster in clusters:
            await databases.stock(await self._running(cluster.version))
            cluster.tend()
        now = {cluster.version.major: cluster.address for cluster in clusters}
        return [
            resource
            for resource in resources
            if UNSETTLED in resource.secret or _has_moved(databases.remembered(resource.secret), now)
        ]

    async def backup(self, resource: Resource, into: Path) -> None:
        counts = await work.capture(await self.place(resource), into / ARCHIVE, say=_log.debug, counted=True)
        (into / ROWS).write_text(json.dumps(counts, indent=1))

    async def restore(self, resource: Resource, source: Path) -> None:
        expected = _rows(source)
        with _archive(source) as archive:
            await work.restore(await self.place(resource), archive, say=_log.debug, expected=expected)

    async def examine(self, resource: Resource, source: Path) -> None:
        cluster = self.cluster(self._version(resource))
        _rows(source)
        with _archive(source) as archive:
            await Dumps(cluster.version, cluster.account).check(archive)

    @staticmethod
    def login(resource: Resource) -> Database:
        """How apps get into its database."""
        return databases.remembered(resource.secret)

    @staticmethod
    def new_password() -> str:
        return databases.new_password()

    async def facts(self, resource: Resource) -> Facts:
        """Raises `Unavailable` while its server doesn't answer."""
        return await facts.gather(await self.place(resource))

    async def diagnose(self, resource: Resource) -> list[Check]:
        """Raises `Unavailable` while its server doesn't answer."""
        return await diagnosis.diagnose(await self.place(resource), resource.plan)

    async def disconnect(self, resource: Resource) -> int:
        """End all connections to its database; returns how many there were."""
        place = await self.place(resource)
        return await databases.disconnect(place.cluster, place.name)

    async def reset_statistics(self, resource: Resource) -> None:
        await facts.reset_statistics(await self.place(resource))

    async def place(self, resource: Resource) -> Place:
        """Where its database is, running. Raises `HomeportError`."""
        cluster = await self._running(self._version(resource))
        return Place(cluster, *databases.of(resource))

    def is_here(self, login: Login) -> bool:
        """Whether that login is for one of our own servers, which let nobody in without a password."""
        own = {cluster.address.port for cluster in self._present() if self._site.servers.pid(cluster.name) is not None}
        return login.port in own and login.host in (self._site.host.lower(), *LOCAL_HOSTS)

    async def stop(self) -> None:
        await servers.each(*(cluster.stop() for cluster in self._present()))

    async def close(self) -> None:
        return

    def cluster(self, version: Version) -> Cluster:
        known = self._clusters.get(version.major)
        if known is None:
            account = accounts.unprivileged("postgres")
            known = Cluster(self._site, version, self._folder / str(version.major), account)
            self._clusters[version.major] = known
        return known

    async def _running(self, version: Version) -> Cluster:
        """The cluster, answering; swept of what another process has left behind, or the end of the server itself."""
        cluster = self.cluster(version)
        if await cluster.ensure():
            self._swept.discard(version.major)
        async with self._sweeping:
            if version.major not in self._swept:
                await databases.sweep(cluster)
                self._swept.add(version.major)
        return cluster

    def _version(self, resource: Resource) -> Version:
        """That of the database, once it is made; before that, the one that was asked for."""
        return versions.choose(resource.secret.get("version") or resource.options.get("version"))

    def _present(self) -> list[Cluster]:
        """The clusters that have been made."""
        clusters = [self.cluster(version) for version in versions.installed()]
        return [cluster for cluster in clusters if cluster.exists]

    async def _require_room(self, cluster: Cluster, resource: Resource) -> None:
        """Raises `Invalid` if there is more in the database than the plan holds."""
        name, _ = databases.of(resource)
        has, holds = await databases.size(cluster, name), resource.plan.limits["bytes"]
        if has > holds:
            raise Invalid(
                f"{resource.name} has {has / 1e9:.1f} GB, more than {resource.plan.full_name} holds.",
                fix="Choose a larger plan: `heroku addons:plans heroku-postgresql`.",
            )


def _archive(source: Path) -> BinaryIO:
    """Raises `Invalid` (`backup_damaged`)."""
    try:
        return (source / ARCHIVE).open("rb")
    except FileNotFoundError:
        raise damaged_backup(f"It has no {ARCHIVE}.") from None


def _rows(source: Path) -> Counts:
    """What was counted when the backup was made. Raises `Invalid` (`backup_damaged`)."""
    try:
        return {str(table): int(count) for table, count in json.loads((source / ROWS).read_text()).items()}
    except (OSError, ValueError, AttributeError):
        raise damaged_backup(f"Its {ROWS} can't be read.") from None


def _has_moved(database: Database, now: Mapping[int, Address]) -> bool:
    address = now.get(database.version)
    return address is not None and address != Address(database.host, database.port)
