"""`.env` is committed, or will be by the next `git add .`.

It holds the settings of your own machine, secrets among them; on a dyno the same names are config vars. git keeps
what was committed once, for everybody who gets the repository. `.gitignore` tells git to pass it over; a copy
without secrets (`env-template`, `.env.example`) shows others what to set.

`--fix` adds the line to .gitignore where git does not have the file yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homeport.doctor.findings import AddLine, Finding, error, warning
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    if project.tracked is not None and ".env" in project.tracked:
        yield error(
            ".env",
            0,
            ".env is committed.",
            why="It holds the settings of your machine; whatever secrets are in it, everybody with the repository has.",
            fix="Take it out, and change the secrets that were in it:\n\n  echo .env >> .gitignore\n"
            "  git rm --cached .env\n  git commit -am 'Forget .env'",
        )
    elif ".env" in project and not _ignored(project):
        yield warning(
            ".env",
            0,
            ".env is not in .gitignore.",
            why="The next `git add .` would commit it, with whatever secrets are in it.",
            fix="Tell git to pass it over:\n\n  echo .env >> .gitignore",
            mend=AddLine(".gitignore", ".env"),
        )


def _ignored(project: Project) -> bool:
    """Where there is no repository yet, by what .gitignore says; in one, git itself has left the file out."""
    if project.tracked is not None:
        return False
    return re.search(r"^/?(\.env|\.env\*|\*\.env|\.env\.?\*)\s*$", project.text(".gitignore") or "", re.M) is not None
