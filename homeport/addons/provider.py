"""The seam to what add-ons really are. A provider knows no app and no release; the room around it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from homeport.addons.catalog import Plan
from homeport.errors import Invalid

UNSETTLED = "unsettled"
"""In a resource's secret: it was written down before the provider had made it so. `tend` returns such a resource."""


@dataclass(frozen=True)
class Resource:
    """An add-on as its provider sees it. `secret` is what `provision` last returned, empty before that."""

    id: str
    name: str
    plan: Plan
    options: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)


def damaged_backup(why: str) -> Invalid:
    """What `restore` raises before it touches anything."""
    return Invalid(
        "The backup is damaged.",
        id="backup_damaged",
        why=f"{why}\nNothing was changed.",
        fix="Restore from another one.",
    )


class Provider(Protocol):
    """Makes and removes the resources of one service.

    Every method may be called again at any time, after a crash in the middle of the last call too: the same call
    finishes what was begun. Failures are `HomeportError`s.
    """

    @property
    def service(self) -> str:
        """`heroku-postgresql`"""

    def check(self, plan: Plan, options: Mapping[str, str]) -> None:
        """Raises `Invalid` for options (a version, say) that can't be had. Quick: nothing is written down before it."""

    async def provision(self, resource: Resource) -> Mapping[str, str]:
        """Make the resource as its plan says, and what servers it needs; return what must be remembered of it.

        Idempotent by the resource's id: called for one that is there, it changes what differs (another plan's limits)
        and keeps the data. What it returns is sealed and comes back as `Resource.secret`; where that is not empty it
        is kept as far as it can be (the password stays, a port may change). Raises `Invalid` for a plan that the data
        don't fit in.
        """

    def config_vars(self, resource: Resource, name: str) -> dict[str, str]:
        """The config vars of an attachment called `name`: for DATABASE {"DATABASE_URL": "postgres://…"}. Pure.

        Only asked for what is provisioned.
        """

    async def deprovision(self, resource: Resource) -> None:
        """Remove the resource and its data. Quiet if it is gone."""

    async def tend(self, resources: list[Resource]) -> list[Resource]:
        """Called every few seconds with all that is provisioned: start again what died, look after limits.

        Returns those of which something else must be remembered now, and those that are unsettled; each is provisioned
        once more.
        """

    async def backup(self, resource: Resource, into: Path) -> None:
        """Write all of the resource's data below this empty folder, consistent in itself.

        Who counts what is in it writes `rows.json` too: rows by table.
        """

    async def restore(self, resource: Resource, source: Path) -> None:
        """Replace the resource's data by what `backup` wrote. Raises `Invalid` before it touches anything if that is
        damaged."""

    async def examine(self, resource: Resource, source: Path) -> None:
        """Read all that `backup` wrote of it, perhaps on another machine; change nothing.

        Raises `Invalid` if it is damaged, or needs something that this machine doesn't have.
        """

    async def stop(self) -> None:
        """Stop the servers; data stays. The next `provision` or `tend` starts them again."""

    async def close(self) -> None:
        """Let go without stopping what runs."""
