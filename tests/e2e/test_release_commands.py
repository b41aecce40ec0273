"""An app with a release command is changed: what fails changes nothing, and what is mended can be tried again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.e2e.conftest import Cli
from tests.e2e.platform import Platform
from tests.e2e.projects import hello

PROCFILE = {"Procfile": 'web: python server.py\nrelease: echo "migrating for $GREETING"; test ! -e "$BROKEN"\n'}
WAITING = "Release command executing: this config change will not be available until the command succeeds."


def newest(platform: Platform, name: str) -> dict[str, Any]:
    """The app's newest release, as soon as it is over."""

    def over() -> dict[str, Any] | None:
        listed: list[dict[str, Any]] = json.loads(
            platform.homeport("releases", "--json", "-n", "1", "-a", name).ok().out
        )
        return listed[0] if listed[0]["status"] != "pending" else None

    found: dict[str, Any] = platform.eventually(over, seconds=60, what="the end of the release command")
    return found


def greeted(platform: Platform, name: str, greeting: str) -> None:
    platform.eventually(lambda: platform.get(name) == (200, f"v1 {greeting} /\n"), what=f"an app that says {greeting}")


def plain(text: str) -> str:
    """Without the line breaks that the official CLI puts into warnings."""
    return " ".join(text.replace("›", " ").split())


def test_changes_of_an_app_with_a_release_command(platform: Platform, cli: Cli, name: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    project = platform.project(name, hello(files=PROCFILE))
    cli("create", name, cwd=project).ok()
    assert WAITING not in plain(cli("config:set", f"BROKEN={broken}", cwd=project).ok().err)  # no code, no command
    platform.git(project, "push", "heroku", "main").ok()

    said = cli("config:set", "GREETING=bonjour", cwd=project).ok()
    assert "done, v4" in said.err
    assert WAITING in plain(said.err)
    assert said.out == "GREETING: bonjour\n"
    greeted(platform, name, "bonjour")
    assert newest(platform, name)["current"]

    broken.touch()
    platform.homeport("config:set", "GREETING=hola", cwd=project).ok()
    assert newest(platform, name)["status"] == "failed"
    assert platform.homeport("config:get", "GREETING", cwd=project).ok().out == "bonjour\n"
    greeted(platform, name, "bonjour")
    listed = cli("releases", cwd=project).ok().out
    assert "Set GREETING config vars release command failed" in listed
    assert "Current: v4" in listed
    kept = "migrating for hola\n !     The release command failed with exit code 1: v4 goes on as it was.\n"
    assert cli("releases:output", "v5", cwd=project).ok().out == kept
    assert (
        "Release v5 failed: The release command of v5 failed with exit code 1."
        in platform.homeport("logs", cwd=project).ok().out
    )

    broken.unlink()
    retried = cli("releases:retry", cwd=project).ok()
    assert retried.out == "Running release command...\nmigrating for hola\n"
    assert "Retrying v5" in retried.err
    greeted(platform, name, "hola")

    back = cli("rollback", "v4", cwd=project).ok()
    assert "Running release command...\nmigrating for bonjour\n" in back.out
    greeted(platform, name, "bonjour")
    broken.touch()
    refused = cli("rollback", "v6", cwd=project)
    assert "The release command failed with exit code 1: v7 goes on as it was." in refused.out
    assert refused.code == (1 if cli == platform.homeport else 0), "the official CLI does not ask how it ended"
    assert newest(platform, name)["status"] == "failed"
    assert platform.homeport("config:get", "GREETING", cwd=project).ok().out == "bonjour\n"

    created = cli("addons:create", "heroku-redis:mini", cwd=project).ok()
    assert WAITING in plain(created.err)
    assert "REDIS_URL" in created.both
    assert newest(platform, name)["status"] == "failed"
    assert "REDIS_URL" not in platform.homeport("config", cwd=project).ok().out
    assert "heroku-redis" in platform.homeport("addons", cwd=project).ok().out
    broken.unlink()
    cli("config:unset", "GREETING", cwd=project).ok()
    greeted(platform, name, "hello")
    assert "REDIS_URL" in platform.homeport("config", cwd=project).ok().out


def test_promoting_a_database_runs_the_release_command(platform: Platform, name: str, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    project = platform.project(name, hello(files=PROCFILE))
    platform.homeport("create", name, cwd=project).ok()
    platform.homeport("config:set", f"BROKEN={broken}", cwd=project).ok()
    first, second = (
        platform.homeport("addons:create", "heroku-postgresql", "--as", as_, cwd=project).ok()
        for as_ in ("DATABASE", "NEXT")
    )
    assert "DATABASE_URL" in first.both
    assert "NEXT_URL" in second.both
    platform.git(project, "push", "heroku", "main").ok()
    urls = {name: platform.homeport("config:get", name, cwd=project).ok().out for name in ("DATABASE_URL", "NEXT_URL")}

    broken.touch()
    refused = platform.homeport("pg:promote", "NEXT", cwd=project)
    assert refused.code == 1
    assert "release_command_failed" in refused.err
    assert platform.homeport("config:get", "DATABASE_URL", cwd=project).ok().out == urls["DATABASE_URL"]

    broken.unlink()
    platform.homeport("releases:retry", cwd=project).ok()
    assert platform.homeport("config:get", "DATABASE_URL", cwd=project).ok().out == urls["NEXT_URL"]
    former = platform.homeport("config", "--json", cwd=project).ok().out
    (back,) = (key for key, url in json.loads(former).items() if f"{url}\n" == urls["DATABASE_URL"])
    promoted = platform.heroku("pg:promote", back, cwd=project).ok()
    assert "pg:promote succeeded" in promoted.err
    assert platform.homeport("config:get", "DATABASE_URL", cwd=project).ok().out == urls["DATABASE_URL"]
