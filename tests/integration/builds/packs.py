"""Classic buildpacks that tests make: git repositories and archives, in a folder or behind a server on loopback."""

from __future__ import annotations

import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DETECT = "#!/usr/bin/env bash\necho Greeting\n"
SCHEMES = {"HOMEPORT_BUILDPACK_SCHEMES": "file http"}


def git(folder: Path, *arguments: str) -> str:
    env = {
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
           for what, value in (("NAME", "A"), ("EMAIL", "a@example.com"))},
    }  # fmt: skip
    done = subprocess.run(["git", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Pack:
    """A repository with a buildpack in it; each `write` is a commit."""

    def __init__(self, folder: Path, scripts: Mapping[str, str]) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet", "--initial-branch=main")
        self.write({"bin/detect": DETECT, **scripts})

    @property
    def url(self) -> str:
        return self.folder.as_uri()

    def write(self, files: Mapping[str, str]) -> str:
        """Returns the new commit."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--message", "A version")
        return git(self.folder, "rev-parse", "HEAD")

    def archive(self, to: Path, top: str = "") -> Path:
        with tarfile.open(to, "w:gz") as tar:
            tar.add(self.folder / "bin", f"{top}bin")
        return to


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The URL of a folder behind an HTTP server."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
