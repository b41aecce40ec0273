"""The top verb: what happens between `git push` and the line with the URL."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from sqlalchemy.orm import Session

from homeport import builds, slugs
from homeport.deploys import appjson, records
from homeport.deploys.appjson import AppJson
from homeport.deploys.launch import Journal, Launch, Launcher
from homeport.deploys.outputs import Outputs
from homeport.deploys.records import Order
from homeport.deploys.source import PushedCommit, Tarball
from homeport.errors import HomeportError, Invalid
from homeport.git import Push, Refused, Update
from homeport.home import Home
from homeport.state import Build, Database, Release

Say = Callable[[str], None]


class Deploys:
    """Deploys, one at a time per app."""

    def __init__(
        self,
        home: Home,
        database: Database,
        builder: builds.Builder,
        launcher: Launcher,
        journal: Journal,
    ) -> None:
        self._database = database
        self._builder = builder
        self._launcher = launcher
        self._journal = journal
        self._background: set[asyncio.Task[None]] = set()
        self._made: dict[str, tuple[str, str]] = {}  # by app: the release of the last deploy, and its ingredients
        self._sources = slugs.Scratch(home.builds / "sources")
        self.outputs = Outputs(home.builds / "output")

    async def push(self, push: Push, ref: Update, say: Say) -> None:
        """Deploy what a push brought. Raises `HomeportError` to refuse it; what runs goes on running then."""
        if ref.new is None:
            raise Invalid("There is nothing to deploy in a deletion.", id="nothing_to_deploy")
        source = PushedCommit(push.objects, await push.objects.commit(ref.new))
        if ref.old == ref.new and (running := await self._database.run(self._runs_already, push.app_id, source)):
            say("")
            say(f"Everything up-to-date: a push that came before this one has brought {ref.new[:8]}.")
            say(f"v{running.version} runs it, with the config vars and buildpacks of now.")
            return
        order = await self._database.run(records.order, push.app_id, push.user_id, source)
        await self._deploy(order, say)
        await push.objects.point_head_at(ref.ref)
        await self._database.run(records.weighed, push.app_id, await push.objects.size())

    def _runs_already(self, session: Session, app_id: str, source: PushedCommit) -> Release | None:
        """The current release, if it is that of the last deploy, and of what this one would be made of.

        git does not send a branch that is where it should be. Only a push that has waited for another can find its
        commit there: mostly one that was broken off, whose build went on, and repeated. Both are of this process, so
        what the first was made of need not outlive it.
        """
        current = records.current(session, app_id)
        made = (current.id, records.ingredients(session, app_id, source))
        return current if self._made.get(app_id) == made else None

    async def deploy_source(
        self, app_id: str, *, by: str, source: str | Path, version: str | None, only_test: bool = False
    ) -> Build:
        """Start a deploy of a source tarball and return its build, pending, at once.

        `only_test`: run the app's tests in what is built, and release nothing.
        """
        order = await self._database.run(records.order, app_id, by, Tarball(source, version), only_test=only_test)
        task = asyncio.create_task(self._deploy_quietly(order), name=order.build.id)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return order.build

    async def ended(self, build_id: str) -> None:
        """Wait until a deploy that `deploy_source` has started is over, however it ends."""
        if under_way := [task for task in self._background if task.get_name() == build_id]:
            await asyncio.wait(under_way)

    def output(self, build_id: str) -> AsyncIterator[bytes]:
        """What the build has said and goes on to say. Raises `NotFound`."""
        return self.outputs.follow(build_id)

    async def close(self) -> None:
        """Give up what is under way; it is marked as failed."""
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)
        self._sources.close()

    async def _deploy_quietly(self, order: Order) -> None:
        # A failure is in the build's output, its status and the app's log.
        with contextlib.suppress(HomeportError):
            await self._deploy(order, lambda _line: None)

    async def _deploy(self, order: Order, say: Say) -> None:
        said = self.outputs.begin(order.build.id, say)
        try:
            async with self._launcher.turns.take(order.app.id, said):
                await self._deploy_in_turn(await self._database.run(records.renewed, order), said)
        except HomeportError as error:
            await self._database.run(records.failed, order, error.id)
            self._note(order, f"Deploy failed: {error.what}")
            if not isinstance(error, builds.BuildFailed):  # a build says its own failure
                _say_failure(error, said)
            if not order.only_test:
                said(f" !     Push rejected to {order.app.name}.")
            raise Refused(error) from error
        except BaseException:
            await self._database.run(records.failed, order, "interrupted")
            raise
        finally:
            said.close()

    async def _deploy_in_turn(self, order: Order, say: Say) -> None:
        self._note(order, f"Build started by user {order.by.email}")
        ingredients = await self._database.run(records.ingredients, order.app.id, order.source)
        built, app_json = await self._build(order, say)
        if order.only_test:
            await self._database.run(records.tested, order)
            return
        self._note(order, "Build succeeded")
        release = await self._database.run(records.pending_release, order, built, app_json)
        say("")
        say("-----> Launching...")
        launch = Launch(order.app, order.by, release, order.previous, again="push again")
        attached = self._launcher.attached
        current = await self._launcher.launch(
            launch, say, lambda session: records.succeeded(session, order, release, attached)
        )
        self._made[order.app.id] = (current.id, ingredients)

    async def _build(self, order: Order, say: Say) -> tuple[builds.Built, AppJson]:
        say("Compressing source files... done.")
        say("Building source:")
        say("")
        folder = self._sources.folder(order.app.id)
        try:
            checkout = folder / "app"
            checkout.mkdir()
            await order.source.put(checkout, say)
            job = await self._database.run(records.job, order, checkout)
            app_json = await self._app_json(order, job)
            built = await self._builder.build(job, say)
        finally:
            await asyncio.to_thread(slugs.remove, folder)
        for line in app_json.told:
            say(line)
        return built, app_json

    async def _app_json(self, order: Order, job: builds.Job) -> AppJson:
        """Read before the build: what is wrong with it costs nobody the time of one. Raises `Invalid`."""
        folder = builds.app_folder(job.source, job.env)
        reading = await asyncio.to_thread(appjson.find, folder)
        return appjson.consider(reading, await self._database.run(records.present, order))

    def _note(self, order: Order, *lines: str) -> None:
        self._journal.write(order.app.id, "app", "api", lines)


def _say_failure(error: HomeportError, say: Say) -> None:
    say("")
    for line in (*error.message.splitlines(), "", f"Error ID: {error.id}"):
        say(f" !     {line}".rstrip())
    say("")
