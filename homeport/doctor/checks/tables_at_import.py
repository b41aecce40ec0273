"""`create_all()` runs whenever the app is loaded, although migrations make the tables.

It makes tables that are not there, and does not write down which migration they belong to: the next `db upgrade`
wants to make them too and fails, and with it the release. It also runs in every worker at once. Where there are
migrations, leave the tables to them.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.doctor.findings import Finding, warning
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    if not project.uses("flask-migrate", "alembic") or not any("/versions/" in f"/{path}" for path in project.files):
        return
    for source in project.running:
        for call in source.calls("create_all"):
            function = source.function_of(call)
            at_start = function is None or function.name.startswith(("create_app", "make_app", "build_app"))
            if at_start and not (source.conditional(call) or source.for_home(call)):
                yield warning(
                    source.path,
                    call.lineno,
                    "create_all() runs whenever the app is loaded, beside the migrations.",
                    why="It makes the tables first, and the next `db upgrade` fails because they are there.",
                    fix="Take it out, and let the release phase see to the tables:\n\n  release: flask db upgrade",
                )
