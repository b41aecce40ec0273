"""Something that the build refuses: a push would end there, with the same words.

The build reads the files that say what to install and which Python to take (requirements.txt, a lock file,
.python-version, runtime.txt) before it does anything else. What it would say about them is said here, with the id
that docs/build-errors.md explains. conda and Node.js projects are left to their own builds.
"""

from __future__ import annotations

from collections.abc import Iterator

from homeport.buildpacks import BuildFailed, FailureId, foresee, looks_like_conda, looks_like_node, read_procfile
from homeport.builds import app_folders
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
            if failure.id in _ELSEWHERE:
                continue
            if failure.id == FailureId.PACKAGE_MANAGER_MISSING:
                yield from _no_file(project, failure)
                continue
            path = next((name for name in _FILES if name in failure.what and name in project), "requirements.txt")
            why = f"{failure.why}\n" if failure.why else ""
            yield error(path, 0, failure.what, why=f"{why}The push is refused ({failure.id}).", fix=failure.fix)


def _no_file(project: Project, failure: BuildFailed) -> Iterator[Finding]:
    """conda and Node.js have their own files; and perhaps the app is in a folder of this one."""
    if looks_like_conda(project.root) or (looks_like_node(project.root) and not project.python):
        return
    folders = sorted(
        app_folders(project.root),
        key=lambda folder: (
            not any(path.endswith(".py") and "/" not in path[len(folder) + 1 :] for path in project.under(folder))
        ),
    )
    if folders and not any("/" not in path for path in project.python):
        listed = "\n".join(f"  homeport check {project.root / folder}" for folder in folders[:5])
        fix = f"These folders look like apps; look at one of them:\n\n{listed}\n\nand let a push build it: "
        fix += f"heroku config:set HOMEPORT_SOURCE_DIR={folders[0]}"
        yield error(".", 0, "There is no app in this folder, but below it.", why="The push is refused.", fix=fix)
        return
    why = f"A push is refused ({failure.id}): the build would not know what to install."
    yield error("requirements.txt", 0, failure.what, why=why, fix=failure.fix)
