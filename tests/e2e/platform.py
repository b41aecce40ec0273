"""A real platform for the end-to-end tests: the daemon, git and both command lines, in a folder of their own."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
HOMEPORT = Path(sys.executable).parent / "homeport"
HEROKU = ROOT / ".node" / "node_modules" / ".bin" / "heroku"

# What the machine needs to reach package registries; nothing else of the caller's environment gets in.
_KEPT = re.compile(
    r"PATH|LANG|TMPDIR|PIP_.*|UV_.*|SSL_CERT_.*|REQUESTS_CA_BUNDLE|NODE_EXTRA_CA_CERTS|PYENV_ROOT|HOMEPORT_FETCH_NETWORKS|.*_PROXY"
)


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def both(self) -> str:
        return self.out + self.err

    def ok(self) -> Result:
        assert self.code == 0, f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"
        return self


@dataclass
class Platform:
    """One `$HOMEPORT_HOME` with its daemon, and a folder for projects."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    _endpoint: dict[str, Any] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def base(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
        person = {"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com"}
        person |= {"GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.com"}
        user = self.folder / "user"
        user.mkdir(exist_ok=True)
        return {**kept, **person, "HOME": str(user), "HOMEPORT_HOME": str(self.home), "TERM": "dumb"}

    def up(self, *arguments: str) -> None:
        self.homeport("up", "--detach", "--port", "0", "--http-port", "0", *arguments, environment=self.base()).ok()
        exports = self.homeport("env", environment=self.base()).ok().out
        shown = subprocess.run(
            ["bash", "-c", f"{exports}\nenv -0"], env=self.base(), capture_output=True, text=True, check=True
        ).stdout
        self.environment = dict(item.split("=", 1) for item in shown.split("\0") if "=" in item)
        self.environment["PATH"] = f"{HEROKU.parent}:{self.environment['PATH']}"

    def down(self) -> None:
        self.homeport("down", environment=self.base())

    @property
    def endpoint(self) -> dict[str, Any]:
        """What the daemon last said of itself; it takes the file away when it stops."""
        path = self.home / "run/daemon.json"
        if path.exists():
            self._endpoint = json.loads(path.read_text())
        return self._endpoint

    def url(self, app: str) -> str:
        return f"https://{app}.localhost:{self.endpoint['https_port']}"

    def run(
        self,
        *command: str,
        cwd: Path | None = None,
        environment: dict[str, str] | None = None,
        stdin: str | None = "",
        seconds: float = 300,
    ) -> Result:
        done = subprocess.run(
            command,
            cwd=cwd or self.folder,
            env=environment or self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def homeport(self, *arguments: str, **options: Any) -> Result:
        return self.run(str(HOMEPORT), *arguments, **options)

    def heroku(self, *arguments: str, **options: Any) -> Result:
        return self.run(str(HEROKU), *arguments, **options)

    def git(self, project: Path, *arguments: str, **options: Any) -> Result:
        return self.run("git", *arguments, cwd=project, **options)

    def project(self, name: str, files: dict[str, str] | Path) -> Path:
        """A git repository with these files (or a copy of this folder), committed on main."""
        folder = self.folder / "projects" / name
        if isinstance(files, Path):
            shutil.copytree(files, folder, ignore=shutil.ignore_patterns("__pycache__", ".venv", "*.db", "staticfiles"))
        else:
            folder.mkdir(parents=True)
            for path, content in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(content)
        self.git(folder, "init", "-q", "-b", "main").ok()
        self.commit(folder, "First")
        return folder

    def commit(self, project: Path, message: str = "Change") -> None:
        self.git(project, "add", "-A").ok()
        self.git(project, "commit", "-q", "--allow-empty", "-m", message).ok()

    def get(
        self, app: str, path: str = "/", *, headers: dict[str, str] | None = None, plain: bool = False
    ) -> tuple[int, str]:
        """Status and body of the app's answer through the router: by https, certificate checked, or by plain http."""
        # The name of the app need not resolve on this machine: connect to loopback, say the name in SNI and Host.
        host, port = f"{app}.localhost", self.endpoint["http_port" if plain else "https_port"]
        done = subprocess.run(
            [
                "curl", "-sS", "--cacert", self.endpoint["ca"], "--resolve", f"{host}:{port}:127.0.0.1",
                *[part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")],
                "-w", "\n%{http_code}", f"{'http' if plain else 'https'}://{host}:{port}{path}",
            ],
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        body, _, status = done.stdout.rpartition("\n")
        return int(status), body

    def eventually(self, check: Any, seconds: float = 30, what: str = "") -> Any:
        """The first true value of `check()`; real processes need a moment."""
        deadline = time.monotonic() + seconds
        while True:
            value = check()
            if value:
                return value
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
            time.sleep(0.1)


def shell(command: str) -> list[str]:
    return shlex.split(command)
