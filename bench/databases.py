"""Postgres and Redis add-ons: how long one takes to make, what it weighs, and backups beside pg_dump and pg_restore.

Making is measured through the API, as the official command line asks: its own start is Node's.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx

from bench.memory import pss
from bench.platform import Platform
from bench.table import Row, Unit, middle

APP = "bench-databases"
MADE = 7
TURNS = 3
CREATE_AIM = 0.3
ROWS = 1_000_000
FILL = f"CREATE TABLE words AS SELECT g AS id, md5(g::text) AS word FROM generate_series(1, {ROWS}) g"


def measure(platform: Platform) -> list[Row]:
    platform.run("apps:create", APP)
    with httpx.Client(
        base_url=platform.url,
        headers={
            "Authorization": f"Bearer {platform.env['HEROKU_API_KEY']}",
            "Accept": "application/vnd.heroku+json; version=3",
        },
        verify=platform.env["SSL_CERT_FILE"],
        timeout=60,
    ) as api:
        return [*_made(api, "heroku-postgresql"), *_made(api, "heroku-redis"), *_weighed(platform), *_copied(platform)]


def _made(api: httpx.Client, service: str) -> Iterator[Row]:
    def make() -> None:
        api.post(f"/apps/{APP}/addons", json={"plan": service}).raise_for_status()

    first = _seconds(make)
    warm = middle([_seconds(make) for _ in range(MADE)])
    yield Row(f"{service}: the first add-on", Unit.SECONDS, first, "the next ones", warm)
    yield Row(f"{service}: made on a warm platform", Unit.SECONDS, warm, "", None, "≤ 0.3 s", lambda _: CREATE_AIM)


def _weighed(platform: Platform) -> Iterator[Row]:
    """The proportional set size of the servers with their children."""
    for service, count in (("redis", MADE + 1), ("postgres", 1)):
        pid_files = list((platform.home / "run/servers").glob(f"{service}*.pid"))
        pids = [int(path.read_text().splitlines()[1].split()[0]) for path in pid_files]
        total = sum(pss(member) for pid in pids for member in _family(pid))
        yield Row(f"{service}: memory, {count} server{'s' * (count > 1)}", Unit.MEGABYTES, total, "each", total / count)


def _family(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def _copied(platform: Platform) -> Iterator[Row]:
    platform.run("pg:psql", "-a", APP, "-c", FILL)
    url = json.loads(platform.run("config", "-a", APP, "--json"))["DATABASE_URL"]
    with tempfile.TemporaryDirectory() as folder:
        dump = str(Path(folder) / "plain.dump")
        dumped = middle([_tool("pg_dump", "-Fc", "-f", dump, url) for _ in range(TURNS)])
        listed = middle([_tool("pg_restore", "-f", os.devnull, dump) for _ in range(TURNS)])
        captured = middle([_seconds(lambda: platform.run("pg:backups:capture", "-a", APP)) for _ in range(TURNS)])
        plain = middle(
            [_tool("pg_restore", "--clean", "--if-exists", "--no-owner", "-d", url, dump) for _ in range(TURNS)]
        )
        restored = middle(
            [_seconds(lambda: platform.run("pg:backups:restore", "-a", APP, "--confirm", APP)) for _ in range(TURNS)]
        )
    yield Row(
        "pg:backups:capture, read back", Unit.SECONDS, captured,
        "pg_dump, and pg_restore to nowhere", dumped + listed, "≤ 2 ×", lambda floor: 2 * floor,
    )  # fmt: skip
    yield Row(
        "pg:backups:restore, read first", Unit.SECONDS, restored,
        "pg_restore to nowhere, then pg_restore", listed + plain, "≤ 2 ×", lambda floor: 2 * floor,
    )  # fmt: skip


def _tool(*command: str) -> float:
    """Passwords are in the URL, and this machine is the bench's own."""
    return _seconds(
        lambda: subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PGSSLMODE": "require"})
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
