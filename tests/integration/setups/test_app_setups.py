"""App setups with real deploys and real dynos; only add-ons are the fake's."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import json
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import accounts, apps, deploys, dynos, releases, setups
from homeport.addons import Addons
from homeport.addons.fake import FakeProvider
from homeport.builds import Builder
from homeport.deploys import Archive
from homeport.home import Home
from homeport.setups import Setups, Wish
from homeport.state import App, AppSetup, User
from tests.integration.dynos.ground import Ground, ground

SECONDS = 60.0
WEB = "python3 -m http.server $PORT"


class NoSnapshots:
    async def take(self, app_id: str, version: int, say: Callable[[str], None]) -> None:
        return None


@dataclass
class Scene:
    ground: Ground
    setups: Setups
    ada: User
    folder: Path
    ended_early: bool = False

    async def end(self) -> None:
        """As the platform does it when it stops."""
        if not self.ended_early:
            self.ended_early = True
            await self.setups.close()

    def tarball(self, files: dict[str, str], *, inside: str = "") -> Path:
        path = self.folder / "source.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            for name, text in files.items():
                entry = tarfile.TarInfo(inside + name)
                entry.size = len(text.encode())
                tar.addfile(entry, io.BytesIO(text.encode()))
        return path

    async def begin(self, source: Archive | str, **wish: Any) -> AppSetup:
        return await self.setups.begin(Wish(**{"name": "shop", **wish}), source, by=self.ada)

    async def set_up(self, parts: Any, *, inside: str = "", checksum: str | None = None, **wish: Any) -> AppSetup:
        """From a source with this app.json, to its end."""
        text = parts if isinstance(parts, str) else json.dumps({"buildpacks": [{"url": "heroku/procfile"}], **parts})
        tarball = self.tarball({"Procfile": f"web: {WEB}\n", "app.json": text}, inside=inside)
        return await self.ended(await self.begin(Archive(tarball, "v1", checksum), **wish))

    async def ended(self, setup: AppSetup) -> AppSetup:
        async def over() -> bool:
            return (await self.found(setup)).status != "pending"

        await self.ground.until(over, SECONDS)
        return await self.found(setup)

    async def found(self, setup: AppSetup) -> AppSetup:
        return await self.ground.database.run(setups.find, setup.id, self.ada)

    async def app(self) -> App | None:
        return await self.ground.database.run(lambda session: session.scalar(select(App)))

    async def variables(self) -> dict[str, str]:
        return await self.ground.database.run(_variables)


def _variables(session: Session) -> dict[str, str]:
    return releases.variables(session, releases.current(session, apps.find(session, "shop")))


@contextlib.asynccontextmanager
async def scene(folder: Path, ports: range) -> AsyncIterator[Scene]:
    home = Home(folder / "home")
    home.prepare()
    async with ground(folder, ports) as here:
        builder = Builder(home, here.store)
        launcher = deploys.Launcher(
            here.database, here.fleet, NoSnapshots(), here.logs, lambda name: f"https://{name}/", here.routes_changed,
            deploys.Outputs(home.builds / "releases"),
        )  # fmt: skip
        deployer = deploys.Deploys(home, here.database, builder, launcher, here.logs)
        kept = Addons(here.database, [FakeProvider(), FakeProvider("heroku-redis")])
        made = Setups(home, here.database, kept, deployer, here.fleet, here.logs)
        ada = await here.database.run(accounts.create_user, "ada@example.com")
        playing = Scene(here, made, ada, folder)
        try:
            yield playing
        finally:
            await playing.end()
            await deployer.close()
            await kept.close()
            builder.close()


def run(folder: Path, ports: range, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def play() -> None:
        async with scene(folder, ports) as here:
            await scenario(here)

    asyncio.run(play())


@pytest.mark.parametrize("inside", ["", "shop-1a2b3c/", "./"])
def test_an_app_with_all_that_its_app_json_asks_for(tmp_path: Path, ports: range, inside: str) -> None:
    async def scenario(here: Scene) -> None:
        parts = {
            "env": {
                "KEY": {"generator": "secret"},
                "GREETING": {"value": "hello"},
                "WHO": {},
                "NOTE": {"required": False},
            },
            "addons": ["heroku-postgresql", {"plan": "heroku-redis:mini", "as": "CACHE"}],
            "formation": {"web": {"quantity": 2}},
            "scripts": {"postdeploy": 'echo "seeding for $WHO"; echo done'},
            "success_url": "/welcome",
            "cron": [{"command": "web", "schedule": "@yearly"}],
        }
        setup = await here.set_up(parts, inside=inside, env={"WHO": "Bea", "MORE": "x"})
        assert (setup.status, setup.failure_message, setup.manifest_errors) == ("succeeded", None, [])
        assert (setup.postdeploy_exit_code, setup.postdeploy_output) == (0, "seeding for Bea\ndone\n")
        assert setup.success_url == "/welcome"
        values = await here.variables()
        assert set(values) == {"KEY", "GREETING", "WHO", "MORE", "DATABASE_URL", "CACHE_URL"}
        assert (values["GREETING"], values["WHO"], len(values["KEY"])) == ("hello", "Bea", 64)
        app = await here.app()
        assert app is not None
        scales = await here.ground.database.run(dynos.formation, app)
        assert [(row.type, row.quantity) for row in scales] == [("web", 2)]

    run(tmp_path, ports, scenario)


def test_an_app_that_will_be_pushed(tmp_path: Path, ports: range) -> None:
    async def scenario(here: Scene) -> None:
        text = json.dumps({"addons": ["heroku-redis"], "env": {"A": "1"}, "scripts": {"postdeploy": "false"}})
        setup = await here.ended(await here.begin(text))
        assert (setup.status, setup.build_id, setup.postdeploy_exit_code) == ("succeeded", None, None)
        assert set(await here.variables()) == {"A", "REDIS_URL"}

    run(tmp_path, ports, scenario)


@pytest.mark.parametrize(
    ("parts", "message", "error"),
    [
        ({"env": {"FOO": {}}}, "invalid app.json", "config var FOO is required"),
        ({"addons": ["papertrail"]}, "invalid app.json", "addons: Couldn't find either the add-on service or"),
        (
            {"addons": [{"plan": "heroku-redis", "options": {"odd": "1"}}]},
            "invalid app.json",
            "addons: heroku-redis has no",
        ),
        ({"formation": {"web": 2}}, "invalid app.json", "formation.web must be an object"),
        ("{", "invalid app.json", "The file app.json cannot be read."),
    ],
)
def test_a_wrong_app_json_leaves_nothing_behind(
    tmp_path: Path, ports: range, parts: Any, message: str, error: str
) -> None:
    async def scenario(here: Scene) -> None:
        setup = await here.set_up(parts)
        assert (setup.status, setup.failure_message) == ("failed", message)
        assert setup.manifest_errors[0].startswith(error)
        assert await here.app() is None

    run(tmp_path, ports, scenario)


def test_a_source_without_app_json_and_one_that_is_none(tmp_path: Path, ports: range) -> None:
    async def scenario(here: Scene) -> None:
        source = Archive(here.tarball({"Procfile": f"web: {WEB}\n", "a/b/app.json": "{}"}))
        setup = await here.ended(await here.begin(source))
        assert (setup.status, setup.failure_message) == ("failed", "app.json not found")
        (tmp_path / "odd").write_bytes(b"no tarball")
        setup = await here.ended(await here.begin(Archive(tmp_path / "odd")))
        assert (setup.failure_message or "").startswith("The source tarball cannot be unpacked.")
        setup = await here.ended(await here.begin(Archive("ftp://127.0.0.1/x")))
        assert (setup.failure_message or "").startswith("The source's URL must begin with https://")
        assert await here.app() is None

    run(tmp_path, ports, scenario)


def test_a_checksum_is_held_to(tmp_path: Path, ports: range) -> None:
    async def scenario(here: Scene) -> None:
        setup = await here.set_up({}, checksum="SHA256:" + "0" * 64)
        assert (setup.failure_message or "").startswith("The source tarball is not the one that its checksum names.")
        assert await here.app() is None
        tarball = here.tarball({"Procfile": f"web: {WEB}\n", "app.json": "{}"})
        digest = hashlib.sha256(tarball.read_bytes()).hexdigest().upper()
        source = Archive(tarball, None, f"SHA256:{digest}")
        setup = await here.ended(await here.begin(source, buildpacks=["heroku/procfile"]))
        assert setup.status == "succeeded", setup.failure_message

    run(tmp_path, ports, scenario)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"cron": [{"command": "x", "schedule": "61 * * * *"}]}, "build failed"),
        ({"scripts": {"postdeploy": "echo no; exit 3"}}, "postdeploy script failed"),
    ],
)
def test_what_fails_later_leaves_the_app_to_be_looked_at(
    tmp_path: Path, ports: range, parts: dict[str, Any], message: str
) -> None:
    async def scenario(here: Scene) -> None:
        setup = await here.set_up(parts)
        assert (setup.status, setup.failure_message) == ("failed", message)
        assert await here.app() is not None
        if message.startswith("postdeploy"):
            assert (setup.postdeploy_exit_code, setup.postdeploy_output) == (3, "no\n")

    run(tmp_path, ports, scenario)


def test_the_end_of_the_platform_ends_a_setup(tmp_path: Path, ports: range) -> None:
    async def scenario(here: Scene) -> None:
        parts = {"scripts": {"postdeploy": "sleep 600"}, "buildpacks": [{"url": "heroku/procfile"}]}
        tarball = here.tarball({"Procfile": f"web: {WEB}\n", "app.json": json.dumps(parts)})
        setup = await here.begin(Archive(tarball))
        app = await here.app()
        assert app is not None
        await here.ground.until_said(app, "command `sleep 600`", SECONDS)
        await here.end()
        ended = await here.found(setup)
        assert ended.status == "failed"
        assert (ended.failure_message or "").startswith("The platform was stopped while the app was set up.")

    run(tmp_path, ports, scenario)


def test_after_a_kill_what_was_under_way_has_failed(tmp_path: Path, ports: range) -> None:
    async def scenario(here: Scene) -> None:
        def left_behind(session: Session) -> str:
            setup = AppSetup(user_id=here.ada.id, app_id="x", app_name="x")
            session.add(setup)
            session.flush()
            setups.recover(session)
            session.expire_all()
            return session.get_one(AppSetup, setup.id).status

        assert await here.ground.database.run(left_behind) == "failed"

    run(tmp_path, ports, scenario)
