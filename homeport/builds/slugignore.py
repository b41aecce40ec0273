"""`.slugignore`: files that are taken away before the build: https://devcenter.heroku.com/articles/slug-compiler.

Glob patterns, one a line, no negation. A pattern with a slash is meant from the top of the source, one without
matches at any depth.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from homeport.buildpacks import BuildFailed, FailureId, Voice, read_text
from homeport.slugs import remove

NAME = ".slugignore"
_SHOWN = 10


def apply(source: Path, voice: Voice) -> list[str]:
    """Delete what the source's `.slugignore` names, and say how much; returns the files that the top folder lost."""
    text = read_text(source, NAME)
    if text is None:
        return []
    doomed = {path for pattern in patterns(text) for path in matches(source, pattern)}
    lost = sorted(path.name for path in doomed if path.parent == source and path.is_file())
    for path in sorted(doomed, reverse=True):  # contents before their folders
        if path.is_dir() and not path.is_symlink():
            remove(path)
        else:
            path.unlink(missing_ok=True)
    voice.step(f"Deleting {len(doomed)} files matching .slugignore patterns.")
    return lost


@contextlib.contextmanager
def remembered(lost: Sequence[str]) -> Iterator[None]:
    """Whoever looks in vain for a file that was committed is told where it has gone. Raises `BuildFailed`."""
    try:
        yield
    except BuildFailed as failure:
        missed = _missed(failure, lost)
        if not missed:
            raise
        files = ", ".join(missed[:_SHOWN]) + (" …" if len(missed) > _SHOWN else "")
        fix = f"Your {NAME} takes out of the top folder before the build: {files}\n"
        fix += "If one of them is what is looked for, take its line out of that file, commit and push again."
        fix = "\n\n".join(filter(None, (fix, failure.fix)))
        raise BuildFailed(failure.failure, failure.what, why=failure.why, fix=fix) from failure.__cause__


def _missed(failure: BuildFailed, lost: Sequence[str]) -> list[str]:
    """Those that the failure names; all when a buildpack of somebody else's does not say what it looked for."""
    named = [name for name in lost if re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w/-]|\.\w)", failure.message)]
    return named or (list(lost) if failure.failure is FailureId.BUILDPACK_INCOMPATIBLE else [])


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
