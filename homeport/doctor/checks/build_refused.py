"""Something that the build refuses: a push would end there, with the same words.

The build reads the files that say what to install and which Python to take (requirements.txt, a lock file,
.python-version, runtime.txt) before it does anything else. What it would say about them is said here, with the id
that docs/build-errors.md explains. conda and Node.js projects are left to their own builds.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.buildpacks import BuildFailed, FailureId, foresee, looks_like_conda, looks_like_node, read_procfile
from homeport.doctor.findings import Finding, error
from homeport.doctor.project import Project

_FILES = ("requirements.txt", "Pipfile.lock", "poetry.lock", "uv.lock", "pyproject.toml", "Pipfile", ".python-version",
          "runtime.txt", "Procfile")  # fmt: skip
_ELSEWHERE = (FailureId.CONDA_UNSUPPORTED, FailureId.PROCFILE_MISSPELT)


def find(project: Project) -> Iterator[Finding]:
    for read in (foresee, read_procfile):
        try:
            read(project.root)
        except BuildFailed as failure:
            unpython = failure.id == FailureId.PACKAGE_MANAGER_MISSING and (
                looks_like_node(project.root) or looks_like_conda(project.root)
            )
            if failure.id in _ELSEWHERE or unpython:
                continue
            path = next((name for name in _FILES if name in failure.what and name in project), "requirements.txt")
            why = f"{failure.why}\n" if failure.why else ""
            yield error(path, 0, failure.what, why=f"{why}The push is refused ({failure.id}).", fix=failure.fix)
