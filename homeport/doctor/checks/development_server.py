"""The web process is a server made for development: `flask run`, `manage.py runserver`, `app.run()`.

It is slow, serves few requests at once, does not start again what fails, and its own documentation says not to use it
in production. gunicorn is a line in requirements.txt and a line in the Procfile:

    web: gunicorn app:app
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homeport.doctor.findings import Finding, warning
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    command = project.web
    if command is None or project.procfile is None:
        return
    served = ""
    if command.program == "flask" and "run" in command.words:
        served = "Flask's development server"
    elif command.program == "python" and "runserver" in command.words:
        served = "Django's development server"
    elif command.program == "uvicorn" and "--reload" in command.words:
        served = "uvicorn with --reload, which watches for changes of the code,"
    elif command.program == "gunicorn" and "--reload" in command.words:
        served = "gunicorn with --reload, which watches for changes of the code,"
    elif command.script is not None and project.uses("flask"):
        source = project.source(command.script)
        runs = source is not None and any(re.search(r"\b(app|application)\.run\(", line) for line in source.lines)
        served = "Flask's development server" if runs else ""
    if served:
        right = command.target.text if command.target else (command.script or "app.py").removesuffix(".py") + ":app"
        if "reload" in served:
            fix = f"Leave --reload out:\n\n  web: {re.sub(r' *--reload', '', command.text)}"
        elif project.uses("django"):
            fix = f"Use gunicorn:\n\n  web: {project.guess_of_app or 'gunicorn yourproject.wsgi'}"
        else:
            fix = f"Use gunicorn:\n\n  web: gunicorn {right}"
        why = "It is made for one developer, not for visitors: slow, few requests at once, no second try."
        yield warning(command.file, command.line, f"{served} serves the app.", why=why, fix=fix)
