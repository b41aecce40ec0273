"""`--fix`: one mend after the other is made, proved by looking at the app again, and taken back if it does not help.

A mend never touches code: it names files, adds lines, writes a Procfile. Files are written beside their place and
renamed into it, so that a kill leaves the old content or the new one. Nothing that git does not have is written
over.
"""

from __future__ import annotations

import difflib
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from homeport.doctor.examination import Report, examine
from homeport.doctor.findings import AddLine, Finding, Mend, Rename, Write
from homeport.doctor.opening import changed
from homeport.errors import Conflict, HomeportError


@dataclass(frozen=True)
class Mended:
    """What became of one finding: `diff` of what was done, or `refusal`: why nothing was, in a sentence."""

    finding: Finding
    diff: str = ""
    refusal: str = ""


def mend(folder: Path, *, force: bool = False, told: Callable[[Mended], None] = lambda _: None) -> Report:
    """Make every mend that proves itself, `told` of each; returns what is found afterwards.

    Raises `Conflict` (`uncommitted_changes`) before anything is done, unless `force`: a mend is taken back by git, so
    what it touches has to be in git as it is. Raises `HomeportError` (`not_writable`).
    """
    report = examine(folder)
    if not force:
        _refuse_changed(folder, [finding.mend for finding in report.findings if finding.mend is not None])
    tried: set[Mend] = set()
    while (finding := _next(report, tried)) is not None and finding.mend is not None:
        tried.add(finding.mend)
        outcome, report = _try(folder, finding, finding.mend, report)
        told(outcome)
    return report


def _next(report: Report, tried: set[Mend]) -> Finding | None:
    return next((one for one in report.findings if one.mend is not None and one.mend not in tried), None)


def _refuse_changed(folder: Path, mends: list[Mend]) -> None:
    paths = {mend.old if isinstance(mend, Rename) else mend.path for mend in mends}
    dirty = sorted(path for path in paths if (folder / path).exists() and changed(folder, path))
    if dirty:
        raise Conflict(
            f"{', '.join(dirty)} {'has' if len(dirty) == 1 else 'have'} changes that are not committed.",
            id="uncommitted_changes",
            why="A mend is easy to look at and to take back as long as git has what was there before.",
            fix="Commit them first, or go ahead all the same: homeport check --fix --force",
        )


def _try(folder: Path, finding: Finding, change: Mend, before: Report) -> tuple[Mended, Report]:
    try:
        done = _apply(folder, change)
    except _NotDone as refusal:
        return Mended(finding, refusal=str(refusal)), before
    except OSError as error:
        raise HomeportError(
            "not_writable",
            f"{folder} cannot be written: {error.strerror or error}.",
            why="What had been mended before stays so.",
            fix="Check whose folder it is, and that the disk has room.",
        ) from error
    try:
        after = examine(folder)
    except BaseException:
        done.take_back()
        raise
    worse = _keys(after) - _keys(before)
    if any(one.id == finding.id and one.mend == change for one in after.findings) or worse:
        done.take_back()
        return Mended(finding, refusal="It did not help, so it was taken back."), before
    return Mended(finding, diff=done.diff), after


def _keys(report: Report) -> set[tuple[str, str]]:
    """Without the file, which a mend may have given another name."""
    return {(finding.id, finding.what) for finding in report.errors}


class _NotDone(Exception):
    """Why a mend cannot be made here, in a sentence."""


@dataclass(frozen=True)
class _Done:
    """What was changed, and how to make it as if it had not been."""

    diff: str
    take_back: Callable[[], None]


def _apply(folder: Path, change: Mend) -> _Done:
    match change:
        case Rename(old, new):
            return _rename(folder, old, new)
        case Write(path, text):
            if os.path.lexists(folder / path):
                raise _NotDone(f"{path} is there already.")
            _write(folder / path, text.encode())
            return _Done(_diff(path, "", text), (folder / path).unlink)
        case AddLine(path, line):
            return _add_line(folder, path, line)


def _rename(folder: Path, old: str, new: str) -> _Done:
    """On a disk that does not mind case the new name is there already, and is the very same file."""
    source, target = folder / old, folder / new
    if os.path.lexists(target) and not source.samefile(target):
        raise _NotDone(f"{new} is there already.")
    source.rename(target)
    return _Done(f"rename from {old}\nrename to {new}\n", lambda: _forget(target.rename(source)))


def _forget(_: object) -> None:
    """For what is called for what it does."""


def _add_line(folder: Path, path: str, line: str) -> _Done:
    place = folder / path
    if place.is_symlink():
        raise _NotDone(f"{path} is a link.")
    before = place.read_bytes() if place.exists() else None
    try:
        old = (before or b"").decode("utf-8")
    except UnicodeDecodeError:
        raise _NotDone(f"{path} is not in UTF-8.") from None
    end = "\r\n" if "\r\n" in old else "\n"
    new = old if not old or old.endswith("\n") else old + end
    new += line + end
    _write(place, new.encode())
    undo = place.unlink if before is None else lambda: _write(place, before)
    return _Done(_diff(path, old, new), undo)


def _write(place: Path, content: bytes) -> None:
    """Whole or not at all; the file's mode stays."""
    handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(place.stat().st_mode & 0o777 if place.exists() else 0o644)
        Path(name).replace(place)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _diff(path: str, old: str, new: str) -> str:
    before = f"a/{path}" if old else "/dev/null"
    made = difflib.unified_diff(old.splitlines(), new.splitlines(), before, f"b/{path}", lineterm="")
    return "".join(f"{line.rstrip()}\n" for line in made)
