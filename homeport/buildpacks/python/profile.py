"""The environment of Python at build time and at run time."""

from __future__ import annotations

from pathlib import Path

from homeport.buildpacks.interface import RUN_PATH, Project
from homeport.buildpacks.python import editables, hooks, nltk
from homeport.buildpacks.python.install import Layer


def run_time(layer: Layer, source: Path) -> dict[str, str]:
    """Defaults for dynos, as heroku/python has them. WEB_CONCURRENCY is set from the dyno's size elsewhere."""
    here = f"{{layer:{layer.key}}}"
    extra = (source / hooks.PACKAGES).is_dir()
    programs = [f"{{app}}/{hooks.PACKAGES}/bin"] if extra else []
    modules = ["{app}", *(f"{{app}}/{path}" for path in layer.note.paths if path != ".")]
    env = {
        "PATH": ":".join([*programs, f"{here}/bin", RUN_PATH]),
        "PYTHONPATH": ":".join([*modules, *([f"{{app}}/{hooks.PACKAGES}"] if extra else [])]),
        "PYTHONUNBUFFERED": "1",
        "LANG": "C.UTF-8",
        "GUNICORN_CMD_ARGS": "--access-logfile -",
        "FORWARDED_ALLOW_IPS": "*",
        editables.APP: "{app}",
    }
    if (layer.path / nltk.FOLDER).is_dir():
        env["NLTK_DATA"] = f"{here}/{nltk.FOLDER}"
    return env


def build_time(layer: Layer, project: Project) -> dict[str, str]:
    """What `python` needs in hooks and management commands, on top of the build's environment."""
    source = project.source
    modules = [str(source), *(str(source / path) for path in layer.note.paths if path != ".")]
    env = {
        "PATH": f"{layer.path / 'bin'}:{project.path}",
        "PYTHONPATH": project.config.get("PYTHONPATH") or ":".join([*modules, str(source / hooks.PACKAGES)]),
        "PYTHONUNBUFFERED": "1",
        editables.APP: str(source),
    }
    if (layer.path / nltk.FOLDER).is_dir():
        env["NLTK_DATA"] = str(layer.path / nltk.FOLDER)
    return env
