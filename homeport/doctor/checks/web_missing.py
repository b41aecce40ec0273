"""The Procfile has no `web` process, though this is a web app.

Only the process named `web`, in lower case, gets requests. Without it every visitor sees the page for H14: no web
process runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project

_FRAMEWORKS = ("flask", "django", "fastapi", "starlette", "quart", "bottle", "tornado", "sanic", "falcon", "pyramid")


def find(project: Project) -> Iterator[Finding]:
    types = project.procfile.process_types if project.procfile else {}
    if not types or "web" in types or not project.uses(*_FRAMEWORKS):
        return
    near = next(
        (name for name in types if name.casefold() in ("web", "www", "wep", "webs", "server", "app", "http")), ""
    )
    yield error(
        project.procfile_path,
        project.line_of(project.procfile_path, rf"^\s*{near}\s*:") if near else 0,
        f"The Procfile has {', '.join(types)}, and no web.",
        why="Only the process type named web, in lower case, gets requests.",
        fix=f"Name it so:\n\n  web: {types[near]}" if near else "Add what serves your app:\n\n  web: gunicorn app:app",
    )
