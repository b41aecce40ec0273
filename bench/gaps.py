"""Requests that fail while an app is deployed again and again under steady traffic."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bench.deploys import push
from bench.platform import Platform, Repository, answer
from bench.table import Row, Unit, percentile

REDEPLOYS = 20
RATE = 50  # requests per second
WAITERS = 32  # requests that may be under way at once: a slow one must not hold up the next


class Visitors:
    """Ask an app RATE times a second, each time on a connection of its own, even if earlier ones wait for an answer."""

    def __init__(self, port: int, host: str) -> None:
        self._port = port
        self._host = host
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.statuses: Counter[int] = Counter()
        self.times: list[float] = []

    def __enter__(self) -> Visitors:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        with ThreadPoolExecutor(WAITERS) as pool:
            due = time.perf_counter()
            while not self._stop.is_set():
                pool.submit(self._ask)
                due += 1 / RATE
                self._stop.wait(max(0.0, due - time.perf_counter()))

    def _ask(self) -> None:
        start = time.perf_counter()
        status, _ = answer(self._port, self._host)
        self.times.append(time.perf_counter() - start)
        self.statuses[status] += 1

    @property
    def failed(self) -> int:
        return sum(self.statuses.values()) - self.statuses[200]


def measure(platform: Platform) -> list[Row]:
    app = "gaps"
    with tempfile.TemporaryDirectory() as scratch:
        platform.run("apps:create", app, "--no-remote")
        repository = Repository(Path(scratch) / app, platform.env)
        push(platform, repository, app, "first")
        with Visitors(platform.http_port, platform.host(app)) as visitors:
            for turn in range(REDEPLOYS):
                repository.commit(f"change-{turn}")
                push(platform, repository, app, f"change-{turn}")
        platform.run("apps:destroy", "--app", app, "--confirm", app)
    total = sum(visitors.statuses.values())
    wrong = {status or "no answer": count for status, count in visitors.statuses.items() if status != 200}
    return [
        Row(
            f"failed requests in {REDEPLOYS} redeploys at {RATE}/s",
            Unit.COUNT,
            visitors.failed,
            f"of {total:,}" + (f": {wrong}" if wrong else ""),
            aim="0",
            limit=lambda _: 0,
        ),
        Row("  99 % of them within", Unit.MILLISECONDS, percentile(visitors.times, 0.99) * 1000),
        Row("  the slowest", Unit.MILLISECONDS, max(visitors.times) * 1000),
    ]
