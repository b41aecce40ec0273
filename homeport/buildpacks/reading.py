"""Reading the files of a source folder that steer the build. Their author is a stranger."""

from __future__ import annotations

import codecs
from pathlib import Path

from homeport.buildpacks.failures import BuildFailed, FailureId

LIMIT = 4 * 1024 * 1024
"""Bytes of a file that is read as a whole; the largest lock files seen are below 2 MB."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def inside(source: Path, name: str) -> Path | None:
    """The file of this name, if it is a file and no link that leads out of the source."""
    path = source / name
    try:
        if path.is_file() and path.resolve().is_relative_to(source.resolve()):
            return path
    except (OSError, ValueError):  # a loop of links, a NUL in a name
        pass
    return None


def read_bytes(source: Path, name: str) -> bytes | None:
    """The content of a file of the source, None when there is none. Raises `BuildFailed` for a huge one."""
    path = inside(source, name)
    if path is None:
        return None
    with path.open("rb") as file:
        data = file.read(LIMIT + 1)
    if len(data) > LIMIT:
        raise BuildFailed(
            FailureId.SOURCE_UNREADABLE,
            f"The file {name} is larger than {LIMIT // 1024 // 1024} MB.",
            why="The build reads it as a whole to know what to do.",
            fix="Check that this is the file you meant to commit.",
        )
    return data


def read_text(source: Path, name: str) -> str | None:
    """The text of a file, byte order marks and Windows line ends taken off; None when there is none.

    PowerShell's `>` writes UTF-16, so a `requirements.txt` made that way is read like pip reads it.
    Raises `BuildFailed` (`source_unreadable`).
    """
    data = read_bytes(source, name)
    return None if data is None else decode(data, name)


def glance(source: Path, name: str) -> str:
    """The text of a file from which something is only guessed, "" when there is none.

    Whatever cannot be read in it must not end the build: Python's files may be in any encoding.
    """
    path = inside(source, name)
    if path is None:
        return ""
    with path.open("rb") as file:
        return file.read(LIMIT).decode(errors="replace")


def decode(data: bytes, name: str) -> str:
    encoding = next((encoding for mark, encoding in _MARKS if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise BuildFailed(
            FailureId.SOURCE_UNREADABLE,
            f"The file {name} is not text in UTF-8.",
            why=f"The build must read it, and its byte {error.start + 1} belongs to no UTF-8 character.",
            fix="Save the file as UTF-8 (every editor can), commit it and push again.",
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def listing(source: Path) -> str:
    """The names at the top of the source, folders with a slash, for errors that show what is there."""
    names = sorted(f"{entry.name}/" if entry.is_dir() else entry.name for entry in source.iterdir())
    shown = names[:40] + ([f"… and {len(names) - 40} more"] if len(names) > 40 else [])
    return "\n".join(f"  {name}" for name in shown) or "  (nothing)"
