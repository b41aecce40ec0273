"""A virtual environment is committed.

`venv/` works on the machine where it was made and nowhere else: dynos get their packages from requirements.txt. It
makes every push larger, and hides what requirements.txt misses.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.doctor.findings import Finding, warning
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    if project.tracked is None:
        return
    for path in sorted(project.tracked):
        if path.endswith("/pyvenv.cfg") and path.count("/") == 1:
            folder = path.partition("/")[0]
            yield warning(
                path,
                0,
                f"The folder {folder}/ is a virtual environment.",
                why="It works only on the machine where it was made; dynos get their packages from requirements.txt.",
                fix=f"Take it out of the repository:\n\n  git rm -r -q --cached {folder}\n"
                f"  echo '{folder}/' >> .gitignore\n"
                "  git commit -am 'Forget the virtual environment'",
            )
