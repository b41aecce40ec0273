"""Pipenv's and Poetry's lock files as requirements that uv installs, without starting either of them."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.python.poetry import PYPI
from homeport.buildpacks.python.poetry import read as read_poetry
from homeport.buildpacks.python.requirements import Local
from homeport.buildpacks.reading import read_text

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


@dataclass(frozen=True)
class Lock:
    """The lines of a requirements file, and what they name."""

    lines: tuple[str, ...]
    names: frozenset[str]
    pins: Mapping[str, str]
    locals: tuple[Local, ...] = ()
    variables: frozenset[str] = frozenset()


def pipenv(source: Path) -> Lock:
    """The default packages of `Pipfile.lock`. Raises `BuildFailed` (`lockfile_invalid`)."""
    try:
        document = json.loads(read_text(source, "Pipfile.lock") or "")
        sources = document["_meta"].get("sources", [])
        default = document["default"]
        lines = _index_lines(sources)
        found: list[Local] = []
        for name, entry in default.items():
            lines.append(_pipenv_line(source, name, entry, found))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _invalid("Pipfile.lock", error, "pipenv lock") from error
    asked = _pipfile_names(source)
    return Lock(
        lines=tuple(lines),
        names=asked or frozenset(str(canonicalize_name(name)) for name in default),
        pins={
            str(canonicalize_name(name)): str(entry.get("version", "")).lstrip("=") for name, entry in default.items()
        },
        locals=tuple(found),
        variables=frozenset(_VARIABLE.findall(" ".join(lines))),
    )


def _index_lines(sources: Iterable[Mapping[str, Any]]) -> list[str]:
    urls = [_VARIABLE.sub(r"${\1}", str(index["url"])) for index in sources]
    option = "--index-url" if len(urls) == 1 else "--extra-index-url"
    return [f"{option} {url}" for url in urls if not PYPI.fullmatch(url)]


def _pipenv_line(source: Path, name: str, entry: Mapping[str, Any], found: list[Local]) -> str:
    extras = f"[{','.join(entry['extras'])}]" if entry.get("extras") else ""
    marker = f" ; {entry['markers']}" if entry.get("markers") else ""
    if path := entry.get("path") or (entry.get("file") if "://" not in str(entry.get("file", "")) else None):
        return _local_line(source, name, extras, str(path), bool(entry.get("editable")), found)
    if "git" in entry:
        subdirectory = f"#subdirectory={entry['subdirectory']}" if entry.get("subdirectory") else ""
        return f"{name}{extras} @ git+{entry['git']}@{entry.get('ref') or 'HEAD'}{subdirectory}{marker}"
    if "file" in entry:
        return f"{name}{extras} @ {entry['file']}{marker}"
    hashes = "".join(f" --hash={digest}" for digest in entry.get("hashes", []))
    return f"{name}{extras}{entry['version']}{marker}{hashes}"


def _local_line(source: Path, name: str, extras: str, path: str, editable: bool, found: list[Local]) -> str:
    inside = (source / path).resolve()
    found.append(Local(str(inside.relative_to(source.resolve())), editable))
    return f"-e {source / path}{extras}" if editable else f"{name}{extras} @ file://{source / path}"


def _pipfile_names(source: Path) -> frozenset[str]:
    try:
        packages = tomllib.loads(read_text(source, "Pipfile") or "").get("packages", {})
    except tomllib.TOMLDecodeError:
        return frozenset()
    return frozenset(str(canonicalize_name(name)) for name in packages)


def poetry(source: Path) -> Lock:
    """The main group of `poetry.lock`. Raises `BuildFailed`: `lockfile_invalid`, `lockfile_outdated`."""
    try:
        locked = read_poetry(source)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _invalid("poetry.lock", error, "poetry lock") from error
    return Lock(tuple(locked.lines), locked.names, locked.pins, tuple(locked.locals))


def _invalid(name: str, error: Exception, command: str) -> BuildFailed:
    detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return BuildFailed(
        FailureId.LOCKFILE_INVALID,
        f"{name} cannot be read.",
        why=f"It is not the file that the package manager writes ({type(error).__name__}: {detail}).",
        fix=f"Make it again, commit it and push:\n\n  {command}\n  git add {name}\n"
        "  git commit -m 'Lock the dependencies'",
    )
