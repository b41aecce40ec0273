"""From `git push` to the first 200 of what was pushed, against the least that any platform must do for it.

The floor: the same push into a bare repository; for a first deploy the same packages by the same uv into a fresh
environment; then the same gunicorn until its first 200. Ours and the floor take turns.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from bench.hello import PYTHON
from bench.platform import Platform, Repository, wait_for
from bench.table import Row, Unit, middle

FIRST_DEPLOYS = 5  # resolving asks the index each time, whose mood differs
REDEPLOYS = 7


@dataclass(frozen=True)
class Moments:
    """Seconds from the start of a push to its end, and to the first 200 of what was pushed."""

    pushed: float
    served: float


def measure(platform: Platform) -> list[Row]:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        floor = Floor(folder / "floor", platform.env)
        warm = _create(platform, folder, "warm")  # both caches of downloads are warm from here on
        push(platform, warm, "warm", "first")
        floor.install()

        first, first_floor = [], []
        for turn in range(FIRST_DEPLOYS):
            repository = _create(platform, folder, f"first-{turn}")
            first.append(push(platform, repository, f"first-{turn}", "first"))
            first_floor.append(floor.first_deploy())

        again, again_floor = [], []
        for turn in range(REDEPLOYS):
            warm.commit(f"change-{turn}")
            again.append(push(platform, warm, "warm", f"change-{turn}"))
            again_floor.append(floor.redeploy())

        for turn in range(FIRST_DEPLOYS):
            platform.run("apps:destroy", "--app", f"first-{turn}", "--confirm", f"first-{turn}")
        platform.run("apps:destroy", "--app", "warm", "--confirm", "warm")
    return [
        Row(
            "first deploy, push to first 200",
            Unit.SECONDS,
            middle([moments.served for moments in first]),
            "floor",
            middle(first_floor),
            "≤ 1.3 × floor + 0.5 s",
            lambda least: 1.3 * least + 0.5,
        ),
        Row("first deploy, push to its end", Unit.SECONDS, middle([moments.pushed for moments in first])),
        Row(
            "code-only redeploy, push to first 200",
            Unit.SECONDS,
            middle([moments.served for moments in again]),
            "floor",
            middle(again_floor),
            "≤ floor + 0.5 s",
            lambda least: least + 0.5,
        ),
        Row("code-only redeploy, push to its end", Unit.SECONDS, middle([moments.pushed for moments in again])),
    ]


def _create(platform: Platform, folder: Path, app: str) -> Repository:
    platform.run("apps:create", app, "--no-remote")
    return Repository(folder / app, platform.env, variant=app)


def push(platform: Platform, repository: Repository, app: str, version: str) -> Moments:
    """Push to the platform and wait for the first 200 with this version in it."""
    served: list[float] = []
    watcher = threading.Thread(
        target=lambda: served.append(wait_for(platform.http_port, platform.host(app), f"from {version}\n"))
    )
    start = time.perf_counter()
    watcher.start()
    repository.git("push", "--quiet", platform.git_url(app), "main")
    pushed = time.perf_counter() - start
    watcher.join()
    if not served:
        raise TimeoutError(f"{app} never served {version}")
    return Moments(pushed, served[0] - start)


class Floor:
    """The same steps with nothing around them."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        folder.mkdir()
        self._env = {**env, "UV_CACHE_DIR": str(folder / "cache"), "UV_LINK_MODE": "copy", "VIRTUAL_ENV": ""}
        self._repository = Repository(folder / "source", env)
        self._bare = folder / "bare.git"
        self._venv = folder / "venv"
        subprocess.run(["git", "init", "--quiet", "--bare", str(self._bare)], env=env, check=True)
        self._turn = 0

    def install(self) -> None:
        shutil.rmtree(self._venv, ignore_errors=True)
        self._run("venv", "--quiet", "--relocatable", "--python", PYTHON, str(self._venv))
        self._run(
            "pip", "install", "--quiet", "--compile-bytecode", "--python", str(self._venv), "-r", "requirements.txt"
        )

    def first_deploy(self) -> float:
        shutil.rmtree(self._venv, ignore_errors=True)
        start = self._push()
        self.install()
        return self._boot() - start

    def redeploy(self) -> float:
        start = self._push()
        return self._boot() - start

    def _push(self) -> float:
        self._turn += 1
        self._repository.commit(f"floor-{self._turn}")
        start = time.perf_counter()
        self._repository.git("push", "--quiet", str(self._bare), "main")
        return start

    def _boot(self) -> float:
        """Start gunicorn; the moment of its first 200."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        gunicorn = subprocess.Popen(
            [self._venv / "bin" / "gunicorn", "app:app", "--bind", f"127.0.0.1:{port}"],
            cwd=self._repository.folder,
            env={**self._env, "HOME": str(self._repository.folder), "WEB_CONCURRENCY": "2"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return wait_for(port, "localhost", f"from floor-{self._turn}\n")
        finally:
            gunicorn.terminate()
            gunicorn.wait()

    def _run(self, *words: str) -> None:
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, *words], cwd=self._repository.folder, env=self._env, check=True, capture_output=True)
