"""`poetry.lock`: which of its packages the app needs, under which markers. All versions of the format since 1.0.

Version 2.1 says for each package in which groups it is; before, it has to be found out by following the dependencies
from those of the project: https://python-poetry.org/docs/.
"""

from __future__ import annotations

import contextlib
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier
from packaging.utils import canonicalize_name

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.python.requirements import Local
from homeport.buildpacks.python.versions import caret
from homeport.buildpacks.reading import read_text

Table = Mapping[str, Any]

PYPI = re.compile(r"https?://(pypi\.org|pypi\.python\.org|files\.pythonhosted\.org)/simple/?")
"""PyPI itself is never named to uv: the operator may have set a mirror of it."""

_ALWAYS = ""
_MOST_ALTERNATIVES = 8  # markers under which a package is needed; beyond that it is simply installed


@dataclass(frozen=True)
class Edge:
    """Somebody needs `name` with these extras where `marker` holds."""

    name: str
    extras: frozenset[str] = frozenset()
    marker: str = _ALWAYS


@dataclass(frozen=True)
class Locked:
    """The packages of the lock file that the app needs, as lines of a requirements file."""

    lines: list[str]
    names: frozenset[str]
    pins: dict[str, str]
    locals: list[Local] = field(default_factory=list)


def read(source: Path) -> Locked:
    """The main group. Raises `tomllib.TOMLDecodeError`, `KeyError`, `TypeError`, and `BuildFailed` (outdated)."""
    project = tomllib.loads(read_text(source, "pyproject.toml") or "")
    lock = tomllib.loads(read_text(source, "poetry.lock") or "")
    packages: list[Table] = [package for package in lock.get("package", []) if isinstance(package, dict)]
    roots = list(root_edges(project))
    _refuse_outdated(roots, packages)
    needed = by_group(packages) if _has_groups(packages) else by_reach(packages, roots)
    files = lock.get("metadata", {}).get("files", {})
    locked = Locked([], frozenset(edge.name for edge in roots), {})
    for package in packages:
        name = str(canonicalize_name(package["name"]))
        if (name, package["version"]) in needed:
            locked.pins[name] = package["version"]
            marker = needed[name, package["version"]]
            hashes = package.get("files") or files.get(package["name"], [])
            locked.lines.append(_line(source, package, marker, hashes, locked.locals))
    locked.lines[:0] = sorted({line for package in packages if (line := _index(package))})
    if _installs_itself(source, project):
        locked.lines.append(f"-e {source}")
        locked.locals.append(Local(".", editable=True))
    return locked


def root_edges(project: Table) -> Iterator[Edge]:
    """What `pyproject.toml` asks for in its main group, in Poetry's own form or the standard one."""
    for text in project.get("project", {}).get("dependencies", []):
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        marker = str(requirement.marker) if requirement.marker else _ALWAYS
        yield Edge(str(canonicalize_name(requirement.name)), frozenset(requirement.extras), marker)
    poetry = project.get("tool", {}).get("poetry", {})
    main = poetry.get("group", {}).get("main", {}).get("dependencies", {})
    for name, value in {**poetry.get("dependencies", {}), **main}.items():
        if name.lower() != "python":
            yield from _edges(name, value)


def _edges(name: str, value: Any, *, wanted_extras: frozenset[str] | None = None) -> Iterator[Edge]:
    """One entry of a dependency table: a constraint, a table, or several tables for different markers."""
    for entry in value if isinstance(value, list) else [value]:
        table: Table = entry if isinstance(entry, dict) else {}
        optional = bool(table.get("optional"))
        if optional and (wanted_extras is None or canonicalize_name(name) not in wanted_extras):
            continue
        marker = _marker(table)
        extras = frozenset(table.get("extras", ()))
        yield Edge(str(canonicalize_name(name)), extras, _ALWAYS if optional and "extra" in marker else marker)


def _marker(table: Table) -> str:
    parts = [str(table["markers"])] if table.get("markers") else []
    if isinstance(table.get("python"), str):
        with contextlib.suppress(InvalidSpecifier, ValueError):
            parts += [f'python_full_version {spec.operator} "{spec.version}"' for spec in caret(table["python"])]
    if isinstance(table.get("platform"), str):
        parts.append(f'sys_platform == "{table["platform"]}"')
    return " and ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)


def _has_groups(packages: Sequence[Table]) -> bool:
    return bool(packages) and all("groups" in package for package in packages)


Key = tuple[str, str]


def by_group(packages: Sequence[Table]) -> dict[Key, str]:
    """Markers of the packages of the main group, in the format of Poetry 2."""
    needed = {}
    for package in packages:
        if "main" in package["groups"]:
            markers = package.get("markers", _ALWAYS)
            marker = markers.get("main", _ALWAYS) if isinstance(markers, dict) else markers
            needed[str(canonicalize_name(package["name"])), package["version"]] = str(marker)
    return needed


def by_reach(packages: Sequence[Table], roots: Sequence[Edge]) -> dict[Key, str]:
    """Markers of the packages that the roots lead to. A package is needed where any way to it is open."""
    by_name: dict[str, list[Table]] = {}
    for package in packages:
        by_name.setdefault(str(canonicalize_name(package["name"])), []).append(package)
    alternatives: dict[str, set[str]] = {}
    seen: set[Edge] = set()
    pending = list(roots)
    while pending:
        edge = pending.pop()
        if edge in seen or edge.name not in by_name:
            continue
        seen.add(edge)
        markers = alternatives.setdefault(edge.name, set())
        marker = _ALWAYS if len(markers) >= _MOST_ALTERNATIVES else edge.marker
        if any(f"({known})" in marker for known in markers):
            continue  # a narrower way to where another way leads already
        markers.add(marker)
        for package in by_name[edge.name]:
            for following in _dependencies(package, edge.extras):
                pending.append(Edge(following.name, following.extras, _both(marker, following.marker)))
    return {
        (name, package["version"]): _any(alternatives[name])
        for name, versions in by_name.items()
        if name in alternatives
        for package in versions
    }


def _dependencies(package: Table, extras: frozenset[str]) -> Iterator[Edge]:
    wanted = frozenset(
        str(canonicalize_name(match[0]))
        for extra, entries in package.get("extras", {}).items()
        if extra in extras
        for entry in entries
        if (match := re.match(r"[A-Za-z0-9._-]+", entry))
    )
    for name, value in package.get("dependencies", {}).items():
        yield from _edges(name, value, wanted_extras=wanted)


def _both(one: str, other: str) -> str:
    if not one or not other or one == other:
        return one or other
    return one if f"({other})" in one else f"({one}) and ({other})"


def _any(markers: set[str]) -> str:
    if _ALWAYS in markers:
        return _ALWAYS
    return " or ".join(f"({marker})" for marker in sorted(markers)) if len(markers) > 1 else next(iter(markers))


def _line(source: Path, package: Table, marker: str, hashes: Sequence[Table], found: list[Local]) -> str:
    name, version, origin = package["name"], package["version"], package.get("source", {})
    condition = f" ; {marker}" if marker else ""
    match origin.get("type"):
        case "git":
            subfolder = f"#subdirectory={origin['subdirectory']}" if origin.get("subdirectory") else ""
            return f"{name} @ git+{origin['url']}@{origin['resolved_reference']}{subfolder}{condition}"
        case "url":
            return f"{name} @ {origin['url']}{condition}"
        case "directory" | "file":
            editable = bool(package.get("develop"))
            found.append(Local(str((source / origin["url"]).resolve().relative_to(source.resolve())), editable))
            path = source / origin["url"]
            return f"-e {path}" if editable else f"{name} @ file://{path}{condition}"
        case _:
            return f"{name}=={version}{condition}" + "".join(f" --hash={entry['hash']}" for entry in hashes)


def _index(package: Table) -> str | None:
    origin = package.get("source", {})
    foreign = origin.get("type") == "legacy" and not PYPI.fullmatch(origin["url"])
    return f"--extra-index-url {origin['url']}" if foreign else None


def _installs_itself(source: Path, project: Table) -> bool:
    """Whether the project is a package that can be installed; many apps are none, and Poetry then passes over it."""
    poetry = project.get("tool", {}).get("poetry", {})
    if "build-system" not in project or poetry.get("package-mode") is False:
        return False
    if "packages" in poetry or "include" in poetry:
        return True
    name = str(poetry.get("name") or project.get("project", {}).get("name") or "").replace("-", "_").lower()
    places = (source / name, source / "src" / name, source / f"{name}.py")
    return bool(name) and any(place.exists() for place in places)


def _refuse_outdated(roots: Sequence[Edge], packages: Sequence[Table]) -> None:
    locked = {canonicalize_name(package["name"]) for package in packages}
    missing = sorted({edge.name for edge in roots} - locked)
    if missing:
        raise BuildFailed(
            FailureId.LOCKFILE_OUTDATED,
            "poetry.lock does not fit pyproject.toml any more.",
            why=f"pyproject.toml asks for packages that the lock file does not have: {', '.join(missing[:10])}.",
            fix="Make it again, commit it and push:\n\n  poetry lock\n  git commit -am 'Update the lock file'",
        )
