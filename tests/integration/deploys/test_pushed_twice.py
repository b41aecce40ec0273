"""A push that was broken off, whose build went on, and that is repeated meanwhile: real builds, real dynos."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from homeport import accounts, apps, deploys, releases
from homeport.builds import Builder
from homeport.git import Objects, Push, Update, environment
from homeport.home import Home
from homeport.state import App, User
from tests.integration.dynos.conftest import ports
from tests.integration.dynos.ground import Ground, ground

__all__ = ["ports"]

BRANCH = "refs/heads/main"
SOURCE = {"Procfile": "web: python3 -m http.server $PORT\n"}


class NoSnapshots:
    async def take(self, app_id: str, version: int, say: Callable[[str], None]) -> None:
        return None


@dataclass
class Scene:
    ground: Ground
    deployer: deploys.Deploys
    ada: User
    app: App
    project: Path

    def commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        who = {f"GIT_{role}_{key}": "ada" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
        done = subprocess.run(
            ["git", *words], cwd=self.project, env=environment(who), capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    async def push(self, old: str | None, new: str) -> str:
        """What a push says whose branch was at `old` when its turn came."""
        said: list[str] = []
        update = Update(old, new, BRANCH)
        push = Push(self.app.id, self.ada.id, (update,), Objects(self.project / ".git"))
        await self.deployer.push(push, update, said.append)
        return "\n".join(said)

    async def do(self, act: Callable[[Session, App], object]) -> None:
        await self.ground.database.run(lambda session: act(session, session.get_one(App, self.app.id)))

    async def version(self) -> int:
        return await self.ground.database.run(
            lambda session: releases.current(session, session.get_one(App, self.app.id)).version
        )


@contextlib.asynccontextmanager
async def scene(folder: Path, ports: range) -> AsyncIterator[Scene]:
    home = Home(folder / "home")
    home.prepare()
    project = folder / "project"
    project.mkdir()
    for name, text in SOURCE.items():
        (project / name).write_text(text)
    async with ground(folder, ports) as here:
        builder = Builder(home, here.store)
        launcher = deploys.Launcher(
            here.database, here.fleet, NoSnapshots(), here.logs, lambda name: f"https://{name}/", here.routes_changed,
            deploys.Outputs(home.builds / "releases"),
        )  # fmt: skip
        deployer = deploys.Deploys(home, here.database, builder, launcher, here.logs)

        def begin(session: Session) -> tuple[User, App]:
            ada = accounts.create_user(session, "ada@example.com")
            app = apps.create(session, owner=ada, name="shop")
            releases.start(session, app, ada)
            apps.set_buildpacks(session, app, ["heroku/procfile"])
            return ada, app

        ada, app = await here.database.run(begin)
        playing = Scene(here, deployer, ada, app, project)
        playing.git("init", "--quiet", "--initial-branch", "main")
        try:
            yield playing
        finally:
            await deployer.close()
            builder.close()


def run(folder: Path, ports: range, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def play() -> None:
        async with scene(folder, ports) as here:
            await scenario(here)

    asyncio.run(play())


def test_the_same_commit_is_deployed_once(tmp_path: Path, ports: range) -> None:
    async def scenario(here: Scene) -> None:
        one = here.commit("One")
        assert "Released v2" in await here.push(None, one)
        again = await here.push(one, one)
        assert f"a push that came before this one has brought {one[:8]}" in again
        assert "v2 runs it" in again
        assert await here.version() == 2
        two = here.commit("Nothing new, and to be built")
        assert "Released v3" in await here.push(one, two)

    run(tmp_path, ports, scenario)


def test_it_is_deployed_again_when_anything_else_has_changed(tmp_path: Path, ports: range) -> None:
    """Somebody breaks a push off because a config var or a buildpack is wrong, puts that right, and pushes again."""

    async def scenario(here: Scene) -> None:
        one = here.commit("One")
        await here.push(None, one)
        await here.do(lambda session, app: releases.set_config(session, app, {"MODE": "fast"}, by=here.ada))
        assert "Released v4" in await here.push(one, one)
        assert "v4 runs it" in await here.push(one, one)
        other_name = "https://github.com/heroku/heroku-buildpack-procfile"
        await here.do(lambda session, app: apps.set_buildpacks(session, app, [other_name]))
        assert "Released v5" in await here.push(one, one)
        fourth = await here.ground.database.run(lambda session: releases.find(session, here.app, "4"))
        await here.do(lambda session, app: releases.roll_back(session, app, to=fourth, by=here.ada))
        assert "Released v7" in await here.push(one, one)

    run(tmp_path, ports, scenario)
