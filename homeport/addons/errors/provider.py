"""Error tracking on this machine: one tracker for all add-ons, a folder with a database for each."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from homeport import tracker
from homeport.addons.catalog import Plan
from homeport.addons.errors import external
from homeport.addons.provider import UNSETTLED, Resource, damaged_backup
from homeport.addons.servers import Server, give, own
from homeport.addons.site import Site
from homeport.errors import HomeportError, Invalid, NotFound

SERVER = "errors"
BACKUP = "errors.db"
READY_SECONDS = 60.0

_LAST = "last-number"

_log = logging.getLogger("homeport.addons.errors")


class Errors:
    """The provider of `sentry`. `program` is the command that runs the tracker for the home that is added to it."""

    service = "sentry"

    def __init__(self, site: Site, program: Sequence[str]) -> None:
        self._site = site
        self._folder = site.home.addons / "sentry"
        self._server = Server(SERVER, self._folder, (*program, str(site.home.root)))
        self._turn = asyncio.Lock()

    def check(self, plan: Plan, options: Mapping[str, str]) -> None:  # noqa: ARG002 - every plan can be had
        if options:
            raise Invalid(f"sentry has no option {min(options)[:50]}.")

    async def provision(self, resource: Resource) -> Mapping[str, str]:
        own(self._folder, None)
        if (foreign := external.dsn(self._folder)) is not None:
            return {"dsn": foreign}
        key = resource.secret.get("key") or secrets.token_hex(16)
        async with self._turn:
            number = await asyncio.to_thread(self._prepare, resource, key)
            await self._run()
        return {"key": key, "number": str(number), "dsn": self._dsn(key, number)}

    def config_vars(self, resource: Resource, name: str) -> dict[str, str]:
        return {f"{name}_DSN": resource.secret["dsn"]}

    async def deprovision(self, resource: Resource) -> None:
        async with self._turn:
            folder = self.folder(resource.id)
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            if await asyncio.to_thread(os.path.lexists, folder):  # the tracker may write there at that moment
                raise HomeportError(
                    "folder_not_removed",
                    f"{folder} could not be removed.",
                    why="It holds what apps have reported of their users.",
                    fix="It is tried again. If that goes on, remove it by hand.",
                )
            if not self._projects():
                await self._site.servers.stop(self._server)

    async def tend(self, resources: list[Resource]) -> list[Resource]:
        changed = [resource for resource in resources if UNSETTLED in resource.secret or self._differs(resource)]
        if any(self.is_kept_here(resource) for resource in resources) and not self._turn.locked():
            async with self._turn:
                self._site.servers.trim_log(SERVER)
                await self._run()
        return changed

    async def backup(self, resource: Resource, into: Path) -> None:
        """Issues with their counts, and the events that are kept. Of a foreign tracker there is nothing to keep."""
        folder = self.folder(resource.id)
        if folder.exists():
            await asyncio.to_thread(_copy, folder / tracker.FILE, into / BACKUP)

    async def restore(self, resource: Resource, source: Path) -> None:
        if not self.is_kept_here(resource) and not (source / BACKUP).exists():
            return
        await self.examine(resource, source)
        await asyncio.to_thread(_copy, source / BACKUP, self.folder(resource.id) / tracker.FILE)

    async def examine(self, resource: Resource, source: Path) -> None:
        """Raises `Invalid` if the backup of a resource that is kept here is damaged."""
        if not self.is_kept_here(resource) and not (source / BACKUP).exists():
            return
        said = await asyncio.to_thread(tracker.complaint, source / BACKUP)
        if said:
            raise damaged_backup(said)

    async def stop(self) -> None:
        await self._site.servers.stop(self._server)

    async def close(self) -> None:
        return

    def folder(self, addon_id: str) -> Path:
        """Where an add-on's project and its database lie."""
        return self._folder / addon_id

    @staticmethod
    def is_kept_here(resource: Resource) -> bool:
        """Whether its errors come to us, and not to a tracker that the operator has named."""
        return "number" in resource.secret

    def issues(self, resource: Resource) -> tracker.Issues:
        """Its issues, to be read and judged. Raises `NotFound` if they are somewhere else."""
        if not self.is_kept_here(resource) or not (self.folder(resource.id) / tracker.FILE).exists():
            raise NotFound(
                "errors",
                f"The errors that {resource.name} is sent are not kept here.",
                fix="The operator of this platform has named another tracker: look there.",
            )
        return tracker.Issues(self.folder(resource.id))

    def knowledge_key(self) -> bytes:
        """The key that what is known of apps is sealed with; the tracker has it too. Made once."""
        return tracker.knowledge_key(self._site.home.secrets)

    def _differs(self, resource: Resource) -> bool:
        try:
            foreign = external.dsn(self._folder)
        except HomeportError as error:
            _log.error("%s", error.message)
            return False
        secret = resource.secret
        if foreign is not None or not self.is_kept_here(resource):
            return secret.get("dsn") != foreign
        project = tracker.read_project(self.folder(resource.id))
        there = project is not None and (project.key, str(project.number)) == (secret["key"], secret["number"])
        return not there or secret["dsn"] != self._dsn(secret["key"], int(secret["number"]))

    def _dsn(self, key: str, number: int) -> str:
        # Old sentry-sdks trust certifi's authorities, whatever they are told: on one machine they need no TLS.
        url = urlsplit(self._site.clear_url() or self._site.url())
        return f"{url.scheme}://{key}@{url.netloc}/{number}"

    def _projects(self) -> list[Path]:
        return [path for path in self._folder.iterdir() if path.is_dir()] if self._folder.is_dir() else []

    def _prepare(self, resource: Resource, key: str) -> int:
        """The folder with all that the tracker must know; returns the project's number."""
        folder = self.folder(resource.id)
        own(folder, None)
        tracker.knowledge_key(self._site.home.secrets)
        known = tracker.read_project(folder)
        number = known.number if known is not None else self._number(resource)
        limits = resource.plan.limits
        retention = tracker.Retention(limits["events"], days=limits["days"], bytes=limits["bytes"])
        wanted = tracker.Project(number, key, folder, limits["per_minute"], retention)
        if wanted != known:
            give(folder / tracker.PROJECT, wanted.written(), None)
        with contextlib.closing(tracker.connect(folder)):
            return number

    def _number(self, resource: Resource) -> int:
        """Its own from before, or one that no other add-on has or had."""
        taken = {project.number for path in self._projects() if (project := tracker.read_project(path)) is not None}
        if (before := int(resource.secret.get("number", 0))) and before not in taken:
            return before
        try:
            last = int((self._folder / _LAST).read_text())
        except (OSError, ValueError):
            last = 0
        number = max(taken | {last}) + 1
        give(self._folder / _LAST, f"{number}\n", None)
        return number

    async def _run(self) -> None:
        """Have the tracker running and answering."""
        await self._site.servers.start(self._server)
        socket = self._site.home.run / tracker.SOCKET
        await self._site.servers.until_answers(self._server, socket, "error tracker", seconds=READY_SECONDS)


def _copy(source: Path, target: Path) -> None:
    """All of a database as of one moment, into another in one transaction, while both are in use."""
    try:
        with (
            contextlib.closing(sqlite3.connect(source, timeout=tracker.PATIENCE_SECONDS)) as one,
            contextlib.closing(sqlite3.connect(target, timeout=tracker.PATIENCE_SECONDS)) as other,
        ):
            one.backup(other)
    except sqlite3.Error as error:
        raise HomeportError("copy_failed", "The issues could not be copied.", why=str(error)) from None
