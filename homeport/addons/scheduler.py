"""Heroku Scheduler as an add-on: https://devcenter.heroku.com/articles/scheduler.

The platform itself runs jobs (the room `scheduler`); what an app has of this add-on is the right to have jobs of its
own. They are rows that belong to the add-on's row and go with it, so there is nothing to make here, nothing to keep,
and no config var.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from homeport.addons.catalog import Plan
from homeport.addons.provider import Resource
from homeport.errors import Invalid


class SchedulerProvider:
    """The provider of `scheduler:standard`."""

    @property
    def service(self) -> str:
        return "scheduler"

    def check(self, plan: Plan, options: Mapping[str, str]) -> None:  # noqa: ARG002 - the only plan
        if options:
            raise Invalid(f"The scheduler has no option {min(options)[:40]!r}.", fix="Leave it out.")

    async def provision(self, resource: Resource) -> Mapping[str, str]:
        return dict(resource.secret)

    def config_vars(self, resource: Resource, name: str) -> dict[str, str]:  # noqa: ARG002 - Heroku's sets none either
        return {}

    async def deprovision(self, resource: Resource) -> None:  # noqa: ARG002 - its jobs go with its row
        return

    async def tend(self, resources: list[Resource]) -> list[Resource]:  # noqa: ARG002 - nothing that could die
        return []

    async def backup(self, resource: Resource, into: Path) -> None:
        """Jobs are backed up with the platform's other rows."""

    async def restore(self, resource: Resource, source: Path) -> None:
        """Jobs come back with the platform's other rows."""

    async def examine(self, resource: Resource, source: Path) -> None:
        """There is nothing that could be damaged."""

    async def stop(self) -> None:
        return

    async def close(self) -> None:
        return
