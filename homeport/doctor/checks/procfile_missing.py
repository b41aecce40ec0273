"""There is no Procfile.

It says what to run: `web: gunicorn app:app`. Homeport guesses when it is missing, and says so in the build; Heroku runs
nothing. Written down, nobody has to guess, and `heroku local` runs the same at home.

`--fix` writes the one that a build would guess, where the guess needs no makeshift.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.buildpacks import Guess, looks_like_node, looks_like_python, misspelt_procfile
from homeport.doctor.findings import Finding, Write, error, warning
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    at_top = [path for path in project.files if "/" not in path]
    if "Procfile" in project or misspelt_procfile(at_top) or not looks_like_python(project.root):
        return
    if project.foresight is None or (looks_like_node(project.root) and not project.python):
        return  # another check says what is wrong, or another buildpack knows what to run
    guess = project.guess
    if guess.web:
        line = f"web: {guess.web}"
        yield warning(
            "Procfile",
            0,
            "There is no Procfile.",
            why="Homeport would run what this app looks like; Heroku would run nothing."
            + (f"\n{guess.caution.splitlines()[0]}" if guess.caution else ""),
            fix=f"Write a file named Procfile that says:\n\n  {line}",
            mend=None if guess.caution else Write("Procfile", f"{line}\n"),
        )
    else:
        yield error(
            "Procfile",
            0,
            "There is no Procfile, and nothing that Homeport would run without one.",
            why=f"{_reason(guess)}Nothing would run.",
            fix="Write a file named Procfile that says what to run, for example:\n\n  web: gunicorn app:app",
        )


def _reason(guess: Guess) -> str:
    """What the build would say, where that is more than that there is none."""
    first = guess.caution.splitlines()[0] if guess.caution else ""
    return "" if first.startswith("There is no Procfile") else f"{first} "
