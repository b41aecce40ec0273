"""The Procfile has another name: `procfile`, `Procfile.txt`, `ProcFile`, `Profcile`.

Only a file that is named exactly `Procfile`, with a capital P and no suffix, says what to run. Windows and macOS do not
mind the case of file names; Linux, where dynos run, does. Homeport refuses such a push, Heroku deploys it and runs
nothing.

`--fix` renames the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.buildpacks import misspelt_procfile
from homeport.doctor.findings import Finding, Rename, error
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    if "Procfile" in project:
        return
    wrong = misspelt_procfile(path for path in project.files if "/" not in path)
    if wrong is not None:
        yield error(
            wrong,
            0,
            f"Your Procfile is named {wrong}.",
            why="Only a file named exactly Procfile is read, so none of your processes would run.",
            fix=f"Rename it:\n\n  git mv {wrong!r} Procfile"
            if " " in wrong
            else f"Rename it:\n\n  git mv {wrong} Procfile",
            mend=Rename(wrong, "Procfile"),
        )
