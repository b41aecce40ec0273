"""Which package manager a project uses: https://devcenter.heroku.com/articles/python-support."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.reading import inside, listing

SETTING = "HOMEPORT_PACKAGE_MANAGER"
"""Config var that decides between several."""


class Manager(Enum):
    """In Heroku's order. The value is what `HOMEPORT_PACKAGE_MANAGER` calls it."""

    PIPENV = "pipenv"
    PIP = "pip"
    POETRY = "poetry"
    UV = "uv"
    PYPROJECT = "pyproject"  # PEP 621 without a lock file; never one of several

    @property
    def file(self) -> str:
        return _FILES[self]

    @property
    def edited(self) -> str:
        """The file in which people write what they want."""
        return _EDITED.get(self, self.file)

    @property
    def relock(self) -> str:
        """The command that makes the lock file of it again, "" if there is none."""
        return {Manager.PIPENV: "pipenv lock", Manager.POETRY: "poetry lock", Manager.UV: "uv lock"}.get(self, "")

    @property
    def lockless(self) -> bool:
        """Whether it is known from the start that versions are not fixed."""
        return self is Manager.PYPROJECT


_FILES = {
    Manager.PIPENV: "Pipfile.lock",
    Manager.PIP: "requirements.txt",
    Manager.POETRY: "poetry.lock",
    Manager.UV: "uv.lock",
    Manager.PYPROJECT: "pyproject.toml",
}

_EDITED = {Manager.PIPENV: "Pipfile", Manager.POETRY: "pyproject.toml", Manager.UV: "pyproject.toml"}

_SIGNS = (
    ".python-version", "__init__.py", "app.py", "main.py", "manage.py", "wsgi.py", "asgi.py", "server.py",
    "setup.py", "setup.cfg", "runtime.txt", "Pipfile", "environment.yml", "environment.yaml", "pdm.lock",
)  # fmt: skip
_NEARLY = ("requirement.txt", "requeriments.txt", "requirments.txt", "requirements.text", "requirements.txt.txt",
           "requirements", "Requirements.txt", "requirement")  # fmt: skip


def looks_like_python(source: Path) -> bool:
    """Wider than what can be built, so that a project that lacks a file is told which one."""
    if any((source / name).exists() for name in (*_FILES.values(), *_SIGNS, *_NEARLY, "venv", ".venv")):
        return True
    return any(entry.name.endswith(".py") for entry in source.iterdir())


def has_manager(source: Path) -> bool:
    """Whether the files of one of ours are there."""
    return any(inside(source, name) for name in (*_FILES.values(), "Pipfile"))


def determine(source: Path, config: Mapping[str, str]) -> Manager:
    """The package manager whose file is there.

    Raises `BuildFailed`: `package_manager_missing`, `package_manager_ambiguous`, `package_manager_unknown`,
    `lockfile_missing`, `conda_unsupported`.
    """
    candidates: list[Manager] = [manager for manager in Manager if manager is not Manager.PYPROJECT]
    found = [manager for manager in candidates if inside(source, manager.file)]
    chosen = config.get(SETTING, "").strip().lower()
    if chosen:
        return _chosen(chosen, found, source)
    if inside(source, "Pipfile") and Manager.PIPENV not in found:
        raise _no_lock(found)
    if len(found) > 1:
        raise _ambiguous(found)
    if found:
        return found[0]
    if inside(source, "pyproject.toml") and not any(inside(source, name) for name in _CONDA):
        return Manager.PYPROJECT
    raise _missing(source)


_CONDA = ("environment.yml", "environment.yaml")


def _chosen(name: str, found: list[Manager], source: Path) -> Manager:
    known = {manager.value: manager for manager in Manager}
    manager = known.get(name)
    if manager is not None and inside(source, manager.file):
        return manager
    choices = [other.value for other in found] or ["(none: no package manager file is there)"]
    what = f"its file {manager.file} is not there" if manager else "Homeport knows no package manager of that name"
    raise BuildFailed(
        FailureId.PACKAGE_MANAGER_UNKNOWN,
        f"{SETTING} asks for {name!r}, but {what}.",
        why=f"Possible for this commit: {', '.join(choices)}.",
        fix=f"Set it to one of them, or let the build decide:\n\n  heroku config:unset {SETTING}",
    )


def _no_lock(found: list[Manager]) -> BuildFailed:
    other = found[0] if found else None
    return BuildFailed(
        FailureId.LOCKFILE_MISSING,
        "There is a Pipfile, but no Pipfile.lock.",
        why="Only the lock file says which versions your app was tested with. Heroku refuses this too.",
        fix="Make the lock file, commit it and push again:\n\n  pipenv lock\n  git add Pipfile.lock\n"
        "  git commit -m 'Lock the dependencies'"
        + (f"\n\nOr build from {other.file} instead:\n\n  heroku config:set {SETTING}={other.value}" if other else ""),
    )


def _ambiguous(found: list[Manager]) -> BuildFailed:
    files = "\n".join(f"  {manager.file} ({manager.value})" for manager in found)
    return BuildFailed(
        FailureId.PACKAGE_MANAGER_AMBIGUOUS,
        "Several package managers have their file in this commit.",
        why=f"They may ask for different versions, and a guess could run your app with the wrong ones:\n\n{files}",
        fix="Delete the files that you do not use any more. Or say which one counts, without changing the code:\n\n"
        f"  heroku config:set {SETTING}={found[0].value}",
    )


def _missing(source: Path) -> BuildFailed:
    if any(inside(source, name) for name in _CONDA):
        return BuildFailed(
            FailureId.CONDA_UNSUPPORTED,
            "This is a conda project (environment.yml), and the buildpack heroku/python does not build those.",
            why="conda's packages come from other places than pip's and are not interchangeable with them.",
            fix="Let the conda buildpack build it:\n\n  heroku buildpacks:set homeport/conda\n\n"
            "Or, if all that the app imports is on PyPI, list it in a requirements.txt and push again.",
        )
    nearly = next((name for name in _NEARLY if (source / name).is_file()), None)
    if nearly is not None:
        fix = f"{nearly} is not read because of its name. Rename it:\n\n  git mv {nearly} requirements.txt"
    elif inside(source, "setup.py"):
        fix = "To install your setup.py and what it asks for, add a requirements.txt with this line:\n\n  -e ."
    else:
        fix = (
            "Add a requirements.txt with one package a line (empty if the app needs none), commit and push it.\n"
            "If you have one: is it in a subfolder, or in your .gitignore?"
        )
    return BuildFailed(
        FailureId.PACKAGE_MANAGER_MISSING,
        "No file says which packages this Python app needs.",
        why="Looked for requirements.txt, Pipfile.lock, poetry.lock, uv.lock and pyproject.toml in the top folder,\n"
        f"which holds:\n\n{listing(source)}",
        fix=fix,
    )
