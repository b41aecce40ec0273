"""The transcript of a first day, once with the official command line and once with ours."""

from __future__ import annotations

import json

from tests.e2e.conftest import Cli
from tests.e2e.platform import Platform
from tests.e2e.projects import SERVER, hello


def test_from_create_to_destroy(platform: Platform, cli: Cli, name: str) -> None:
    project = platform.project(name, hello())

    created = cli("create", name, cwd=project).ok()
    assert platform.url(name) in created.both
    assert f"https://localhost:{platform.endpoint['https_port']}/{name}.git" in created.both
    assert platform.git(project, "remote").out.split() == ["heroku"]

    pushed = platform.git(project, "push", "heroku", "main").ok()
    for line in ("-----> Python app detected", "Procfile declares types -> web, worker", "Released v2"):
        assert line in pushed.err
    assert f"{platform.url(name)}/ deployed to Homeport" in pushed.err
    assert platform.get(name) == (200, "v1 hello /\n")

    assert "GREETING: hi" in cli("config:set", "GREETING=hi", cwd=project).ok().both
    assert cli("config:get", "GREETING", cwd=project).ok().out.strip() == "hi"
    assert json.loads(cli("config", "--json", cwd=project).ok().out) == {"GREETING": "hi"}
    platform.eventually(lambda: platform.get(name) == (200, "v1 hi /\n"), what="the new greeting")

    cli("ps:scale", "web=2", "worker+1", cwd=project).ok()
    platform.eventually(lambda: cli("ps", cwd=project).ok().out.count(": up ") == 3, what="three dynos")

    ran = cli("run", "-x", "echo in $DYNO; exit 3", cwd=project)
    assert ran.code == 3
    assert "in run." in ran.out

    (project / "server.py").write_text(SERVER.format(version="v2"))
    platform.commit(project, "Second")
    again = platform.git(project, "push", "heroku", "main").ok()
    assert "Using cached dependencies" in again.err
    assert platform.get(name) == (200, "v2 hi /\n")

    listed = cli("releases", cwd=project).ok().out
    assert "v4" in listed
    assert "Set GREETING config vars" in listed
    cli("rollback", "v2", cwd=project).ok()
    platform.eventually(lambda: platform.get(name) == (200, "v1 hello /\n"), what="code and config of v2")
    assert cli("config:get", "GREETING", cwd=project).ok().out.strip() == ""

    cli("maintenance:on", cwd=project).ok()
    assert platform.get(name)[0] == 503, "who is told that the page is up may begin"
    cli("maintenance:off", cwd=project).ok()
    assert platform.get(name)[0] == 200

    logged = cli("logs", "-n", "1500", cwd=project).ok().out
    for line in (
        "app[web.1]: starting v1",
        "heroku[web.1]: State changed from starting to up",
        "app[api]: Set GREETING config vars by user",
        'heroku[router]: at=info method=GET path="/"',
        "app[api]: Rollback to v2 by user",
    ):
        assert line in logged, logged

    cli("apps:rename", f"{name}-x", cwd=project).ok()
    assert platform.get(f"{name}-x")[0] == 200, "under its new name, with a certificate of that name"
    assert cli("apps:destroy", "-a", f"{name}-x", "--confirm", f"{name}-x", cwd=project).ok()
    assert f"{name}-x" not in cli("apps").ok().out
    platform.eventually(lambda: platform.get(f"{name}-x", plain=True)[0] == 404, what="nothing at the old address")


def test_what_scripts_ask_exits_with_zero(platform: Platform, cli: Cli, name: str) -> None:
    cli("create", name, "--no-remote").ok()
    for command in (
        "apps", "apps:info", "domains", "buildpacks", "stack", "access", "features", "labs", "ps", "releases", "config",
        "maintenance", "logs",
    ):  # fmt: skip
        app = () if command == "apps" else ("-a", name)
        cli(command, *app).ok()
    cli("regions").ok()
    assert "@" in cli("auth:whoami").ok().out
    cli("domains:add", f"{name}.example.com", "-a", name).ok()
    assert f"{name}.example.com" in cli("domains", "-a", name).ok().out
    cli("domains:remove", f"{name}.example.com", "-a", name).ok()
    cli("buildpacks:set", "heroku/python", "-a", name).ok()
    assert "heroku/python" in cli("buildpacks", "-a", name).ok().out
    cli("buildpacks:clear", "-a", name).ok()
    cli("run:detached", "true", "-a", name)  # before a deploy: refused, but not with a crash


def test_mistakes_are_said_and_exit_codes_tell_them(platform: Platform, cli: Cli, name: str) -> None:
    cli("create", name, "--no-remote").ok()
    taken = cli("create", name, "--no-remote")
    assert taken.code != 0
    assert f"Name {name} is already taken" in taken.both
    nothing = cli("apps:info", "-a", "there-is-no-such-app")
    assert nothing.code != 0
    assert "Couldn't find that app" in nothing.both
    unknown = cli("config:set", "PORT=1", "-a", name)
    assert unknown.code != 0
    assert "PORT" in unknown.both
    typo = cli("ps:scael", "web=1", "-a", name)
    assert typo.code == 127
    wrong = {**platform.environment, "HEROKU_API_KEY": "wrong", "HOMEPORT_API_KEY": "wrong"}
    assert cli("apps", environment=wrong).code != 0


def test_a_login_with_the_token_makes_a_session_of_its_own(platform: Platform, name: str) -> None:
    without = {k: v for k, v in platform.environment.items() if k not in ("HEROKU_API_KEY", "HOMEPORT_API_KEY")}
    asked = platform.run(
        "curl", "-sS", "--cacert", platform.endpoint["ca"], "-X", "POST",
        "-u", f"operator@homeport.localhost:{platform.environment['HEROKU_API_KEY']}",
        "-H", "Content-Type: application/json", "-d", '{"description":"x","expires_in":60,"scope":["global"]}',
        f"{platform.endpoint['url']}/oauth/authorizations",
    ).ok()  # fmt: skip
    token = json.loads(asked.out)["access_token"]["token"]
    assert token != platform.environment["HEROKU_API_KEY"]
    assert "@" in platform.heroku("auth:whoami", environment={**without, "HEROKU_API_KEY": token}).ok().out
