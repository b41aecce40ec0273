"""The app uses Postgres, and no driver for it will be installed.

SQLAlchemy and Django speak to Postgres through psycopg (version 3) or psycopg2; neither brings it along. It is not
missed at home, where SQLite is used. `psycopg[binary]` and `psycopg2-binary` come ready-made; without the suffix a
C compiler is needed.

An error where the app has no other database, or asks for Postgres in app.json; a warning where it falls back to SQLite.
`--fix` adds the one that fits your SQLAlchemy or Django to requirements.txt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from packaging.version import InvalidVersion, Version

from homeport.buildpacks import SQLITE_ENGINE
from homeport.doctor.databases import is_sqlite_file
from homeport.doctor.findings import AddLine, Finding, error, warning
from homeport.doctor.project import Project

_DRIVERS = ("psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "asyncpg", "pg8000", "psycopg2cffi",
            "django-heroku", "django-on-heroku", "aiopg", "pymysql", "mysqlclient",
            "mysql-connector-python")  # fmt: skip


def find(project: Project) -> Iterator[Finding]:
    foresight = project.foresight
    if foresight is None or project.uses(*_DRIVERS) or not project.uses("django", "sqlalchemy"):
        return
    if not project.reads_database_url and not any("postgres" in addon for addon in project.addons):
        return
    package = _fitting(project)
    path, line = _place(project)
    optional = not any("postgres" in addon for addon in project.addons) and _has_other(project)
    yield (warning if optional else error)(
        path,
        line,
        f"The app uses Postgres, and no driver for it is in {foresight.file}.",
        why="As soon as it gets its database it stops with ModuleNotFoundError, for psycopg2 or psycopg.",
        fix=f"Add a line to {foresight.file}:\n\n  {package}",
        mend=AddLine(foresight.file, package) if foresight.plain else None,
    )


def _has_other(project: Project) -> bool:
    """Whether it runs on SQLite as long as there is no DATABASE_URL."""
    texts = (text for source in project.running for _, text in source.strings)
    return any(is_sqlite_file(text) or SQLITE_ENGINE.fullmatch(text) for text in texts)


def _place(project: Project) -> tuple[str, int]:
    """Where the code asks for the database."""
    for source in project.running:
        for node, text in source.strings:
            if "DATABASE_URL" in text or text.startswith("django.db.backends.postgresql"):
                return source.path, node.lineno
    return project.foresight.file if project.foresight else "requirements.txt", 0


def _fitting(project: Project) -> str:
    """psycopg 3 is known to Django from 4.2, and is what SQLAlchemy takes by itself from 2.1 on."""
    named = [found[1] for source in project.running for _, text in source.strings
             if (found := re.search(r"postgresql\+(psycopg2?)\b", text))]  # fmt: skip
    if named:
        return "psycopg[binary]" if named[0] == "psycopg" else "psycopg2-binary"
    pins = project.foresight.pins if project.foresight else {}
    if project.uses("django"):
        return "psycopg2-binary" if _older(pins.get("django", ""), "4.2") else "psycopg[binary]"
    return "psycopg2-binary" if _older(pins.get("sqlalchemy", ""), "2.1") else "psycopg[binary]"


def _older(version: str, than: str) -> bool:
    try:
        return Version(version) < Version(than)
    except InvalidVersion:
        return False
