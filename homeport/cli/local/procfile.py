"""The Procfile, by the rules that builds read it by: https://devcenter.heroku.com/articles/procfile."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from homeport.errors import HomeportError

_LINE = re.compile(r"(?P<name>[A-Za-z0-9_-]+)\s*:\s*(?P<command>\S.*)")


def read(path: Path, warn: Callable[[str], None]) -> dict[str, str]:
    """Commands by process type, in the order of the file. Lines that cannot be read are passed over, aloud.

    Raises `HomeportError` (`procfile_missing`, `procfile_unreadable`, `procfile_invalid`).
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise _missing(path) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise HomeportError("procfile_unreadable", f"{path} cannot be read: {reason}.") from error
    types = parse(text, lambda line: warn(f"{path.name} {line} is not '<type>: <command>' and is passed over."))
    if not types:
        raise HomeportError(
            "procfile_invalid",
            f"{path} has no process types.",
            fix="Write for example (with your own module's name):\n  web: gunicorn app:app",
        )
    return types


def parse(text: str, unreadable: Callable[[str], None]) -> dict[str, str]:
    """Pure; `unreadable` is told of lines that are none."""
    types: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        found = _LINE.fullmatch(line)
        if found is not None:
            types[found["name"]] = found["command"]
        elif line and not line.startswith("#"):
            unreadable(f"line {number}: {line[:100]}")
    return types


def _missing(path: Path) -> HomeportError:
    folder = path.parent
    near = [entry.name for entry in folder.iterdir() if entry.name.casefold() == "procfile"] if folder.is_dir() else []
    if path.name == "Procfile" and near:
        return HomeportError(
            "procfile_missing",
            f"There is no Procfile here, but a {near[0]}.",
            why="The name must be exactly Procfile, on Heroku too.",
            fix=f"Rename it: git mv {near[0]} Procfile",
        )
    return HomeportError(
        "procfile_missing",
        f"There is no {path} here.",
        why="It says what to run, one process type a line.",
        fix="Write one, such as:  web: gunicorn app:app\n"
        "Or say what to run as web without one: homeport local --start-cmd 'python app.py'",
    )
