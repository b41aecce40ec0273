"""From a folder on this machine to a `Project`: what a deploy would take along, and nothing that leads elsewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from homeport.doctor.project import Project
from homeport.errors import HomeportError

_SKIPPED = frozenset(
    ".git .hg .svn .venv venv env .env.d node_modules __pycache__ .tox .nox .mypy_cache .ruff_cache .pytest_cache "
    ".idea .vscode .heroku site-packages".split()
)
_MOST = 20_000  # files; a folder with more is a home folder rather than an app
_GIT_SECONDS = 20


def open_project(folder: Path) -> Project:
    """Raises `HomeportError` (`no_such_folder`, `nothing_to_check`, `too_many_files`)."""
    if not folder.is_dir():
        what = f"{folder} is a file." if folder.exists() else f"There is no folder {folder}."
        raise HomeportError("no_such_folder", what, fix="Name the folder of an app: homeport check path/to/app")
    tracked = _git(folder, "ls-files", "-z", "--cached")
    others = _git(folder, "ls-files", "-z", "--others", "--exclude-standard") or frozenset()
    if not tracked and not others:  # no repository, or one that is told to pass over all of this folder
        tracked, files, ignored = None, _walk(folder), frozenset[str]()
    else:
        tracked = tracked or frozenset()
        present = [path for path in tracked | others if os.path.lexists(folder / path)]
        files = [path for path in present if _stays_inside(folder, path)]
        ignored = frozenset(path for path in _top(folder) if path not in tracked and path not in others)
    if len(files) > _MOST:
        raise HomeportError(
            "too_many_files",
            f"{folder} has more than {_MOST:,} files.",
            fix="Name the folder of one app: homeport check path/to/app",
        )
    if not files:
        raise HomeportError("nothing_to_check", f"{folder} has no files.", fix="Name the folder of an app.")
    return Project(folder, files, tracked=tracked, ignored=ignored)


def changed(folder: Path, path: str) -> bool:
    """Whether git has an older content of a file than the folder; False outside of a repository."""
    return bool(_git(folder, "status", "--porcelain", "-z", "--", path))


def _git(folder: Path, *words: str) -> frozenset[str] | None:
    """The NUL-separated answer; None where there is no git or no repository.

    Nothing that a stranger's repository is configured to run is run, and nothing is written, the index neither.
    """
    program = shutil.which("git")
    if program is None:
        return None
    command = [program, "-c", "core.fsmonitor=false", "-C", str(folder), *words]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_GIT_SECONDS, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode:
        return None
    return frozenset(name.decode(errors="replace") for name in done.stdout.split(b"\0") if name)


def _top(folder: Path) -> list[str]:
    return [entry.name for entry in os.scandir(folder) if entry.is_file()]


def _stays_inside(folder: Path, path: str) -> bool:
    if not (folder / path).is_symlink():
        return True
    try:
        return (folder / path).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError):
        return False


def _walk(folder: Path) -> list[str]:
    """Every file; links to folders are not followed, what tools put there is left out."""
    found: list[str] = []
    for directory, folders, files in os.walk(folder):
        here = Path(directory)
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED and not (here / name / "pyvenv.cfg").exists()
        )
        found += [(here / name).relative_to(folder).as_posix() for name in files]
        if len(found) > _MOST:
            break
    return [path for path in found if _stays_inside(folder, path)]
