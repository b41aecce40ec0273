"""Reading requirements files: what they include, name and point at. Nothing is resolved here.

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.reading import decode, read_bytes

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*===?\s*([A-Za-z0-9.!+_-]+)\s*(?:;.*)?")
_EGG = re.compile(r"[#&]egg=([A-Za-z0-9._-]+)")
_VCS = re.compile(r"(git|hg|svn|bzr)\+")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")

_INCLUDES = {"-r": "file", "--requirement": "file", "-c": "constraint", "--constraint": "constraint"}
_FOLDERS = frozenset({"-f", "--find-links"})
_EDITABLES = frozenset({"-e", "--editable"})
_UNDERSTOOD_BY_UV = frozenset({
    *_INCLUDES, *_FOLDERS, *_EDITABLES, "-i", "--index-url", "--extra-index-url", "--no-index", "--no-binary",
    "--only-binary", "--require-hashes",
})  # fmt: skip


@dataclass(frozen=True)
class Local:
    """A package inside the source folder, as a path relative to it (`.` for the whole)."""

    path: str
    editable: bool


@dataclass(frozen=True)
class Line:
    """One logical line: continuation lines joined, comments gone."""

    file: str
    number: int
    text: str


@dataclass
class Scan:
    """What a requirements file and all that it includes say."""

    files: dict[str, bytes] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    pins: dict[str, str] = field(default_factory=dict)
    locals: list[Local] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)  # of wheels, for --find-links
    variables: set[str] = field(default_factory=set)  # ${NAME} that stand in the text
    prereleases: bool = False
    foreign: dict[str, str] = field(default_factory=dict)  # package names by paths on other machines
    hashed: bool = False
    trusted_hosts: list[str] = field(default_factory=list)
    indexes: bool = False  # names further indexes
    dropped: list[Line] = field(default_factory=list)  # options that only old versions of pip knew
    rewritten: dict[str, str] = field(default_factory=dict)  # file -> text that uv understands


def scan(source: Path, name: str) -> Scan:
    """Read a requirements file of the source with everything that it includes.

    Raises `BuildFailed`: `requirements_file_missing`, `source_unreadable`.
    """
    result = Scan()
    _scan_file(source, name, result, asked_by=None)
    return result


def _scan_file(source: Path, name: str, result: Scan, *, asked_by: Line | None) -> None:
    if name in result.files:
        return
    data = read_bytes(source, name)
    if data is None:
        raise _missing(name, asked_by)
    result.files[name] = data
    text = decode(data, name)
    kept: list[str] = []
    for line in logical_lines(name, text):
        kept.append(_scan_line(source, line, result))
    if any(new != line.text for new, line in zip(kept, logical_lines(name, text), strict=True)):
        result.rewritten[name] = "\n".join(kept) + "\n"


def logical_lines(name: str, text: str) -> Iterator[Line]:
    """Lines that say something. A backslash at the end joins the next line, `#` after a space begins a comment."""
    pending, first = "", 0
    for number, raw in enumerate(text.split("\n"), start=1):
        if not pending:
            first = number
        if raw.endswith("\\") and not raw.lstrip().startswith("#"):
            pending += raw[:-1] + " "
            continue
        joined, pending = pending + raw, ""
        stripped = re.sub(r"(^|\s)#.*$", "", joined).strip()
        if stripped:
            yield Line(name, first, stripped)
    if pending.strip():
        yield Line(name, first, pending.strip())


def _scan_line(source: Path, line: Line, result: Scan) -> str:
    """Take in one line; returns it as uv is to see it."""
    result.variables.update(_VARIABLE.findall(line.text))
    if line.text.startswith("-"):
        return _scan_option(source, line, result)
    requirement, options = _split_options(line.text)
    result.hashed |= any(option.startswith("--hash") for option in options)
    unknown = [option for option in options if not option.startswith(("--hash", "--config-setting"))]
    if unknown:
        result.dropped.append(Line(line.file, line.number, " ".join(unknown)))
        requirement_text = " ".join([requirement, *(option for option in options if option not in unknown)])
    else:
        requirement_text = line.text
    _scan_requirement(source, line.file, requirement, result)
    return requirement_text


def _scan_option(source: Path, line: Line, result: Scan) -> str:
    option, value = _option(line.text)
    if option in _INCLUDES:
        included = str(PurePosixPath(line.file).parent / value)
        if "://" not in value:
            _scan_file(source, _normal(included), result, asked_by=line)
    elif option in _EDITABLES:
        if _VCS.match(value):  # uv takes versions from a repository, but not as editable ones
            name = _EGG.search(value)
            if name is not None:
                result.names.add(canonicalize_name(name[1]))
            return f"{name[1]} @ {value.partition('#')[0]}" if name is not None else value
        _add_local(source, line.file, value, result, editable=True)
    elif option in _FOLDERS:
        folder = _normal(str(PurePosixPath(line.file).parent / value))
        if "://" not in value and _leads_inside(source, folder):
            result.folders.append(folder)
    elif option == "--pre":
        result.prereleases = True
        return ""
    elif option == "--trusted-host":
        result.trusted_hosts.append(value)
        return ""
    elif option == "--prefer-binary":
        return ""
    elif option in ("--extra-index-url", "-i", "--index-url"):
        result.indexes = True
    elif option not in _UNDERSTOOD_BY_UV:
        result.dropped.append(line)
        return ""
    return line.text


def _option(text: str) -> tuple[str, str]:
    """`-rbase.txt`, `-r base.txt`, `--requirement=base.txt` -> (option, value)."""
    if text.startswith("--"):
        option, separator, value = text.partition("=") if "=" in text.split(None, 1)[0] else text.partition(" ")
        return option, value.strip().strip("'\"") if separator else ""
    return text[:2], text[2:].strip().strip("'\"")


def _split_options(text: str) -> tuple[str, list[str]]:
    """`six==1.0 --hash=…` -> ("six==1.0", ["--hash=…"])."""
    requirement, separator, rest = text.partition(" --")
    if not separator:
        return text, []
    try:
        words = shlex.split("--" + rest)
    except ValueError:
        words = ("--" + rest).split()
    options: list[str] = []
    for word in words:
        if word.startswith("--") or not options:
            options.append(word)
        else:
            options[-1] += f"={word}"
    return requirement.strip(), options


def _scan_requirement(source: Path, file: str, requirement: str, result: Scan) -> None:
    path = requirement.partition(";")[0].strip()
    if path.startswith((".", "/", "file:")) or ("/" in path and (source / path.partition("[")[0]).is_dir()):
        _add_local(source, file, path, result, editable=False)
        return
    egg = _EGG.search(requirement)
    name = _NAME.match(requirement) if "://" not in requirement.partition("@")[0] else None
    if name is None and egg is not None:
        result.names.add(canonicalize_name(egg[1]))
    if name is None:
        return
    result.names.add(canonicalize_name(name[0]))
    pinned = _PINNED.fullmatch(requirement)
    if pinned is not None:
        result.pins[canonicalize_name(pinned[1])] = pinned[2]
    _, separator, target = requirement.partition("@")
    if separator and target.strip().startswith("file:"):
        target = target.partition(";")[0].strip()
        result.foreign[target] = canonicalize_name(name[0])
        _add_local(source, file, target, result, editable=False)


def _add_local(source: Path, file: str, value: str, result: Scan, *, editable: bool) -> None:
    bare = value.partition("#")[0].partition("[")[0].strip()
    if bare.startswith("file:"):
        bare = unquote(urlsplit(bare).path)
    if bare.startswith("/"):
        return  # somewhere on this machine; uv says what is wrong with it
    path = _normal(bare)  # pip and uv resolve paths from the current folder, which is the source's top
    if not (source / path).exists():
        path = _normal(str(PurePosixPath(file).parent / bare))
    if (source / path).exists() and _leads_inside(source, path):
        result.locals.append(Local(path, editable))


def _leads_inside(source: Path, path: str) -> bool:
    """Whether a path, links followed, stays in the source. What it names is read whole, and `/` would take for ever."""
    try:
        return (source / path).resolve().is_relative_to(source.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL in a name
        return False


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in PurePosixPath(path).parts:
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts) or "."


def _missing(name: str, asked_by: Line | None) -> BuildFailed:
    if asked_by is None:
        raise FileNotFoundError(name)
    return BuildFailed(
        FailureId.REQUIREMENTS_FILE_MISSING,
        f"{asked_by.file} includes {name}, which is not in your commit.",
        why=f"Line {asked_by.number} says: {asked_by.text[:200]}",
        fix=f"Commit the file (is it in your .gitignore?), or take the line out:\n\n  git add -f {name}",
    )
