"""A provider whose resources are entries in a dict: for tests of everything around real ones."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from homeport.addons.catalog import Plan
from homeport.addons.provider import UNSETTLED, Resource
from homeport.errors import Invalid


class FakeProvider:
    """`made` are its resources, `data` what lies in them.

    `fails` is raised once by whatever is asked next; `hold` keeps `provision` waiting.
    """

    def __init__(self, service: str = "heroku-postgresql") -> None:
        self._service = service
        self.made: dict[str, Resource] = {}
        self.data: dict[str, dict[str, str]] = {}
        self.port = 5432
        self.fails: Exception | None = None
        self.hold: asyncio.Event | None = None

    @property
    def service(self) -> str:
        return self._service

    def check(self, plan: Plan, options: Mapping[str, str]) -> None:  # noqa: ARG002
        if unknown := set(options) - {"version"}:
            raise Invalid(f"{self._service} has no option {sorted(unknown)[0]}.")

    async def provision(self, resource: Resource) -> Mapping[str, str]:
        if self.hold is not None:
            await self.hold.wait()
        self._fail_once()
        self.made[resource.id] = resource
        password = resource.secret.get("password") or f"secret-{len(self.made)}"
        return {"password": password, "port": str(self.port)}

    def config_vars(self, resource: Resource, name: str) -> dict[str, str]:
        secret = resource.secret
        return {f"{name}_URL": f"fake://u:{secret['password']}@127.0.0.1:{secret['port']}/{resource.id}"}

    async def deprovision(self, resource: Resource) -> None:
        self._fail_once()
        self.made.pop(resource.id, None)
        self.data.pop(resource.id, None)

    async def tend(self, resources: list[Resource]) -> list[Resource]:
        return [
            resource
            for resource in resources
            if UNSETTLED in resource.secret or resource.secret["port"] != str(self.port)
        ]

    async def backup(self, resource: Resource, into: Path) -> None:
        (into / "data.json").write_text(json.dumps(self.data.get(resource.id, {})))

    async def restore(self, resource: Resource, source: Path) -> None:
        await self.examine(resource, source)
        self.data[resource.id] = json.loads((source / "data.json").read_text())

    async def examine(self, resource: Resource, source: Path) -> None:  # noqa: ARG002
        try:
            json.loads((source / "data.json").read_text())
        except (OSError, ValueError):
            raise Invalid("The backup is damaged.", id="archive_damaged") from None

    async def stop(self) -> None:
        return

    async def close(self) -> None:
        return

    def _fail_once(self) -> None:
        if self.fails is not None:
            error, self.fails = self.fails, None
            raise error
