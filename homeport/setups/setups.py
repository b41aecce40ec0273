"""A new app from its app.json, from left to right: config vars, add-ons, build, postdeploy.

https://devcenter.heroku.com/articles/setting-up-apps-using-the-heroku-platform-api
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from homeport import addons, manifests, slugs
from homeport.builds import Tail
from homeport.deploys import Archive
from homeport.errors import HomeportError, Invalid
from homeport.home import Home
from homeport.manifests import Manifest
from homeport.setups import records
from homeport.setups.records import Order, Wish
from homeport.state import Addon, AppSetup, Build, Database, User

KEPT_OUTPUT = 64 * 1024
"""Characters of what `postdeploy` says."""

ADDON_SECONDS = 600.0

_log = logging.getLogger("homeport.setups")


class Deployer(Protocol):
    """The part of `deploys.Deploys` that a setup needs."""

    async def deploy_source(self, app_id: str, *, by: str, source: str | Path, version: str | None) -> Build: ...
    async def ended(self, build_id: str) -> None: ...


class Fleet(Protocol):
    """The part of `dynos.Fleet` that a setup needs."""

    async def run_to_end(
        self, app_id: str, *, command: str, type: str, by: str, out: Callable[[str], None]
    ) -> int | None: ...


class Journal(Protocol):
    """The part of `logs.Logs` that a setup needs."""

    def write(self, app_id: str, source: str, dyno: str, texts: Sequence[str]) -> None: ...


class SetupFailed(Exception):
    """`errors` are what is wrong with the app.json; `keep_app`: the app has got so far that it is worth looking at."""

    def __init__(self, message: str, errors: Sequence[str] = (), *, keep_app: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.errors = errors
        self.keep_app = keep_app


class Setups:
    """All setups that are under way."""

    def __init__(
        self,
        home: Home,
        database: Database,
        kept_addons: addons.Addons,
        deployer: Deployer,
        fleet: Fleet,
        journal: Journal,
    ) -> None:
        self._database = database
        self._addons = kept_addons
        self._deployer = deployer
        self._fleet = fleet
        self._journal = journal
        self._sources = slugs.Scratch(home.builds / "setups")
        self._under_way: set[asyncio.Task[None]] = set()

    async def begin(self, wish: Wish, source: Archive | str, *, by: User) -> AppSetup:
        """Start to set an app up and return at once, with its app there.

        `source` is a tarball of it; or the text of its app.json alone, and nothing is built. Raises `Invalid`.
        """
        order = await self._database.run(records.begin, wish, by)
        self._note(order, "Initial release", "Release v1 created")
        task = asyncio.create_task(self._set_up(order, source))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return order.setup

    async def close(self) -> None:
        """Give up what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        self._sources.close()

    async def _set_up(self, order: Order, source: Archive | str) -> None:
        run = self._database.run
        folder = self._sources.folder(order.app.id)
        try:
            await self._in_order(order, source, folder)
            await run(records.succeed, order)
        except SetupFailed as failed:
            await run(records.fail, order, failed.message, failed.errors, keep_app=failed.keep_app)
        except HomeportError as error:
            await run(records.fail, order, error.message, keep_app=False)
        except asyncio.CancelledError:
            await asyncio.shield(run(records.fail, order, records.INTERRUPTED, keep_app=True))
            raise
        except Exception:
            _log.exception("setting up %s failed", order.app.name)
            await run(records.fail, order, "Homeport met an error of its own; its log has it.", keep_app=True)
        finally:
            await asyncio.to_thread(slugs.remove, folder)

    async def _in_order(self, order: Order, source: Archive | str, folder: Path) -> None:
        tarball = await source.fetch(folder) if isinstance(source, Archive) else None
        manifest = self._read(order, await self._app_json(source, tarball))
        await self._configure(order, manifest)
        await self._add_addons(order, manifest)
        if tarball is not None and isinstance(source, Archive):
            await self._build(order, tarball, source.version)
            await self._postdeploy(order, manifest)

    async def _app_json(self, source: Archive | str, tarball: Path | None) -> bytes:
        if isinstance(source, str):
            return source.encode()
        found = None
        if tarball is not None:
            found = await asyncio.to_thread(source.member, tarball, manifests.NAME, manifests.LARGEST + 1)
        if found is None:
            raise SetupFailed("app.json not found", ["There is no app.json at the top of the source."])
        return found

    def _read(self, order: Order, data: bytes) -> Manifest:
        """All that can be known to be wrong is found before anything is made."""
        try:
            reading = manifests.read(data)
        except Invalid as error:
            raise SetupFailed("invalid app.json", [error.message]) from error
        errors = [fault.text for fault in reading.faults]
        for wanted in reading.manifest.addons:
            try:
                plan = self._addons.plan(wanted.plan)
                self._addons.provider(plan.service).check(plan, wanted.options)
            except HomeportError as error:
                errors.append(f"addons: {error.what}")
        errors += records.missing(reading.manifest, order.wish)
        if errors:
            raise SetupFailed("invalid app.json", errors)
        return reading.manifest

    async def _configure(self, order: Order, manifest: Manifest) -> None:
        release = await self._database.run(records.configure, order, manifest)
        if release.version > 1:
            self._note(order, release.description, f"Release v{release.version} created")

    async def _add_addons(self, order: Order, manifest: Manifest) -> None:
        for wanted in manifest.addons:
            wish = addons.Wish(self._addons.plan(wanted.plan), attachment=wanted.name, options=wanted.options)
            made = await self._addons.create(order.app.id, wish, by=order.by)
            made = await self._ready(made)
            self._note(order, f"Add {made.name} ({addons.plan_of(made).full_name})")

    async def _ready(self, addon: Addon) -> Addon:
        """The add-on, once its provider has made it."""
        try:
            async with asyncio.timeout(ADDON_SECONDS):
                while addon.state == addons.State.PROVISIONING.value:
                    await asyncio.sleep(1)
                    addon = await self._database.run(addons.find, addon.id)
        except TimeoutError:
            raise SetupFailed(
                f"{addon.name} was not ready within {ADDON_SECONDS / 60:.0f} minutes", keep_app=True
            ) from None
        return addon

    async def _build(self, order: Order, tarball: Path, version: str | None) -> None:
        build = await self._deployer.deploy_source(order.app.id, by=order.by.id, source=tarball, version=version)
        await self._database.run(records.note_build, order, build.id)
        await self._deployer.ended(build.id)
        ended = await self._database.run(lambda session: session.get(Build, build.id))
        if ended is None or ended.status != "succeeded":
            raise SetupFailed("build failed", keep_app=True)

    async def _postdeploy(self, order: Order, manifest: Manifest) -> None:
        if manifest.postdeploy is None:
            return
        said = Tail(KEPT_OUTPUT)
        code = await self._fleet.run_to_end(
            order.app.id, command=manifest.postdeploy, type="postdeploy", by=order.by.email, out=said.add
        )
        output = f"{text}\n" if (text := said.text()) else ""
        await self._database.run(records.note_postdeploy, order, output, 1 if code is None else code)
        if code != 0:
            raise SetupFailed("postdeploy script failed", keep_app=True)

    def _note(self, order: Order, *texts: str) -> None:
        self._journal.write(order.app.id, "app", "api", [f"{text} by user {order.by.email}" for text in texts])
