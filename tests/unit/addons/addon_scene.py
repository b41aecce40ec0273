"""Two apps of Ada's, and a provider that makes nothing real."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from homeport import accounts, addons, apps, releases
from homeport.addons.fake import FakeProvider
from homeport.state import Addon, App, Database, User

T = TypeVar("T")


@dataclass
class Scene:
    database: Database
    postgres: FakeProvider = field(default_factory=FakeProvider)
    scheduler: FakeProvider = field(default_factory=lambda: FakeProvider("scheduler"))
    now: float = 0.0

    def __post_init__(self) -> None:
        with self.database.session() as session:
            self.ada = accounts.create_user(session, "ada@example.com")
            self.shop = self._app(session, self.ada, "shop")
            self.jobs = self._app(session, self.ada, "jobs")
        self.addons = self.reopened()

    def _app(self, session: Session, ada: User, name: str) -> App:
        app = apps.create(session, owner=ada, name=name)
        releases.start(session, app, ada)
        return app

    def reopened(self, *, patience: float = 5.0) -> addons.Addons:
        """As after a restart."""
        providers = [self.postgres, self.scheduler]
        self.addons = addons.Addons(self.database, providers, clock=lambda: self.now, patience=patience)
        return self.addons

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(work)

    def create(self, app: App, plan: str = "heroku-postgresql", **more: Any) -> Addon:
        wish = addons.Wish(self.addons.plan(plan), **more)
        return self.run(self.addons.create(app.id, wish, by=self.ada))

    def config(self, app: App) -> dict[str, str]:
        with self.database.session() as session:
            return releases.variables(session, releases.current(session, session.get_one(App, app.id)))

    def history(self, app: App) -> list[str]:
        """Descriptions of the app's releases, oldest first."""
        with self.database.session() as session:
            return [release.description for release in reversed(releases.history(session, app))]

    def attached(self, app: App) -> dict[str, str]:
        with self.database.session() as session:
            return {found.name: found.addon.name for found in addons.attachments(session, app)}

    def names(self, app: App) -> list[str]:
        with self.database.session() as session:
            return [addon.name for addon in addons.of_app(session, app)]
