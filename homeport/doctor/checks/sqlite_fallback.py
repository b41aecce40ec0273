"""The app reads DATABASE_URL and falls back to an SQLite file, and nothing here asks for a database.

That is right for home. On a dyno it means that everything works until the first restart, and then the data is gone. The
add-on sets the variable; naming it in app.json makes sure that no copy of this app is ever without:

    heroku addons:create heroku-postgresql
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.buildpacks import SQLITE_ENGINE
from homeport.doctor.databases import is_sqlite_file
from homeport.doctor.findings import Finding, warning
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    if any("postgres" in addon or "mysql" in addon for addon in project.addons):
        return
    for source in project.running:
        for node, text in source.strings:
            if not (is_sqlite_file(text) or SQLITE_ENGINE.fullmatch(text)) or source.for_home(node):
                continue
            if project.reads_database_url or source.is_default(node) or source.conditional(node):
                variable = "DATABASE_URL" if project.reads_database_url else "the variable that names another database"
                yield warning(
                    source.path,
                    node.lineno,
                    f"Without {variable} the data is in an SQLite file.",
                    why="A dyno's disk is gone when the dyno goes, and the data with it. Until then all seems well.",
                    fix="Give the app a database, once it is created:\n\n  heroku addons:create heroku-postgresql\n\n"
                    'If it has one, say so in app.json:  "addons": ["heroku-postgresql"]',
                )
                return
