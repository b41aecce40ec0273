"""`.slugignore`: files that are taken away before the build: https://devcenter.heroku.com/articles/slug-compiler.

Glob patterns, one a line, no negation. A pattern with a slash is meant from the top of the source, one without
matches at any depth.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from homeport.buildpacks import Voice, read_text
from homeport.slugs import remove

NAME = ".slugignore"


def apply(source: Path, voice: Voice) -> None:
    """Delete what the source's `.slugignore` names, and say how much."""
    text = read_text(source, NAME)
    if text is None:
        return
    doomed = {path for pattern in patterns(text) for path in matches(source, pattern)}
    for path in sorted(doomed, reverse=True):  # contents before their folders
        if path.is_dir() and not path.is_symlink():
            remove(path)
        else:
            path.unlink(missing_ok=True)
    voice.step(f"Deleting {len(doomed)} files matching .slugignore patterns.")


def patterns(text: str) -> list[str]:
    """The patterns of a `.slugignore`; comments and empty lines are none."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def matches(source: Path, pattern: str) -> list[Path]:
    """The paths that one pattern names; never the source itself nor anything outside of it. Links are not followed."""
    parts = [part for part in pattern.strip("/").split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        return []
    if "/" not in pattern.rstrip("/"):
        parts = ["**", *parts]
    return list(_below(source, parts))


def _below(source: Path, parts: Sequence[str]) -> Iterator[Path]:
    """Every path is looked at once, however many stars there are: beside a folder stands which parts may come next."""
    pending = [(os.fspath(source), _with_stars_passed(parts, {0}))]
    while pending:
        folder, expected = pending.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                is_folder = entry.is_dir(follow_symlinks=False)
                following = _after(entry.name, parts, expected)
                if len(parts) in following and (is_folder or parts[-1] != "**"):
                    yield Path(entry.path)
                if is_folder and following - {len(parts)}:
                    pending.append((entry.path, following))


def _after(name: str, parts: Sequence[str], expected: set[int]) -> set[int]:
    """Which parts may come next below something of this name. `**` stands for any number of folders, also none."""
    found = set()
    for place in expected - {len(parts)}:
        if parts[place] == "**":
            found.add(place)
        elif fnmatchcase(name, parts[place]):
            found.add(place + 1)
    return _with_stars_passed(parts, found)


def _with_stars_passed(parts: Sequence[str], expected: set[int]) -> set[int]:
    found = set(expected)
    for place, part in enumerate(parts):
        if part == "**" and place in found:
            found.add(place + 1)
    return found
