"""The Procfile: https://devcenter.heroku.com/articles/procfile.

One process type a line, `<name>: <command>`. Heroku passes over lines that it cannot read; so do we, but aloud.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.reading import read_text

NAME = "Procfile"

_LINE = re.compile(r"(?P<name>[A-Za-z0-9_-]+)\s*:(?:\s+(?P<command>\S.*)|(?P<tight>\S.*))?")
_MAX_NAME = 30  # Heroku's limit for the name of a process type


@dataclass(frozen=True)
class Procfile:
    """Commands by process type in the order of the file, and what deserves a word."""

    process_types: dict[str, str]
    warnings: list[str] = field(default_factory=list)


def read(source: Path) -> Procfile | None:
    """The Procfile of a source folder, None when it has none.

    Raises `BuildFailed`: `procfile_misspelt` when only a file with nearly this name is there, `procfile_invalid`
    when no line of it can be used, `source_unreadable` when it is no text.
    """
    text = read_text(source, NAME)
    if text is not None:
        return parse(text)
    if (source / NAME).is_dir():
        raise BuildFailed(
            FailureId.PROCFILE_INVALID,
            "Procfile is a folder.",
            why="Homeport reads the commands of your process types from a file of this name.",
            fix="Rename the folder, and put a text file named Procfile in the top folder of your repository.",
        )
    wrong = misspelt(entry.name for entry in source.iterdir() if entry.is_file())
    if wrong:
        raise BuildFailed(
            FailureId.PROCFILE_MISSPELT,
            f"Your Procfile is named {wrong!r}.",
            why="The name must be exactly Procfile: capital P, no extension. Any other file is not read, so none\n"
            "of your process types would run.",
            fix=f"Rename it and push again:\n\n  git mv {_quoted(wrong)} Procfile\n  git commit -m 'Name the Procfile'",
        )
    return None


def parse(text: str) -> Procfile:
    """Pure; later lines win over earlier ones of the same name. Raises `BuildFailed` (`procfile_invalid`)."""
    types: dict[str, str] = {}
    warnings: list[str] = []
    unreadable: list[str] = []
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None or len(match["name"]) > _MAX_NAME:
            unreadable.append(f"line {number}: {line[:100]}")
            continue
        name, command = match["name"], match["command"] or match["tight"]
        if not command:
            unreadable.append(f"line {number}: {line[:100]} (no command after the colon)")
            continue
        if name in types:
            warnings.append(f"Procfile declares {name} twice; line {number} wins.")
        types[name] = command
    if unreadable and not types:
        raise _invalid(unreadable)
    warnings += [f"Procfile {place} is not '<type>: <command>' and is passed over." for place in unreadable]
    warnings += _strange_names(types)
    return Procfile(types, warnings)


def misspelt(names: Iterable[str]) -> str | None:
    """The first of these file names that was surely meant to be `Procfile`."""
    for name in sorted(names):
        stem = name.strip().strip("'\"`.").partition(".")[0].casefold()
        extension = name.strip().partition(".")[2].casefold()
        known = extension in ("", "txt", "text", "md", "py", "yml", "yaml", "rtf", "sh")
        if name != NAME and known and (stem == "procfile" or _one_slip(stem, "procfile")):
            return name
    return None


def _one_slip(word: str, meant: str) -> bool:
    """One letter missing, doubled, wrong or swapped with its neighbour; `profile` is a word of its own."""
    if word == "profile" or abs(len(word) - len(meant)) > 1:
        return False
    if len(word) == len(meant):
        wrong = [index for index in range(len(meant)) if word[index] != meant[index]]
        swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1
        return len(wrong) == 1 or (swapped and word[wrong[0]] == meant[wrong[1]] and word[wrong[1]] == meant[wrong[0]])
    longer, shorter = sorted((word, meant), key=len, reverse=True)
    return any(longer[:index] + longer[index + 1 :] == shorter for index in range(len(longer)))


def _strange_names(types: dict[str, str]) -> list[str]:
    return [
        f"Procfile declares {name!r}; only 'web' in lower case gets web traffic."
        for name in types
        if name.casefold() == "web" and "web" not in types
    ]


def _invalid(unreadable: list[str]) -> BuildFailed:
    lines = "\n".join(f"  {place}" for place in unreadable[:10])
    return BuildFailed(
        FailureId.PROCFILE_INVALID,
        "No line of your Procfile can be read.",
        why=f"Each line must have the form '<process type>: <command>'. Found instead:\n\n{lines}",
        fix="Write for example (with your own module's name):\n\n  web: gunicorn app:app",
    )


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[\w.-]+", name) else "'" + name.replace("'", "'\\''") + "'"
