"""ENV_DIR: a file per config var, as scripts of buildpacks expect it.

https://devcenter.heroku.com/articles/buildpack-api
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from homeport.buildpacks.interface import Project


def write(project: Project) -> str:
    """A fresh folder of them: whoever ran before may have changed the last one."""
    folder = Path(tempfile.mkdtemp(prefix="env.", dir=project.scratch))
    for name, value in project.config.items():
        if "/" in name or name in (".", ".."):  # can be the name of a variable, and of no file
            continue
        file = folder / name
        file.touch(0o600)
        file.write_text(value)
    return str(folder)
