"""The tables will not be there: migrations are missing, or are made only when the file is started by hand.

A new database is empty. Django and Flask-Migrate make the tables from the files in the migrations folders, which
are code and belong into the repository: `python manage.py makemigrations`, `flask db init && flask db migrate`,
then commit them. `db.create_all()` under `if __name__ == "__main__":` never runs where gunicorn serves.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from homeport.doctor import django
from homeport.doctor.commands import SERVERS
from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project
from homeport.doctor.reach import installed_apps
from homeport.doctor.source import Source

_WHY = "The tables would not exist: every page that asks the database fails."


def find(project: Project) -> Iterator[Finding]:
    settings = django.settings(project)
    if settings is not None:
        yield from _django(project)
    elif project.uses("flask-migrate"):
        yield from _flask_migrate(project)
    else:
        yield from _only_as_script(project)


def _django(project: Project) -> Iterator[Finding]:
    names = {name.partition(".apps.")[0] for source in project.running for name in installed_apps(source)}
    for name in sorted(names):
        folder = name.replace(".", "/")
        source = project.source(f"{folder}/models.py")
        if source is None or any(path.startswith(f"{folder}/migrations/0") for path in project.files):
            continue
        model = next((node for node in source.nodes if isinstance(node, ast.ClassDef) and _has_table(node)), None)
        if model is not None:
            label = name.rpartition(".")[2]
            fix = f"Make them and commit them:\n\n  python manage.py makemigrations {label}"
            fix += f"\n  git add {folder}/migrations"
            yield error(source.path, model.lineno, f"{name} has models and no migrations.", why=_WHY, fix=fix)


def _has_table(node: ast.ClassDef) -> bool:
    bases = [ast.unparse(base) for base in node.bases]
    settings = "".join(ast.unparse(inner) for inner in node.body if isinstance(inner, ast.ClassDef))
    real = "models.Model" in bases and "abstract = True" not in settings and "managed = False" not in settings
    return real and "proxy = True" not in settings


def _flask_migrate(project: Project) -> Iterator[Finding]:
    if any(path.endswith("/versions/__init__.py") or "/versions/" in f"/{path}" for path in project.files):
        return
    if any(path.endswith(("migrations/env.py", "alembic.ini")) for path in project.files):
        step = "flask db migrate -m 'Begin'"
    else:
        step = "flask db init\n  flask db migrate -m 'Begin'"
    if any(not source.only_as_script(call) for source in project.running for call in source.calls("create_all")):
        return  # the tables are made in another way
    for source in project.running:
        for call in source.calls("Migrate"):
            fix = f"Make them and commit them:\n\n  {step}\n  git add migrations"
            yield error(source.path, call.lineno, "Flask-Migrate has no migrations.", why=_WHY, fix=fix)
            return


def _only_as_script(project: Project) -> Iterator[Finding]:
    if project.web is None or project.web.program not in SERVERS or not project.uses("sqlalchemy"):
        return
    calls = [(source, call) for source in project.running for call in source.calls("create_all")]
    if not calls or not all(source.only_as_script(call) for source, call in calls):
        return
    if any("create_all" in (project.text(path) or "") for path in project.python if not _is_one_of(path, calls)):
        return  # a script of its own makes them, by hand or in the release phase
    source, call = calls[0]
    module = source.path.removesuffix(".py").replace("/", ".")
    line = f"release: python -c 'from {module} import app, db; app.app_context().push(); db.create_all()'"
    yield error(
        source.path,
        call.lineno,
        "create_all() runs only when the file is started by hand.",
        why=f"{project.web.program} imports the file, and never comes here. {_WHY}",
        fix=f"Have it done before each release, by a line in the Procfile such as:\n\n  {line}",
    )


def _is_one_of(path: str, calls: list[tuple[Source, ast.Call]]) -> bool:
    return any(source.path == path for source, _ in calls)
