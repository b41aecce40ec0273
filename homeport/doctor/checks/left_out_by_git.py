"""A file that the app needs is one that git is told to pass over.

What git does not have, a push does not take along. A line in .gitignore that is too general (`*.txt`,
`migrations/`) takes more than was meant, and nothing says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project

_NEEDED = ("Procfile", "requirements.txt", "pyproject.toml", "uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock",
           "manage.py", "app.py", "wsgi.py", "main.py", "config.py", ".python-version", "runtime.txt")  # fmt: skip


def find(project: Project) -> Iterator[Finding]:
    for path in _NEEDED:
        if path in project.ignored:
            yield error(
                path,
                0,
                f"git is told to pass over {path}.",
                why="It is not pushed, so there is no such file on a dyno.",
                fix="See which line of .gitignore it is, and take it out:\n\n"
                f"  git check-ignore -v {path}\n  git add -f {path}",
            )
