"""What is to be installed, whatever package manager says it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.python import locks
from homeport.buildpacks.python.editables import identity
from homeport.buildpacks.python.package_managers import Manager
from homeport.buildpacks.python.requirements import Line, Local, Scan, scan
from homeport.buildpacks.python.uv import Plan
from homeport.buildpacks.reading import read_bytes, read_text


@dataclass(frozen=True)
class Wanted:
    """The dependencies of a project.

    `plan` is None where `uv sync` reads the lock file itself. `inputs` are the bytes and digests that decide what
    gets installed. `names` are the packages asked for directly, `pins` those with an exact version. `rewritten`
    are requirements files in a form that uv understands, to be put in place while it runs. `foreign` are names of
    packages by their paths on other machines.
    """

    manager: Manager
    command: str
    plan: Plan | None
    inputs: Mapping[str, object]
    names: frozenset[str] = frozenset()
    pins: Mapping[str, str] = field(default_factory=dict)
    rewritten: Mapping[str, str] = field(default_factory=dict)
    dropped: tuple[Line, ...] = ()
    foreign: Mapping[str, str] = field(default_factory=dict)
    hashed: bool = False
    indexes: bool = False  # names others than the usual one
    variables: frozenset[str] = frozenset()
    trusted_hosts: tuple[str, ...] = ()


def read(source: Path, manager: Manager, scratch: Path) -> Wanted:
    """Read a project's dependencies; generated requirements files go to `scratch`.

    Raises `BuildFailed`: `lockfile_invalid`, `requirements_file_missing`, `source_unreadable`.
    """
    match manager:
        case Manager.PIP:
            return _pip(source)
        case Manager.PIPENV:
            return _generated(source, manager, locks.pipenv(source), scratch)
        case Manager.POETRY:
            return _generated(source, manager, locks.poetry(source), scratch)
        case Manager.UV:
            return _uv(source)
        case Manager.PYPROJECT:
            return _pyproject(source)


def _pip(source: Path) -> Wanted:
    found = scan(source, "requirements.txt")
    return Wanted(
        manager=Manager.PIP,
        command="uv pip install -r requirements.txt",
        plan=Plan(files=("requirements.txt",), prereleases=found.prereleases),
        inputs={"files": found.files, **_identities(source, found), "configuration": _configuration(source)},
        names=frozenset(found.names),
        pins=found.pins,
        rewritten=found.rewritten,
        dropped=tuple(found.dropped),
        foreign=found.foreign,
        hashed=found.hashed,
        indexes=found.indexes,
        variables=frozenset(found.variables),
        trusted_hosts=tuple(found.trusted_hosts),
    )


def _identities(source: Path, found: Scan) -> dict[str, object]:
    packages = {f"{local.path}:{local.editable}": _identity(source, local) for local in found.locals}
    wheels = [folder for folder in found.folders if (source / folder).exists()]
    folders = {folder: identity(source, folder, editable=False) for folder in wheels}
    return {"packages": packages, "folders": folders}


def _identity(source: Path, local: Local) -> str:
    return identity(source, local.path, editable=local.editable)


def _configuration(source: Path) -> dict[str, object]:
    """uv's own settings in the project, which it obeys on `uv pip install` too."""
    project = read_text(source, "pyproject.toml") or ""
    try:
        settings = tomllib.loads(project).get("tool", {}).get("uv", {})
    except tomllib.TOMLDecodeError:
        settings = project
    return {"uv.toml": read_bytes(source, "uv.toml"), "tool.uv": repr(settings)}


def _generated(source: Path, manager: Manager, lock: locks.Lock, scratch: Path) -> Wanted:
    file = scratch / f"{manager.file}.txt"
    file.write_text("\n".join(lock.lines) + "\n")
    local = {f"{entry.path}:{entry.editable}": _identity(source, entry) for entry in lock.locals}
    return Wanted(
        manager=manager,
        command=f"uv pip install (the {len(lock.pins)} packages of {manager.file})",
        plan=Plan(files=(str(file),), dependencies=False),
        inputs={"lines": [line.replace(str(source), "") for line in lock.lines], "packages": local},
        names=lock.names,
        pins=lock.pins,
        indexes=any("index-url" in line for line in lock.lines),
        hashed=any("--hash" in line for line in lock.lines),
        variables=lock.variables,
    )


def _uv(source: Path) -> Wanted:
    document = read_toml(source, "pyproject.toml")
    lock = read_toml(source, "uv.lock")
    members = [package for package in lock.get("package", []) if isinstance(package, dict)]
    paths = [
        (str(path), editable)
        for package in members
        for kind, editable in (("editable", True), ("directory", False), ("path", False))
        if isinstance(path := (package.get("source") or {}).get(kind), str) and not path.startswith("..")
    ]
    return Wanted(
        manager=Manager.UV,
        command="uv sync --locked --no-default-groups",
        plan=None,
        inputs={
            "pyproject.toml": read_bytes(source, "pyproject.toml"),
            "uv.lock": read_bytes(source, "uv.lock"),
            "uv.toml": read_bytes(source, "uv.toml"),
            "packages": {path: identity(source, path, editable=editable) for path, editable in paths
                         if (source / path).exists()},
        },
        names=requirement_names(document.get("project", {}).get("dependencies", [])),
        pins={str(canonicalize_name(package["name"])): str(package.get("version", "")) for package in members
              if "name" in package},
    )  # fmt: skip


def _pyproject(source: Path) -> Wanted:
    document = read_toml(source, "pyproject.toml")
    package = "build-system" in document
    inputs: dict[str, object] = {"pyproject.toml": read_bytes(source, "pyproject.toml")}
    if package:
        inputs["package"] = identity(source, ".", editable=True)
    return Wanted(
        manager=Manager.PYPROJECT,
        command=f"uv pip install {'--editable .' if package else '-r pyproject.toml'}",
        plan=Plan(requirements=("--editable", ".")) if package else Plan(files=("pyproject.toml",)),
        inputs=inputs,
        names=requirement_names(document.get("project", {}).get("dependencies", [])),
    )


def read_toml(source: Path, name: str) -> dict[str, Any]:
    """The document; empty when there is no such file. Raises `BuildFailed` (`lockfile_invalid`)."""
    try:
        return tomllib.loads(read_text(source, name) or "")
    except tomllib.TOMLDecodeError as error:
        raise BuildFailed(
            FailureId.LOCKFILE_INVALID,
            f"{name} is not valid TOML.",
            why=f"{error}",
            fix="Correct the file (a merge conflict left in it is the usual reason) and push again.",
        ) from error


def requirement_names(requirements: list[object]) -> frozenset[str]:
    """The canonical names in a list of PEP 508 requirements; what is none is passed over."""
    names = set()
    for text in requirements:
        try:
            names.add(str(canonicalize_name(Requirement(str(text)).name)))
        except InvalidRequirement:
            continue
    return frozenset(names)
