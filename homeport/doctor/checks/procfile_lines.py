"""A line of the Procfile that is passed over, or that does not do what it seems to.

Each line is `<process type>: <command>`. Other lines are passed over; of two with the same name the later one wins; and
only `web`, in lower case, gets requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from homeport.doctor.findings import Finding, error, warning
from homeport.doctor.project import Project


def find(project: Project) -> Iterator[Finding]:
    procfile = project.procfile
    if procfile is None:
        return
    for said in procfile.warnings:
        number = re.search(r"line (\d+)", said)
        yield warning(
            project.procfile_path,
            int(number[1]) if number else 0,
            said,
            why="What you wrote there does not happen.",
            fix="Write each process on a line of its own:\n\n  web: gunicorn app:app",
        )
    if not procfile.process_types:
        yield error(
            project.procfile_path,
            0,
            "The Procfile is empty.",
            why="Nothing would run.",
            fix="Say what to run, for example:\n\n  web: gunicorn app:app",
        )
