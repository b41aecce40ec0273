"""`.slugignore`: files that are taken away before the build: https://devcenter.heroku.com/articles/slug-compiler.

Glob patterns, one a line, no negation. A pattern with a slash is meant from the top of the source, one without
matches at any depth.
"""

from __future__ import annotations

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
    """The paths that one pattern names; never the source itself nor anything outside of it."""
    relative = pattern.strip("/")
    anywhere = "/" not in pattern.rstrip("/")
    parts = [part for part in relative.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        return []
    root = source.resolve()
    try:
        found = list(source.glob("/".join((["**"] if anywhere else []) + parts)))
    except (ValueError, NotImplementedError):  # not a pattern that pathlib understands
        return []
    return [path for path in found if path != source and path.parent.resolve().is_relative_to(root)]
