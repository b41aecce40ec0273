"""A platform's folder with a bit of everything, whose add-ons are entries in a dict."""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from homeport import accounts, addons, apps, backup, releases, slugs
from homeport.addons import Resource, transfer_records
from homeport.addons.fake import FakeProvider
from homeport.config import Vault
from homeport.home import Home
from homeport.slugs import Store
from homeport.state import Addon, App, Database, Transfer, User


@dataclass
class House:
    """`during` is called before each capture: what people do while a backup is made."""

    home: Home
    provider: FakeProvider = field(default_factory=FakeProvider)
    during: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        self.home.prepare()
        key = Vault.new_key()
        (self.home.secrets / "config.key").write_bytes(key)
        (self.home.secrets / "token").write_text("HRKU-secret")
        (self.home.secrets / "token").chmod(0o600)
        (self.home.tls / "ca.key").write_text("private")
        self.database = Database.open(f"sqlite:///{self.home.database}", vault=key)
        self.addons = addons.Addons(self.database, [self.provider])
        with self.database.session() as session:
            self.ada = accounts.create_user(session, "ada@example.com")
        self.shop = self.create("shop")

    def close(self) -> None:
        asyncio.run(self.database.close())

    def create(self, name: str) -> App:
        with self.database.session() as session:
            ada = session.get_one(User, self.ada.id)
            app = apps.create(session, owner=ada, name=name)
            releases.start(session, app, ada)
            releases.set_config(session, app, {"SECRET": f"of {name}"}, by=ada)
        return app

    def push(self, app: App, key: str) -> None:
        """A commit in its repository, a layer, and a release that stands on it."""
        repository = self.home.repositories / f"{app.id}.git"
        work = self.home.root.parent / "work"
        if not repository.exists():
            git("init", "-q", "--bare", "-b", "main", str(repository))
            git("init", "-q", "-b", "main", str(work))
        git("-C", str(work), "commit", "-q", "--allow-empty", "-m", key)
        git("-C", str(work), "push", "-q", str(repository), "main")
        store = Store(self.home.slugs)
        draft = store.draft(key)
        (draft / "app.py").write_text(f"print('{key}')\n")
        store.keep(key, draft)
        store.close()
        with self.database.session() as session:
            slugs.record(
                session, session.get_one(App, app.id), code=key, layers=[], profile={}, process_types={}, commit=None,
                buildpack="Python", size=1,
            )  # fmt: skip

    def add(self, app: App, **data: str) -> Addon:
        wish = addons.Wish(self.addons.plan("heroku-postgresql"))
        made = asyncio.run(self.addons.create(app.id, wish, by=self.ada))
        self.provider.data[made.id] = data
        return made

    def keep_dump(self, addon: Addon) -> Path:
        """A backup of a database."""
        with self.database.session() as session:
            wanted = transfer_records.Order(addons.Kind.BACKUP, addon.id, "DATABASE", "BACKUP")
            row = transfer_records.order(session, wanted)
            row.succeeded = True
        folder = self.home.addons / "backups"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{row.id}.dump").write_text("PGDMP")
        return folder / f"{row.id}.dump"

    def transfers(self) -> list[str]:
        with self.database.session() as session:
            return sorted(row.id for row in session.query(Transfer))

    # What a backup asks of a platform.

    def capture(self, resource: Resource, into: Path) -> None:
        self.during()
        with self.addons.keeping_all():
            asyncio.run(self.addons.sync())  # what is unwanted stays
            asyncio.run(self.addons.capture(resource.id, into))

    def take(self, passphrase: bytes | None = None) -> io.BytesIO:
        file = io.BytesIO()
        backup.take(backup.TakeOrder(self.home, self, "1.0"), file, passphrase)
        file.seek(0)
        return file

    def examine(self, file: io.BytesIO, work: Path) -> backup.Manifest:
        work.mkdir()
        return backup.examine(file, None, work, lambda resource, folder: check(self.provider, resource, folder))


def check(provider: FakeProvider, resource: Resource, folder: Path) -> None:
    asyncio.run(provider.examine(resource, folder))


def restored(file: io.BytesIO, home: Home, provider: FakeProvider) -> backup.Restored:
    def fill(resource: Resource, folder: Path) -> None:
        asyncio.run(provider.provision(resource))
        asyncio.run(provider.restore(resource, folder))

    home.root.mkdir(exist_ok=True)
    order = backup.RestoreOrder(
        home,
        check=lambda resource, folder: check(provider, resource, folder),
        fill=fill,
        make_way=lambda: None,
        stop=lambda: None,
    )
    return backup.restore(order, file, None)


def git(*arguments: str) -> str:
    person = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    return subprocess.run(["git", *person, *arguments], check=True, capture_output=True, text=True).stdout
