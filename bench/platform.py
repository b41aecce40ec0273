"""A Homeport of its own for the measurements: its own home, free ports, gone afterwards."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import hello

HOMEPORT = Path(sys.executable).with_name("homeport")


@dataclass(frozen=True)
class Platform:
    """A running platform. `env` is what a shell has after `eval "$(homeport env)"`."""

    home: Path
    env: dict[str, str]
    url: str
    domain: str
    https_port: int
    http_port: int
    pid: int

    def run(self, *words: str) -> str:
        """Our command line; raises CalledProcessError when it fails."""
        done = subprocess.run([HOMEPORT, *words], env=self.env, check=True, capture_output=True, text=True)
        return done.stdout

    def host(self, app: str) -> str:
        return f"{app}.{self.domain}:{self.http_port}"

    def git_url(self, app: str) -> str:
        return f"{self.url}/{app}.git"


@contextlib.contextmanager
def running() -> Iterator[Platform]:
    """Start a platform in a temporary home; stop it and remove the home in the end, whatever happens."""
    home = Path(tempfile.mkdtemp(prefix="homeport-bench-"))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HEROKU_", "HOMEPORT_"))}
    env = {**inherited, "HOMEPORT_HOME": str(home)}
    try:
        ports = [word for name in ("--port", "--http-port", "--ssh-port") for word in (name, "0")]
        subprocess.run([HOMEPORT, "up", "--detach", *ports], env=env, check=True, capture_output=True)
        exports = subprocess.run([HOMEPORT, "env"], env=env, check=True, capture_output=True, text=True).stdout
        evaluated = subprocess.run(
            ["bash", "-c", 'eval "$1"; env -0', "bash", exports], env=env, check=True, capture_output=True, text=True
        ).stdout
        said: dict[str, Any] = json.loads((home / "run" / "daemon.json").read_text())
        yield Platform(
            home=home,
            env={**dict(line.split("=", 1) for line in evaluated.split("\0") if line), "GIT_TERMINAL_PROMPT": "0"},
            url=said["url"],
            domain=said["domain"],
            https_port=said["https_port"],
            http_port=said["http_port"],
            pid=said["pid"],
        )
    finally:
        subprocess.run([HOMEPORT, "down"], env=env, check=False, capture_output=True)
        shutil.rmtree(home, ignore_errors=True)


class Repository:
    """The hello app as its author has it, in a folder of its own."""

    def __init__(self, folder: Path, env: dict[str, str], *, variant: str = "") -> None:
        self.folder = folder
        self._env = env
        hello.write(folder)
        if variant:  # other requirements in the platform's eyes, the same work to install them
            with (folder / "requirements.txt").open("a") as requirements:
                requirements.write(f"# {variant}\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit("first")

    def git(self, *words: str) -> None:
        identity = ["-c", "user.name=bench", "-c", "user.email=bench@localhost", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *words], cwd=self.folder, env=self._env, check=True, capture_output=True)

    def commit(self, version: str) -> None:
        """Change one line of code, so that the app answers with `version`."""
        code = self.folder / "app.py"
        lines = [
            f'VERSION = "{version}"' if line.startswith("VERSION") else line for line in code.read_text().splitlines()
        ]
        code.write_text("\n".join(lines) + "\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", version)


def answer(port: int, host: str, path: str = "/") -> tuple[int, str]:
    """Status and body of one request on a connection of its own; (0, "") when there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()


def wait_for(port: int, host: str, text: str, *, seconds: float = 120) -> float:
    """The moment (`time.perf_counter()`) of the first 200 whose body has `text` in it."""
    deadline = time.perf_counter() + seconds
    while time.perf_counter() < deadline:
        status, body = answer(port, host)
        if status == 200 and text in body:
            return time.perf_counter()
        time.sleep(0.005)
    raise TimeoutError(f"{host} did not answer with {text!r} within {seconds:.0f} seconds")
