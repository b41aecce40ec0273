"""A file of the app is no valid Python.

Dynos stop at it as soon as they import it, and visitors see the page for H10. Print statements without parentheses are
Python 2, which no platform runs any more.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    for source in project.running:
        if source.tree is not None or source.failure is None or _newer(project):
            continue
        failure = source.failure
        yield error(
            source.path,
            failure.lineno or 0,
            f"Python cannot read this file: {failure.msg}.",
            why="The app stops with a SyntaxError as soon as it imports it (H10).",
            fix=f"Correct it; this shows it, too:\n\n  python -m py_compile {source.path}",
        )


def _newer(project: Project) -> bool:
    """Whether the app is for a newer Python than the one that reads it here."""
    asked = project.foresight.python if project.foresight is not None else None
    return (asked or (3, 99))[:2] > sys.version_info[:2] and not _python2(project)


def _python2(project: Project) -> bool:
    return any("print" in (source.failure.msg if source.failure else "") for source in project.running)
