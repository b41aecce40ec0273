"""The program that a command of the Procfile starts is not among the dependencies.

On a dyno there is what requirements.txt names, and nothing of what happens to be installed at home. `gunicorn: command
not found` in the logs, and the page for H10, is what comes of it.

`--fix` adds a line to requirements.txt.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.doctor.commands import PROGRAMS
from homeport.doctor.findings import AddLine, Finding, error
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    foresight = project.foresight
    if foresight is None or project.procfile is None:
        return
    for command in project.commands:
        package = PROGRAMS.get(command.program)
        if package is None or project.uses(package) or f"bin/{command.program}" in project:
            continue
        yield error(
            command.file,
            command.line,
            f"{command.process} runs {command.program}, and {package} is not in {foresight.file}.",
            why="It would not be installed, so the process would end with 'command not found'.",
            fix=f"Add a line to {foresight.file}:\n\n  {package}"
            if foresight.plain
            else f"Add {package} to {foresight.file}.",
            mend=AddLine(foresight.file, package) if foresight.plain else None,
        )
