"""What the tests of the example apps share: a copy to push, the app's own tests, steps with a name."""

from __future__ import annotations

import contextlib
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests.e2e.platform import ROOT, Platform

EXAMPLES = ROOT / "examples"


@contextlib.contextmanager
def step(said: str) -> Iterator[None]:
    """One step of a walkthrough. Whatever goes wrong in it says which step it was."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"in the step: {said}")
        raise


def copy(platform: Platform, example: str, name: str) -> Path:
    """The example as a repository of its own, for the Python of this machine."""
    project = platform.project(name, EXAMPLES / example)
    (project / ".python-version").write_text(f"{sys.version_info.major}.{sys.version_info.minor}\n")
    platform.commit(project, "The Python of this machine")
    return project


def picture(path: Path) -> Path:
    """A file with a small picture, a PNG: one colour, without any library."""
    size = 24

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)  # 8 bits for each of red, green and blue
    rows = (b"\0" + b"\x5b\x3f\xa8" * size) * size
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )
    return path


def own_tests_pass(example: str, scratch: Path, environment: dict[str, str] | None = None) -> None:
    """The example's own tests, in a virtual environment with what its README says to install."""
    python = _installed(EXAMPLES / example, scratch / "venv")
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=EXAMPLES / example,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", **(environment or {})},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _installed(folder: Path, environment: Path) -> Path:
    uv = str(Path(sys.executable).parent / "uv")
    python = environment / "bin/python"
    subprocess.run([uv, "venv", "-q", "--python", sys.executable, environment], check=True)
    if (folder / "uv.lock").exists():
        wanted = environment / "locked.txt"
        subprocess.run(
            [uv, "export", "-q", "--project", folder, "--frozen", "--no-emit-project", "-o", wanted],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    else:
        wanted = folder / "requirements-dev.txt"
    subprocess.run([uv, "pip", "install", "-q", "--python", python, "-r", wanted], check=True)
    return python
