"""From a pending release to the current one: release phase, rollout, change-over.

A push comes here with what was built, a promotion with what another app has proved, a change with what is there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from sqlalchemy.orm import Session

from homeport import releases
from homeport.addons import Snapshot
from homeport.deploys.migrations import Listener
from homeport.deploys.outputs import Outputs
from homeport.deploys.turns import Turns
from homeport.errors import Invalid
from homeport.state import App, Database, Release, User

Say = Callable[[str], None]


class RolloutReport(Protocol):
    """What the fleet tells of a rollout: whether its web dynos are up, and if not, why."""

    @property
    def ok(self) -> bool: ...
    @property
    def reason(self) -> str: ...


class Fleet(Protocol):
    """The part of `dynos.Fleet` that a launch needs."""

    async def release_phase(self, release_id: str, out: Say) -> int: ...
    async def rollout(self, release_id: str, out: Say) -> RolloutReport: ...


class Snapshots(Protocol):
    """The part of `addons.Snapshots` that a launch needs."""

    async def take(self, app_id: str, version: int, say: Say) -> Snapshot | None: ...


class Journal(Protocol):
    """The part of `logs.Logs` that deploys need."""

    def write(self, app_id: str, source: str, dyno: str, texts: Sequence[str]) -> None: ...


@dataclass(frozen=True)
class Launch:
    """A pending release of an app, who made it, and what was current when its turn came.

    `again` are the words for trying once more ("push again"); `seen` where the output of its release command is.
    """

    app: App
    by: User
    release: Release
    previous: Release
    again: str
    seen: str = "Its output is above."


class Launcher:
    """Makes pending releases current. `turns` is who may: one launch at a time per app."""

    def __init__(
        self,
        database: Database,
        fleet: Fleet,
        snapshots: Snapshots,
        journal: Journal,
        web_url: Callable[[str], str],
        publish: Callable[[], Awaitable[None]],
        outputs: Outputs,
        attached: releases.Attach | None = None,
    ) -> None:
        """`publish` makes the router follow what was committed, and returns when it does.

        `outputs` keeps what release commands say, by the release's id. `attached` is what add-ons give an app just now.
        """
        self.turns = Turns()
        self._database = database
        self._fleet = fleet
        self._snapshots = snapshots
        self._journal = journal
        self._web_url = web_url
        self._publish = publish
        self.outputs = outputs
        self.attached = attached

    async def launch(self, launch: Launch, say: Say, succeed: Callable[[Session], Release]) -> Release:
        """Release phase, then rollout; `succeed` makes the release current in one transaction and returns which is.

        Raises `Invalid` (`release_command_failed`, `release_did_not_start`); what ran goes on running then, and the
        release is still pending: whoever made it says that it has failed.
        """
        launch = await self._renewed(launch)
        snapshot = await self._release_phase(launch, say)
        return await self._roll_out(launch, say, snapshot, succeed)

    async def release(self, launch: Launch, succeed: Callable[[Session], Release]) -> Release:
        """Release phase alone, for a change of what runs already: its dynos are replaced once the release is current.

        Raises `Invalid` (`release_command_failed`); the release is still pending then.
        """
        await self._release_phase(await self._renewed(launch), _unheard)
        return await self._database.run(succeed)

    async def _renewed(self, launch: Launch) -> Launch:
        """On top of what is current now, with the add-ons of now: an earlier release may not have brought them."""
        release = await self._database.run(releases.renew, launch.release, self.attached)
        return replace(launch, release=release)

    async def _release_phase(self, launch: Launch, say: Say) -> Snapshot | None:
        """The `release` process type, in the new build, before any traffic; the snapshot that was taken before it.

        https://devcenter.heroku.com/articles/release-phase
        """
        release = launch.release
        if not releases.has_command(release.slug):
            return None
        said = self.outputs.begin(release.id, say)  # first of all: who waits for a promotion asks for it right away
        try:
            snapshot = await self._snapshots.take(launch.app.id, release.version, say)
            say("       Release command declared: this new release will not be available until the command succeeds.")
            heard = Listener(said)
            code = await self._fleet.release_phase(release.id, heard)
            way_on = heard.way_on(launch.app.name) or _way_back(snapshot)
            if code != 0:
                said.note(f" !     The release command failed with exit code {code}: {_kept(launch.previous)}.")
                for line in way_on.splitlines():
                    said.note(f" !     {line}")
        finally:
            said.close()
        if code != 0:
            raise Invalid(
                f"The release command of v{release.version} failed with exit code {code}.",
                id="release_command_failed",
                why=f"It runs before any traffic, so {_kept(launch.previous)}.",
                fix=_lines(f"{launch.seen} Mend what it says and {launch.again}.", way_on),
            )
        return snapshot

    async def _roll_out(
        self, launch: Launch, say: Say, snapshot: Snapshot | None, succeed: Callable[[Session], Release]
    ) -> Release:
        """New web dynos up, then the release is the current one, then the old dynos go.

        With nothing to return to, a release whose dynos do not come up becomes current all the same, as on Heroku.
        """
        release = launch.release
        report = await self._fleet.rollout(release.id, say)
        if not report.ok and launch.previous.slug_id is not None:
            raise Invalid(
                f"v{release.version} did not start: {report.reason}",
                id="release_did_not_start",
                why=f"v{launch.previous.version} goes on serving.",
                fix=_lines(f"Mend what the lines above say and {launch.again}.", _way_back(snapshot)),
            )
        current = await self._database.run(succeed)
        await self._publish()
        by = f"by user {launch.by.email}"
        texts = [f"{release.description} {by}", f"Release v{current.version} created {by}"]
        self._journal.write(launch.app.id, "app", "api", texts)
        say(f"       Released v{current.version}")
        if report.ok:
            say(f"       {self._web_url(launch.app.name)} deployed to Homeport")
            say("")
            say("Verifying deploy... done.")
            return current
        for line in (
            "",
            f" !     v{current.version} is released, but it does not run: {report.reason}",
            " !     There is no earlier release to return to, so it stays and is tried again.",
            f" !     See why: heroku logs --app {launch.app.name}",
            " !     If a config var is missing: heroku config:set NAME=value restarts it. Otherwise mend it and push.",
        ):
            say(line)
        return current


def _kept(previous: Release) -> str:
    return f"v{previous.version} goes on as it was" if previous.slug_id else "nothing was released"


def _unheard(_line: str) -> None:
    """Nobody listens to a change: what its command says is kept."""


def _lines(*texts: str) -> str:
    return "\n".join(filter(None, texts))


def _way_back(snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return ""
    return f"If the database has to be what it was before the release command:\n  {snapshot.restore}"
