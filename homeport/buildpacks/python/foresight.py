"""What can be told about the dependencies of a source before anything is built: for whoever looks ahead.

The rules are those of a build, so that what is foretold is what happens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.python import locks
from homeport.buildpacks.python.dependencies import read_toml, requirement_names
from homeport.buildpacks.python.package_managers import Manager, determine
from homeport.buildpacks.python.requirements import scan
from homeport.buildpacks.python.versions import OLDEST, Version, requested, too_old


@dataclass(frozen=True)
class Foresight:
    """What a build would install.

    `file` is where people write what they want. `names` are packages by their canonical names, `pins` those with an
    exact version. `complete`: these are all packages, those that others bring along too, as a lock file says it.
    `plain`: the file is a requirements.txt without checksums, to which a line can be added. `python` is the version
    that is asked for, if one is.
    """

    file: str
    names: frozenset[str]
    pins: Mapping[str, str] = field(default_factory=dict)
    complete: bool = False
    plain: bool = False
    python: Version | None = None


def foresee(source: Path) -> Foresight:
    """Read the files that decide; nothing is run. Raises `BuildFailed` where a build would, before it installs."""
    manager = determine(source, {})
    asked = requested(source, lockfile=manager.file)
    if asked is not None and asked.version is not None and asked.version < OLDEST:
        raise too_old(asked)
    python = asked.version if asked is not None else None
    match manager:
        case Manager.PIP:
            found = scan(source, "requirements.txt")
            return Foresight(
                "requirements.txt", frozenset(found.names), found.pins, plain=not found.hashed, python=python
            )
        case Manager.PIPENV | Manager.POETRY:
            lock = locks.pipenv(source) if manager is Manager.PIPENV else locks.poetry(source)
            names = lock.names | frozenset(lock.pins)
            return Foresight(manager.edited, names, lock.pins, complete=True, python=python)
        case Manager.UV:
            try:
                pins = _installed_by_uv(read_toml(source, "uv.lock"))
            except (KeyError, TypeError, AttributeError) as error:
                raise BuildFailed(
                    FailureId.LOCKFILE_INVALID,
                    "uv.lock cannot be read.",
                    why=f"It is not the file that uv writes ({type(error).__name__}: {error}).",
                    fix="Make it again and commit it:\n\n  uv lock\n  git add uv.lock",
                ) from error
            return Foresight(manager.edited, frozenset(pins), pins, complete=True, python=python)
        case Manager.PYPROJECT:
            project = read_toml(source, "pyproject.toml").get("project", {})
            asked_for = project.get("dependencies", []) if isinstance(project, dict) else []
            return Foresight("pyproject.toml", requirement_names(asked_for), python=python)


def _installed_by_uv(lock: Mapping[str, Any]) -> dict[str, str]:
    """Versions by name of what the project itself leads to, without its development groups."""
    packages = {str(entry["name"]): entry for entry in lock.get("package", []) if isinstance(entry, dict)}
    found: dict[str, str] = {}
    waiting = [name for name, entry in packages.items() if {"virtual", "editable"} & set(entry.get("source") or {})]
    while waiting:
        name = waiting.pop()
        entry = packages.get(name)
        if entry is None or name in found:
            continue
        found[name] = str(entry.get("version", ""))
        waiting += [str(needed["name"]) for needed in entry.get("dependencies", [])]
        extras = entry.get("optional-dependencies", {}).values()
        waiting += [str(needed["name"]) for extra in extras for needed in extra]
    return found
