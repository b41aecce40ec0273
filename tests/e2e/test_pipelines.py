"""Staging and production from one repository, by both command lines, pushed over SSH; and a Procfile run locally."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from tests.e2e.conftest import Cli
from tests.e2e.platform import Platform
from tests.e2e.projects import SERVER, hello

PROCFILE = "web: python server.py\nrelease: echo migrating $GREETING; test ! -e {broken}-$GREETING\n"


def over_ssh(platform: Platform, cli: Cli, name: str, staging: str, project: Path) -> None:
    """A key of this test's own, and the host's, as the documentation says."""
    folder = platform.folder / f"ssh-{name}"
    folder.mkdir()
    platform.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / "key")).ok()
    cli("keys:add", str(folder / "key.pub")).ok()
    (folder / "known_hosts").write_text(platform.homeport("git:known-hosts").ok().out)
    # In place of ~/.ssh, which ssh takes from the system's list of users whatever HOME says.
    command = f"ssh -F none -i {folder}/key -o IdentitiesOnly=yes -o UserKnownHostsFile={folder}/known_hosts"
    platform.git(project, "config", "core.sshCommand", f"{command} -o StrictHostKeyChecking=yes").ok()
    platform.homeport("git:remote", "-a", staging, "-r", "staging", "--ssh", cwd=project).ok()


def test_staging_is_promoted_to_production(platform: Platform, cli: Cli, name: str, tmp_path: Path) -> None:
    staging, production = f"{name}-staging", name
    project = platform.project(name, hello(files={"Procfile": PROCFILE.format(broken=tmp_path / "broken")}))
    for app in (staging, production):
        cli("create", app, "--no-remote", cwd=project).ok()
        cli("config:set", f"GREETING={app.removeprefix(name) or 'production'}", "-a", app).ok()
    over_ssh(platform, cli, name, staging, project)
    pushed = platform.git(project, "push", "staging", "main").ok()
    assert "remote:        Released v3" in pushed.err

    cli("pipelines:create", name, "-a", staging, "--stage", "staging").ok()
    cli("pipelines:add", name, "-a", production, "--stage", "production").ok()
    shown = cli("pipelines:info", name).ok().out
    assert [line.split() for line in shown.splitlines() if line.strip().startswith(name)] == [
        [staging, "staging"],
        [production, "production"],
    ]
    promoted = cli("pipelines:promote", "-a", staging).ok()
    assert "Promotion successful" in promoted.out
    assert platform.get(production) == (200, "v1 production /\n")
    commit = platform.git(project, "rev-parse", "HEAD").ok().out[:8]
    assert f"Promote {staging} v3 ({commit})" in cli("releases", "-a", production).ok().out
    assert "migrating production" in cli("releases:output", "-a", production).ok().out

    (project / "server.py").write_text(SERVER.format(version="v2"))
    platform.commit(project, "Second thoughts")
    platform.git(project, "push", "staging", "main").ok()
    compared = cli("pipelines:diff", "-a", staging)
    assert f"{staging} is ahead of {production} by 1 commit" in compared.both
    assert "Second thoughts" in compared.both

    (tmp_path / "broken-production").touch()
    refused = cli("pipelines:promote", "-a", staging, "--to", production)
    assert refused.code == 1
    assert "The release command of v4 failed with exit code 1." in refused.both
    assert platform.get(production)[1].startswith("v1 ")
    # Its release command runs with the new config var, and the promotion waits for that.
    cli("config:set", "GREETING=mended", "-a", production).ok()
    cli("pipelines:promote", "-a", staging).ok()
    assert platform.get(production) == (200, "v2 mended /\n")

    cli("apps:destroy", "-a", staging, "--confirm", staging).ok()
    cli("ps:restart", "-a", production).ok()
    platform.eventually(lambda: platform.get(production) == (200, "v2 mended /\n"), what="the promoted slug")
    cli("pipelines:destroy", name).ok()
    cli("keys:remove", name).ok()


def test_the_daemon_killed_during_a_promotion_finishes_it_later(own: Platform) -> None:
    # The first time the release command waits for ever, the second time it goes through.
    once = own.folder / "once"
    procfile = f"web: python server.py\nrelease: if mkdir {once}-$GREETING; then sleep 1000; fi\n"
    project = own.project("shop", hello(files={"Procfile": procfile}))
    for app in ("shop-staging", "shop"):
        own.homeport("create", app, "--no-remote", cwd=project).ok()
        own.homeport("config:set", f"GREETING={app}", "-a", app).ok()
    (own.folder / "once-shop-staging").mkdir()
    own.homeport("git:remote", "-a", "shop-staging", cwd=project).ok()
    own.git(project, "push", "heroku", "main").ok()
    own.homeport("pipelines:create", "shop", "-a", "shop-staging").ok()
    own.homeport("pipelines:add", "shop", "-a", "shop").ok()

    apps = {app["name"]: app["id"] for app in json.loads(own.homeport("apps", "--json").ok().out)}
    body = {"pipeline": "shop", "source": {"app": apps["shop-staging"]}, "targets": [{"app": apps["shop"]}]}
    api = own.endpoint["url"]
    own.run(
        "curl", "-fsS", "-X", "POST", f"{api}/pipeline-promotions", "-d", json.dumps(body),
        "-H", "Content-Type: application/json", "-H", f"Authorization: Bearer {own.environment['HEROKU_API_KEY']}",
    ).ok()  # fmt: skip
    own.eventually(lambda: (own.folder / "once-shop").exists(), what="the release command")
    endpoint, pid = own.endpoint, own.endpoint["pid"]
    os.kill(pid, signal.SIGKILL)
    own.eventually(lambda: not _runs(pid), what="the end of the daemon")
    ports = ("--port", str(endpoint["https_port"]), "--http-port", str(endpoint["http_port"]), "--ssh-port", "0")
    own.homeport("up", "--detach", *ports).ok()
    own.eventually(lambda: own.get("shop") == (200, "v1 shop /\n"), seconds=60, what="the promotion")
    listed = json.loads(own.homeport("releases", "--json", "-a", "shop").ok().out)
    assert [(release["version"], release["status"]) for release in listed][:2] == [(4, "succeeded"), (3, "failed")]


def _runs(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_procfile_runs_locally_by_both_command_lines(platform: Platform, cli: Cli, name: str) -> None:
    files = {
        "Procfile": "web: echo $GREETING $PORT; exit 3\n",
        ".env": 'GREETING="hello # there"\n',
        "five.sh": 'test "$GREETING" = "hello # there" && exit 5\n',
    }
    shown = cli("local", "-p", "7123", cwd=platform.project(name, files))
    assert "hello # there 7123" in shown.both
    ran = cli("local:run", "sh", "five.sh", cwd=platform.folder / "projects" / name)
    assert ran.code == 5
