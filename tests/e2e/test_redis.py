"""A key-value store as an app and its owner use it: Celery without a word about TLS, and every redis command."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.e2e.conftest import Cli
from tests.e2e.platform import Platform

APP = {
    "app.py": """
import os

import redis
from celery import Celery

URL = os.environ["REDIS_URL"]
celery = Celery("app", broker=URL, backend=URL)
store = redis.from_url(URL)


@celery.task
def add(one, other):
    return one + other


def application(environ, start_response):
    total = add.delay(2, 3).get(timeout=30)
    body = f"{total} {store.incr('visits')}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
""",
    "Procfile": "web: gunicorn app\nworker: celery -A app worker --concurrency 1\n",
    "requirements.txt": "celery[redis]\ngunicorn\n",
    ".python-version": f"{sys.version_info.major}.{sys.version_info.minor}\n",
}


def test_celery_through_a_store_that_is_killed(platform: Platform, cli: Cli, name: str) -> None:
    project = platform.project(name, APP)
    cli("create", name, cwd=project).ok()
    created = cli("addons:create", "heroku-redis:hobby-dev", cwd=project).ok()
    assert "REDIS_URL" in created.both
    platform.git(project, "push", "heroku", "main").ok()
    cli("ps:scale", "worker=1", cwd=project).ok()
    platform.eventually(lambda: platform.get(name) == (200, "5 1"), what="the worker")
    for server in _servers(platform, project, cli):
        os.kill(server, signal.SIGKILL)
    platform.eventually(lambda: platform.get(name)[1].startswith("5 "), what="the store, started again")
    assert int(platform.get(name)[1].split()[1]) >= 2, "visits were forgotten"


def test_the_commands(platform: Platform, cli: Cli, name: str) -> None:
    cli("create", name, "--no-remote").ok()
    cli("addons:create", "heroku-redis:mini", "-a", name).ok()
    shown = cli("redis:info", "-a", name).ok().out
    assert "Plan:" in shown
    assert "REDIS_URL" in shown
    policy = cli("redis:maxmemory", "--policy", "allkeys-lru", "-a", name).ok().out
    assert "set to allkeys-lru." in policy
    assert "set to 60 seconds." in cli("redis:timeout", "--seconds", "60", "-a", name).ok().out
    assert "set to 'AKE'." in cli("redis:keyspace-notifications", "--config", "AKE", "-a", name).ok().out
    assert cli("redis:maxmemory", "--policy", "never", "-a", name).code != 0
    cli("redis:stats-reset", "--confirm", name, "-a", name).ok()
    cli("redis:wait", "-a", name).ok()

    url = cli("redis:credentials", "-a", name).ok().out.strip()
    assert url == cli("config:get", "REDIS_URL", "-a", name).ok().out.strip()
    cli("redis:credentials", "--reset", "-a", name).ok()
    assert cli("redis:credentials", "-a", name).ok().out.strip() != url

    asked = cli("redis:cli", "-a", name, stdin="INCR visits\n").ok()
    assert "1" in asked.out.split()
    cli("addons:upgrade", "REDIS", "heroku-redis:premium-0", "-a", name).ok()
    assert cli("config:get", "REDIS_URL", "-a", name).ok().out.startswith("rediss://")
    assert "2" in cli("redis:cli", "-a", name, stdin="INCR visits\n").ok().out.split()

    cli("addons:create", "heroku-redis", "--as", "SECOND", "-a", name).ok()
    cli("redis:promote", "SECOND", "-a", name).ok()
    config = cli("config", "--json", "-a", name).ok().out
    assert config.count("rediss://") >= 1, "the old store went out of reach"
    assert '"REDIS_URL": "redis://' in config


def _servers(platform: Platform, project: Path, cli: Cli) -> list[int]:
    """The process of the app's store: told by its port."""
    port = cli("config:get", "REDIS_URL", cwd=project).ok().out.strip().rpartition(":")[2]
    wanted = []
    for file in (platform.home / "run/servers").glob("redis-*.pid"):
        configuration = platform.home / "addons/redis" / file.stem.removeprefix("redis-") / "redis.conf"
        if f"\nport {port}\n" in configuration.read_text():
            wanted.append(int(file.read_text().splitlines()[1].split()[0]))
    assert len(wanted) == 1
    return wanted
