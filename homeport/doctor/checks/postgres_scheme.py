"""DATABASE_URL begins with `postgres://`, and SQLAlchemy 1.4 and later want `postgresql://`.

Heroku and Homeport both set `postgres://…`. Handed on as it is, it ends in `NoSuchModuleError: Can't load plugin:
sqlalchemy.dialects:postgres`. One line turns one into the other:

    url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql://", 1)

Django's own ways (dj-database-url, django-environ) do this by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project

_REWRITTEN = re.compile(r"postgres(ql)?(\+\w+)?(://|$)|^postgres")


def find(project: Project) -> Iterator[Finding]:
    if not project.uses("sqlalchemy") or project.uses("django") or _old(project):
        return
    asked = None
    for source in project.running:
        for node, text in source.strings:
            if _REWRITTEN.search(text) and not text.startswith("postgresql://localhost") and "@" not in text:
                return
            if text == "DATABASE_URL" and asked is None:
                asked = (source.path, node.lineno)
    if asked is None:
        return
    yield error(
        *asked,
        "DATABASE_URL is used as it is, and SQLAlchemy does not know its postgres://.",
        why="The app stops with NoSuchModuleError: Can't load plugin: sqlalchemy.dialects:postgres.",
        fix='Turn it into what SQLAlchemy knows:\n\n  url = os.environ.get("DATABASE_URL", "sqlite:///app.db")\n'
        '  url = url.replace("postgres://", "postgresql://", 1)',
    )


def _old(project: Project) -> bool:
    try:
        return Version((project.foresight.pins if project.foresight else {}).get("sqlalchemy", "")) < Version("1.4")
    except InvalidVersion:
        return False
