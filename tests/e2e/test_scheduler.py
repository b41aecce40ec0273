"""Scheduled jobs as an app and its owner use them, and app.json from the first push to a rollback."""

from __future__ import annotations

import json
import os
import signal
import ssl
import tarfile
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.platform import Platform
from tests.e2e.projects import hello

JOB = """
import os, sys, time
print("working as", os.environ["DYNO"].split(".")[0], flush=True)
time.sleep(float(sys.argv[1]))
sys.exit(int(sys.argv[2]))
"""
PROCFILE = "web: python server.py\njob: python job.py\n"


def app_json(**parts: Any) -> dict[str, str]:
    return {"job.py": JOB, "Procfile": PROCFILE, "app.json": json.dumps(parts)}


def test_jobs_from_app_json_and_by_hand(platform: Platform, name: str) -> None:
    cron = [{"name": "greet", "command": "job 0 0", "schedule": "0 3 * * *", "timezone": "Europe/Berlin"}]
    formation = {"web": {"quantity": 2}}
    project = platform.project(name, hello(files=app_json(cron=cron, formation=formation)))
    created = platform.heroku("create", name, "--addons", "scheduler:standard,heroku-redis:mini", cwd=project).ok()
    assert "Adding scheduler:standard... done" in created.err
    pushed = platform.git(project, "push", "heroku", "main").ok()
    assert "greet: Daily at 03:00 Europe/Berlin" in pushed.both
    assert "REDIS_URL" in platform.heroku("config", "-s", cwd=project).ok().out
    assert len(json.loads(platform.heroku("ps", "--json", cwd=project).ok().out)) == 2

    ran = platform.homeport("scheduler:run", "greet", "--wait", cwd=project).ok()
    assert "working as scheduler" in ran.out
    platform.homeport("scheduler:add", "job 0 3", "--every", "day", "--name", "fails", cwd=project).ok()
    assert platform.homeport("scheduler:run", "fails", "--wait", cwd=project).code == 3
    history = json.loads(platform.homeport("scheduler:history", "--json", cwd=project).ok().out)
    assert [(run["job"]["name"], run["status"], run["exit_code"]) for run in history] == [
        ("fails", "failed", 3), ("greet", "succeeded", 0),
    ]  # fmt: skip
    assert "working as scheduler" in platform.homeport("scheduler:logs", "greet", cwd=project).ok().out
    logged = platform.heroku("logs", "--dyno-name", "scheduler", cwd=project).ok().out
    assert f"app[{history[0]['dyno']}]: working as scheduler" in logged
    assert f"heroku[{history[0]['dyno']}]: Process exited with status 3" in logged

    url = platform.heroku("addons:open", "scheduler", "--show-url", cwd=project).ok().out.strip()
    trust = ssl.create_default_context(cafile=platform.endpoint["ca"])
    with urllib.request.urlopen(url, context=trust, timeout=30) as page:
        assert "Daily at 03:00 Europe/Berlin" in page.read().decode()

    (project / "app.json").write_text('{"cron": [\n{"command": "job 0 0", "schedule": "61 * * * *"}]}')
    platform.commit(project)
    refused = platform.git(project, "push", "heroku", "main")
    assert refused.code != 0
    assert "Error ID: manifest_cron" in refused.both
    (project / "app.json").write_text('{"cron": [\n  {"command": "job 0 0",}\n]}')
    platform.commit(project)
    assert "Line 2, column" in platform.git(project, "push", "heroku", "main").both
    (project / "app.json").write_text("{}")
    platform.commit(project)
    platform.git(project, "push", "heroku", "main").ok()
    assert names(platform, project) == ["fails"]
    platform.heroku("rollback", cwd=project).ok()
    platform.eventually(lambda: names(platform, project) == ["fails", "greet"], what="the jobs of the release before")
    platform.heroku("addons:destroy", "scheduler", "--confirm", name, cwd=project).ok()
    assert names(platform, project) == ["greet"]


def names(platform: Platform, project: Path) -> list[str]:
    return [job["name"] for job in json.loads(platform.homeport("scheduler", "--json", cwd=project).ok().out)]


def test_a_time_is_run_once_though_the_daemon_is_killed(own: Platform) -> None:
    cron = [{"name": "tick", "command": "job 5 7", "schedule": "* * * * *"}]
    project = own.project("shop", hello(files=app_json(cron=cron)))
    own.homeport("create", "shop", cwd=project).ok()
    own.git(project, "push", "heroku", "main").ok()
    own.eventually(lambda: "working" in own.homeport("logs", cwd=project).out, what="the job at its time", seconds=120)
    pid, endpoint = own.endpoint["pid"], own.endpoint
    os.kill(pid, signal.SIGKILL)
    own.eventually(lambda: gone(pid), what="the end of the daemon")
    ports = ["--port", str(endpoint["https_port"]), "--http-port", str(endpoint["http_port"])]
    own.homeport("up", "--detach", *ports).ok()

    def first() -> dict[str, Any]:
        history = json.loads(own.homeport("scheduler:history", "--json", cwd=project).ok().out)
        run: dict[str, Any] = history[-1]
        return run

    own.eventually(lambda: first()["status"] != "running", what="the end of the run", seconds=60)
    run = first()
    assert (run["status"], run["exit_code"]) == ("failed", 7)
    history = json.loads(own.homeport("scheduler:history", "--json", cwd=project).ok().out)
    assert [other["due_at"] for other in history].count(run["due_at"]) == 1
    said = own.homeport("scheduler:logs", run["id"], cwd=project).ok().out
    assert said.count("working as scheduler") == 1
    assert said.count("Process exited with status 7") == 1


def gone(pid: int) -> bool:
    try:
        return " Z " in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


def test_an_app_from_its_app_json_alone(platform: Platform, name: str) -> None:
    parts = {
        "env": {"SECRET_KEY": {"generator": "secret"}, "GREETING": {"value": "moin"}, "WHO": {}},
        "addons": [{"plan": "heroku-redis:mini", "as": "CACHE"}],
        "scripts": {"postdeploy": "echo seeded $WHO"},
    }
    project = platform.project(name, hello(files=app_json(**parts)))
    refused = platform.homeport("apps:setup", name, cwd=project)
    assert "config var WHO is required" in refused.err
    assert name not in platform.homeport("apps").out
    platform.homeport("apps:setup", name, "--env", "WHO=Ada", cwd=project).ok()
    assert set(json.loads(platform.heroku("config", "--json", cwd=project).ok().out)) >= {
        "SECRET_KEY", "GREETING", "WHO", "CACHE_URL",
    }  # fmt: skip
    platform.git(project, "push", "heroku", "main").ok()
    platform.eventually(lambda: platform.get(name) == (200, "v1 moin /\n"), what="the app")

    archive = platform.folder / f"{name}.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:  # as GitHub packs it: within a folder
        for path in ("server.py", "job.py", "Procfile", "requirements.txt", "app.json"):
            tar.add(project / path, arcname=f"shop-1a2b3c4/{path}")
    source = api(platform, "POST", "/sources")["source_blob"]
    request = urllib.request.Request(source["put_url"], data=archive.read_bytes(), method="PUT")
    trust = ssl.create_default_context(cafile=platform.endpoint["ca"])
    urllib.request.urlopen(request, context=trust, timeout=60).close()
    wish = {"source_blob": {"url": source["get_url"]}, "overrides": {"env": {"WHO": "Bea"}}}
    setup = api(platform, "POST", "/app-setups", wish)
    platform.eventually(lambda: _setup(platform, setup)["status"] != "pending", what="the setup", seconds=180)
    setup = _setup(platform, setup)
    assert (setup["status"], setup["failure_message"]) == ("succeeded", None)
    assert setup["postdeploy"] == {"exit_code": 0, "output": "seeded Bea\n"}
    assert setup["build"]["status"] == "succeeded"


def _setup(platform: Platform, setup: dict[str, Any]) -> dict[str, Any]:
    return api(platform, "GET", f"/app-setups/{setup['id']}")


def api(platform: Platform, method: str, path: str, body: object = None) -> dict[str, Any]:
    """Asked over HTTPS, as scripts do."""
    request = urllib.request.Request(
        platform.endpoint["url"] + path,
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={
            "Accept": "application/vnd.heroku+json; version=3",
            "Authorization": f"Bearer {platform.environment['HEROKU_API_KEY']}",
            "Content-Type": "application/json",
        },
    )
    trust = ssl.create_default_context(cafile=platform.endpoint["ca"])
    with urllib.request.urlopen(request, context=trust, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
