"""A search by LIKE, which ignores case on SQLite and minds it on Postgres.

`Post.title.like("%flask%")` finds "Flask" at home and misses it in production. `.ilike()` ignores case on both;
`.icontains()` does, too, and takes % and _ literally.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from homeport.doctor.databases import is_sqlite_file
from homeport.doctor.findings import Finding, warning
from homeport.doctor.project import Project

_SAME_CASE = re.compile(r"\b(lower|upper|casefold)\(")


def find(project: Project) -> Iterator[Finding]:
    if not project.uses("sqlalchemy") or not _sqlite_at_home(project):
        return
    for source in project.running:
        for call in source.calls("like"):
            if not isinstance(call.func, ast.Attribute) or len(call.args) != 1 or _SAME_CASE.search(ast.unparse(call)):
                continue
            better = f"{ast.unparse(call.func.value)[:60]}.ilike({ast.unparse(call.args[0])[:40]})"
            yield warning(
                source.path,
                call.end_lineno or call.lineno,
                ".like() ignores case on SQLite and minds it on Postgres.",
                why="A search that finds at home misses in production.",
                fix=f"Ignore case on both:\n\n  {better}",
            )


def _sqlite_at_home(project: Project) -> bool:
    """Who has Postgres at home as well has seen what LIKE does."""
    return any(is_sqlite_file(text) for source in project.running for _, text in source.strings)
