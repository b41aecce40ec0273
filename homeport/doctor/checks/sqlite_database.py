"""The app keeps its data in an SQLite file, and nothing can make it use another database.

Each dyno has a disk of its own, a copy of what was pushed, which is gone when the dyno goes: with every deploy, every
config change and every restart, once a day at the least. What visitors write is lost, and two dynos never see the same.
A Postgres add-on sets the config var DATABASE_URL; let the app read it, and keep SQLite for home:

    url = os.environ.get("DATABASE_URL", "sqlite:///app.db").replace("postgres://", "postgresql://", 1)
    app.config["SQLALCHEMY_DATABASE_URI"] = url
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from homeport.buildpacks import SQLITE_ENGINE
from homeport.doctor import django
from homeport.doctor.databases import is_sqlite_file
from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project
from homeport.doctor.source import Source, keyword, text_of

_WHY = (
    "A dyno's disk is gone when the dyno goes: what is stored is lost with every deploy, config change and restart,\n"
    "once a day at the least."
)
_ADD = "Then give it a database: heroku addons:create heroku-postgresql"


def find(project: Project) -> Iterator[Finding]:
    if project.reads_database_url:
        return
    settings = django.settings(project)
    if settings is not None:
        yield from _django(settings)
        return
    for source in project.running:
        for node, text in source.strings:
            if is_sqlite_file(text) and not (
                source.for_home(node) or source.conditional(node) or source.is_default(node)
            ):
                yield error(source.path, node.lineno, "The data is in an SQLite file, whatever the environment says.",
                            why=_WHY, fix=_fix(project))  # fmt: skip
                break
        else:
            yield from _connections(source)


def _django(settings: django.Settings) -> Iterator[Finding]:
    setting = settings.get("DATABASES")
    parts = (
        [part for part in ast.walk(setting.value) if SQLITE_ENGINE.fullmatch(text_of(part) or "")] if setting else []
    )
    if setting is not None and parts and not any(setting.source.is_default(part) for part in parts):
        fix = (
            "Let the environment say which database, with dj-database-url and psycopg[binary] in the requirements:\n\n"
            '  DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{BASE_DIR / \'db.sqlite3\'}")}\n\n'
        )
        yield error(setting.path, setting.line, "The data is in an SQLite file, whatever the environment says.",
                    why=_WHY, fix=fix + _ADD)  # fmt: skip


def _connections(source: Source) -> Iterator[Finding]:
    """Those behind a condition count, too: `if "db" not in g: g.db = sqlite3.connect(…)`."""
    for call in source.calls("connect"):
        if ast.unparse(call.func) not in ("sqlite3.connect", "aiosqlite.connect") or source.for_home(call):
            continue
        place = call.args[0] if call.args else keyword(call, "database")
        if (text_of(place) or "").startswith((":memory:", "/tmp", "file::memory:")):  # noqa: S108 - theirs, not ours
            continue
        yield error(
            source.path,
            call.lineno,
            "The data is in an SQLite file.",
            why=_WHY,
            fix="Connect to Postgres, whose address comes from the config var DATABASE_URL:\n\n"
            f'  psycopg.connect(os.environ["DATABASE_URL"])\n\n{_ADD}',
        )


def _fix(project: Project) -> str:
    name = 'app.config["SQLALCHEMY_DATABASE_URI"]' if project.uses("flask-sqlalchemy") else "url"
    return (
        "Let the environment say which database; SQLite stays for home:\n\n"
        '  url = os.environ.get("DATABASE_URL", "sqlite:///app.db")\n'
        f'  {name} = url.replace("postgres://", "postgresql://", 1)\n\n{_ADD}'
    )
