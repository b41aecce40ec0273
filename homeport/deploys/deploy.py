"""The top verb: what happens between `git push` and the line with the URL."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from homeport import builds, slugs
from homeport.addons import Snapshot
from homeport.deploys import records
from homeport.deploys.outputs import Outputs
from homeport.deploys.records import Order
from homeport.deploys.source import PushedCommit, Tarball
from homeport.deploys.turns import Turns
from homeport.errors import HomeportError, Invalid
from homeport.git import Push, Refused, Update
from homeport.home import Home
from homeport.state import Build, Database, Release

Say = Callable[[str], None]


class RolloutReport(Protocol):
    """What the fleet tells of a rollout: whether its web dynos are up, and if not, why."""

    @property
    def ok(self) -> bool: ...
    @property
    def reason(self) -> str: ...


class Fleet(Protocol):
    """The part of `dynos.Fleet` that a deploy needs."""

    async def release_phase(self, release_id: str, out: Say) -> int: ...
    async def rollout(self, release_id: str, out: Say) -> RolloutReport: ...


class Snapshots(Protocol):
    """The part of `addons.Snapshots` that a deploy needs."""

    async def take(self, app_id: str, version: int, say: Say) -> Snapshot | None: ...


class Journal(Protocol):
    """The part of `logs.Logs` that a deploy needs."""

    def write(self, app_id: str, source: str, dyno: str, texts: Sequence[str]) -> None: ...


class Deploys:
    """Deploys, one at a time per app."""

    def __init__(
        self,
        home: Home,
        database: Database,
        builder: builds.Builder,
        fleet: Fleet,
        snapshots: Snapshots,
        journal: Journal,
        web_url: Callable[[str], str],
        publish: Callable[[], Awaitable[None]],
    ) -> None:
        """`publish` makes the router follow what was committed, and returns when it does."""
        self._database = database
        self._builder = builder
        self._fleet = fleet
        self._snapshots = snapshots
        self._journal = journal
        self._web_url = web_url
        self._publish = publish
        self._turns = Turns()
        self._background: set[asyncio.Task[None]] = set()
        self._sources = slugs.Scratch(home.builds / "sources")
        self.outputs = Outputs(home.builds / "output")

    async def push(self, push: Push, ref: Update, say: Say) -> None:
        """Deploy what a push brought. Raises `HomeportError` to refuse it; what runs goes on running then."""
        if ref.new is None:
            raise Invalid("There is nothing to deploy in a deletion.", id="nothing_to_deploy")
        source = PushedCommit(push.objects, await push.objects.commit(ref.new))
        order = await self._database.run(records.order, push.app_id, push.user_id, source)
        await self._deploy(order, say)
        await push.objects.point_head_at(ref.ref)
        await self._database.run(records.weighed, push.app_id, await push.objects.size())

    async def deploy_source(self, app_id: str, *, by: str, source: str | Path, version: str | None) -> Build:
        """Start a deploy of a source tarball and return its build, pending, at once."""
        order = await self._database.run(records.order, app_id, by, Tarball(source, version))
        task = asyncio.create_task(self._deploy_quietly(order))
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return order.build

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
            async with self._turns.take(order.app.id, said):
                await self._deploy_in_turn(await self._database.run(records.renewed, order), said)
        except HomeportError as error:
            await self._database.run(records.failed, order, error.id)
            self._note(order, f"Deploy failed: {error.what}")
            if not isinstance(error, builds.BuildFailed):  # a build says its own failure
                _say_failure(error, said)
            said(f" !     Push rejected to {order.app.name}.")
            raise Refused(error) from error
        except BaseException:
            await self._database.run(records.failed, order, "interrupted")
            raise
        finally:
            said.close()

    async def _deploy_in_turn(self, order: Order, say: Say) -> None:
        self._note(order, f"Build started by user {order.by.email}")
        built = await self._build(order, say)
        self._note(order, "Build succeeded")
        release = await self._database.run(records.pending_release, order, built)
        say("")
        say("-----> Launching...")
        snapshot = await self._release_phase(order, release, say)
        await self._roll_out(order, release, say, snapshot)

    async def _build(self, order: Order, say: Say) -> builds.Built:
        say("Compressing source files... done.")
        say("Building source:")
        say("")
        folder = self._sources.folder(order.app.id)
        try:
            checkout = folder / "app"
            checkout.mkdir()
            await order.source.put(checkout, say)
            job = await self._database.run(records.job, order, checkout)
            return await self._builder.build(job, say)
        finally:
            await asyncio.to_thread(slugs.remove, folder)

    async def _release_phase(self, order: Order, release: Release, say: Say) -> Snapshot | None:
        """The `release` process type, in the new build, before any traffic; the snapshot that was taken before it.

        https://devcenter.heroku.com/articles/release-phase. Raises `Invalid` (`release_command_failed`).
        """
        if release.slug is None or "release" not in release.slug.process_types:
            return None
        snapshot = await self._snapshots.take(order.app.id, release.version, say)
        say("       Release command declared: this new release will not be available until the command succeeds.")
        code = await self._fleet.release_phase(release.id, say)
        if code != 0:
            kept = f"v{order.previous.version} goes on as it was" if order.previous.slug_id else "nothing was released"
            raise Invalid(
                f"The release command of v{release.version} failed with exit code {code}.",
                id="release_command_failed",
                why=f"It runs before any traffic, so {kept}.",
                fix="Its output is above. Mend what it says and push again." + _way_back(snapshot),
            )
        return snapshot

    async def _roll_out(self, order: Order, release: Release, say: Say, snapshot: Snapshot | None) -> None:
        """New web dynos up, then the release is the current one, then the old dynos go.

        With nothing to return to, a release whose dynos do not come up becomes current all the same, as on Heroku.
        Raises `Invalid` (`release_did_not_start`).
        """
        report = await self._fleet.rollout(release.id, say)
        if not report.ok and order.previous.slug_id is not None:
            raise Invalid(
                f"v{release.version} did not start: {report.reason}",
                id="release_did_not_start",
                why=f"v{order.previous.version} goes on serving.",
                fix="Mend what the lines above say and push again." + _way_back(snapshot),
            )
        current = await self._database.run(records.succeeded, order, release)
        await self._publish()
        self._note(
            order,
            f"{order.description} by user {order.by.email}",
            f"Release v{current.version} created by user {order.by.email}",
        )
        say(f"       Released v{current.version}")
        if report.ok:
            say(f"       {self._web_url(order.app.name)} deployed to Homeport")
            say("")
            say("Verifying deploy... done.")
            return
        for line in (
            "",
            f" !     v{current.version} is released, but it does not run: {report.reason}",
            " !     There is no earlier release to return to, so it stays and is tried again.",
            f" !     See why: heroku logs --app {order.app.name}",
            " !     If a config var is missing: heroku config:set NAME=value restarts it. Otherwise mend it and push.",
        ):
            say(line)

    def _note(self, order: Order, *lines: str) -> None:
        self._journal.write(order.app.id, "app", "api", lines)


def _way_back(snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return ""
    return f"\nIf the database has to be what it was before the release command:\n  {snapshot.restore}"


def _say_failure(error: HomeportError, say: Say) -> None:
    say("")
    for line in (*error.message.splitlines(), "", f"Error ID: {error.id}"):
        say(f" !     {line}".rstrip())
    say("")
