"""Which Python an app asks for: https://devcenter.heroku.com/articles/python-runtimes.

Heroku's order: `runtime.txt`, `.python-version`, the lock file; then what the last build used, then a default.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.reading import read_text

Version = tuple[int, ...]
"""(3, 8) or (3, 8, 18)."""

DEFAULT: Version = (3, 13)
OLDEST: Version = (3, 6)
"""The oldest Python that uv can make an environment for."""

_VERSION = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)(?:\.(0|[1-9]\d*))?")

# First releases: https://peps.python.org/topic/release/
_RELEASED: tuple[tuple[date, Version], ...] = (
    (date(2016, 12, 23), (3, 6)),
    (date(2018, 6, 27), (3, 7)),
    (date(2019, 10, 14), (3, 8)),
    (date(2020, 10, 5), (3, 9)),
    (date(2021, 10, 4), (3, 10)),
    (date(2022, 10, 24), (3, 11)),
    (date(2023, 10, 2), (3, 12)),
    (date(2024, 10, 7), (3, 13)),
)
_ADOPTION = timedelta(days=180)
"""How long after its release a Python was what people deployed with: wheels of C extensions follow late."""

_MISSPELT = re.compile(r"[\s'\",.]*python[ ._-]?version[\s'\".]*(txt|py|rtf|md)?[\s'\"]*", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    """A version (`3.8` or `3.8.18`), or a range of versions, and the place that asks for it.

    `named`: the app says so itself. `firm`: another minor version must not be taken instead.
    """

    origin: str
    version: Version | None = None
    within: SpecifierSet | None = None
    preferred: Version | None = None  # among those of a range
    named: bool = True
    firm: bool = True

    @property
    def text(self) -> str:
        return dotted(self.version) if self.version else str(self.within or "")


def dotted(version: Iterable[int]) -> str:
    return ".".join(map(str, version))


def parse(text: str) -> Version | None:
    match = _VERSION.fullmatch(text.strip())
    return tuple(int(part) for part in match.groups() if part is not None) if match else None


def requested(source: Path, *, lockfile: str | None) -> Request | None:
    """What the source asks for; `lockfile` is the package manager's own file. None when it says nothing.

    Raises `BuildFailed`: `python_version_misspelt`, `python_version_invalid`.
    """
    return _runtime_txt(source) or _python_version_file(source) or _from_lock(source, lockfile)


def of_its_time(day: date) -> Version:
    """The Python that a project of this day was most likely deployed with."""
    fitting = [version for released, version in _RELEASED if day >= released + _ADOPTION]
    return fitting[-1] if fitting else _RELEASED[0][1]


def _runtime_txt(source: Path) -> Request | None:
    text = read_text(source, "runtime.txt")
    if text is None:
        return None
    lines = _meaningful(text)
    version = parse(lines[0].removeprefix("python-")) if len(lines) == 1 and lines[0].startswith("python-") else None
    if version is None:
        found = lines[0] if lines else "nothing"
        raise _invalid("runtime.txt", found, "python-3.12", "It must say 'python-' and a version, in one line.")
    return Request("runtime.txt", version)


def _python_version_file(source: Path) -> Request | None:
    text = read_text(source, ".python-version")
    if text is None:
        _refuse_misspelt(source)
        return None
    lines = _meaningful(text)
    if len(lines) != 1:
        found = ", ".join(lines[:5]) or "nothing"
        raise _invalid(".python-version", found, "3.12", "It must name exactly one version.")
    version = parse(lines[0])
    if version is None:
        why = "A version is digits and dots; quotes, a 'python-' in front and wildcards are not understood."
        raise _invalid(".python-version", lines[0], "3.12", why)
    return Request(".python-version", version)


def _from_lock(source: Path, lockfile: str | None) -> Request | None:
    if lockfile == "Pipfile.lock":
        return _pipfile_lock(source)
    if lockfile in ("uv.lock", "poetry.lock", "pyproject.toml"):
        return _pyproject(source)
    return None


def _pipfile_lock(source: Path) -> Request | None:
    try:
        requires = json.loads(read_text(source, "Pipfile.lock") or "{}").get("_meta", {}).get("requires", {})
        asked = requires.get("python_full_version") or requires.get("python_version")
    except (ValueError, AttributeError):
        return None  # reading the dependencies says what is wrong with the file
    if not asked:
        return None
    version = parse(str(asked))
    if version is None:
        raise _invalid("Pipfile", str(asked), "3.12", "Run 'pipenv lock' again after correcting python_version.")
    return Request("Pipfile.lock", version)


def _pyproject(source: Path) -> Request | None:
    try:
        document = tomllib.loads(read_text(source, "pyproject.toml") or "")
        asked = document.get("project", {}).get("requires-python")
        poetry = document.get("tool", {}).get("poetry", {}).get("dependencies", {}).get("python")
        within = SpecifierSet(asked) if asked else caret(poetry) if isinstance(poetry, str) else None
    except (tomllib.TOMLDecodeError, InvalidSpecifier, AttributeError, TypeError):
        return None
    return Request("pyproject.toml", within=within) if within is not None else None


def caret(constraint: str) -> SpecifierSet:
    """Poetry's `^3.8` and `~3.8` as a standard specifier: https://python-poetry.org/docs/dependency-specification.

    Raises `InvalidSpecifier`.
    """
    parts = []
    for part in constraint.replace(" ", "").split(","):
        if part[:1] in "^~" and part[:2] != "~=":
            numbers = [int(number) for number in part[1:].split(".")]
            bump = 0 if part[0] == "^" or len(numbers) == 1 else 1
            parts += [f">={part[1:]}", f"<{dotted([*numbers[:bump], numbers[bump] + 1])}"]
        elif part != "*":
            parts.append(part if part[:1] in "<>=!~" else f"=={part}")
    return SpecifierSet(",".join(parts))


def _meaningful(text: str) -> list[str]:
    lines = (line.strip() for line in text.split("\n"))
    return [line for line in lines if line and not line.startswith("#")]


def _refuse_misspelt(source: Path) -> None:
    for entry in source.iterdir():
        if entry.name != ".python-version" and _MISSPELT.fullmatch(entry.name) and entry.is_file():
            raise BuildFailed(
                FailureId.PYTHON_VERSION_MISSPELT,
                f"Your .python-version file is named {entry.name!r}.",
                why="Only a file named exactly .python-version is read, so its version would be passed over.",
                fix=f"Rename it and push again:\n\n  git mv {entry.name!r} .python-version\n"
                "  git commit -m 'Name the Python version'",
            )


def _invalid(name: str, found: str, example: str, why: str) -> BuildFailed:
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in found[:80])
    return BuildFailed(
        FailureId.PYTHON_VERSION_INVALID,
        f"{name} does not name a Python version.",
        why=f"It says: {shown}\n{why}",
        fix=f"Make it say exactly this, with the version that you want:\n\n  {example}",
    )


def too_old(request: Request) -> BuildFailed:
    return BuildFailed(
        FailureId.PYTHON_VERSION_TOO_OLD,
        f"{request.origin} asks for Python {request.text}, which is older than Homeport can build for.",
        why=f"Python {dotted(OLDEST)} is the oldest that uv, which installs the dependencies, works with."
        + (" Python 2 ended in 2020." if request.version and request.version < (3,) else ""),
        fix=f"Port the app to a newer Python, then make {request.origin} name it.",
    )
