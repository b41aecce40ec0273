"""An SQLite file is committed.

It goes along with every deploy: dynos begin with the data of your machine, and what they write is gone when they
go. Data belongs into a database, and the file to those that git passes over.

`--fix` adds a line to .gitignore where git does not have the file yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homeport.doctor.findings import AddLine, Finding, warning
from homeport.doctor.project import Project

_FILE = re.compile(r"\.(sqlite|sqlite3|db|db3)$")


def find(project: Project) -> Iterator[Finding]:
    if project.tracked is None:
        return
    for path in project.files:
        if not _FILE.search(path) or not _is_sqlite(project, path):
            continue
        has = path in project.tracked
        forget = f"\n  git rm --cached {path}\n  git commit -am 'Forget the data'" if has else ""
        yield warning(
            path,
            0,
            f"{path} is {'committed' if has else 'not in .gitignore'}.",
            why="Your data would be deployed with the code, and dynos would write to a copy that is gone with them.",
            fix=f"Tell git to pass it over:\n\n  echo '/{path}' >> .gitignore{forget}",
            mend=None if has else AddLine(".gitignore", f"/{path}"),
        )


def _is_sqlite(project: Project, path: str) -> bool:
    """By its first bytes (https://www.sqlite.org/fileformat.html); an empty one is a database, too."""
    try:
        with (project.root / path).open("rb") as file:
            return file.read(16) in (b"", b"SQLite format 3\0")
    except OSError:
        return False
