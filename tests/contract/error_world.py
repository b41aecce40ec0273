"""The error tracker, as the contract of add-on providers meets it."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from homeport import tracker
from homeport.addons import Errors
from homeport.daemon.tracker import PROGRAM
from tests.contract.addon_worlds import World


class ErrorsWorld(World):
    """What is kept is an event that has the value as a tag. Nobody but us can read it again."""

    service = "sentry"
    other_plan = "team"

    def provider(self) -> Errors:
        return Errors(self.site, PROGRAM)

    async def put(self, variables: Mapping[str, str], key: str, value: str) -> None:
        dsn = urlsplit(variables["NAME_DSN"])
        event = {"event_id": uuid.uuid4().hex, "message": f"{key} is another", "tags": {key: value}}
        transport = httpx.AsyncHTTPTransport(uds=str(self.home.run / tracker.SOCKET))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            answer = await client.post(
                f"/api{dsn.path}/store/",
                content=json.dumps(event),
                headers={"X-Sentry-Auth": f"Sentry sentry_key={dsn.username}"},
            )
        answer.raise_for_status()

    async def get(self, variables: Mapping[str, str], key: str) -> str | None:
        issues = tracker.Issues(self._folder(variables["NAME_DSN"]))
        events = [event for issue in issues.search("", 2e9) for event in issues.events(issue.number)]
        return str(max(events, key=lambda event: event.number).raw["tags"][key]) if events else None

    def _folder(self, dsn: str) -> Path:
        """Of the project that this key opens."""
        for folder in (self.home.addons / "sentry").iterdir():
            project = tracker.read_project(folder)
            if project is not None and project.key == urlsplit(dsn).username:
                return folder
        raise LookupError(dsn)
