"""Things in a source that will bite: refused, taken away or warned about."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Project
from homeport.buildpacks.python import django
from homeport.buildpacks.python.install import Layer
from homeport.buildpacks.voice import Voice
from homeport.slugs import remove

_DEBUG = re.compile(r"^DEBUG\s*=\s*True\b", re.MULTILINE)
SQLITE_ENGINE = re.compile(r"django\.db\.backends\.sqlite3")
SQLITE_URL = re.compile(r"sqlite:///(?!/?:memory:)[\w./{}-]*\w")
READS_DATABASE_URL = re.compile(r"DATABASE_URL|dj_database_url|env\.db\(|django_heroku")
_SERVERS = ("postgres:", "postgresql:", "postgresql+", "postgis:", "mysql:", "mysql+", "mysql2:")


def refuse_internal_folders(source: Path) -> None:
    """`.heroku/python` is where dynos find their dependencies. Raises `BuildFailed`."""
    if (source / ".heroku" / "python").exists() or (source / ".heroku" / "python").is_symlink():
        raise BuildFailed(
            FailureId.HEROKU_PYTHON_PRESENT,
            "Your commit has something at .heroku/python.",
            why="Dynos find Python and the dependencies there, so your files would be in the way.",
            fix="Delete it from the repository, or give it another name:\n\n  git rm -r --cached .heroku/python",
        )


async def drop_virtual_environments(source: Path, voice: Voice) -> None:
    """A committed virtual environment works on the machine where it was made and nowhere else."""
    for folder in await asyncio.to_thread(_virtual_environments, source):
        await asyncio.to_thread(remove, folder)
        voice.warning(
            f"The folder {folder.name}/ is a virtual environment; leaving it out.\n\n"
            "It works only on the machine where it was made. Take it out of the repository:\n\n"
            f"  git rm -r -q --cached {folder.name}\n  echo '{folder.name}/' >> .gitignore\n"
            "  git commit -am 'Forget the virtual environment'"
        )


def _virtual_environments(source: Path) -> list[Path]:
    return [settings.parent for settings in sorted(source.glob("*/pyvenv.cfg")) if not settings.parent.is_symlink()]


def warn(project: Project, layer: Layer, voice: Voice) -> None:
    """Say what will go wrong later, as far as a glance at the source can tell."""
    packages = layer.note.packages
    settings = django.settings_text(project.source) if "django" in packages else ""
    _warn_of_sqlite(project, settings, voice)
    if settings and _DEBUG.search(settings):
        voice.warning(
            "DEBUG = True stands in your settings.\n\n"
            "Whoever meets an error then sees your code and settings. Read it from a config var instead:\n\n"
            '  DEBUG = os.environ.get("DEBUG") == "1"'
        )


def _warn_of_sqlite(project: Project, settings: str, voice: Voice) -> None:
    """An app that reads DATABASE_URL and falls back to SQLite is as badly off as long as nothing sets it."""
    if any(value.startswith(_SERVERS) for value in project.config.values()):
        return
    django_uses_it = SQLITE_ENGINE.search(settings) or SQLITE_URL.search(settings)
    found = ("your settings", settings) if django_uses_it else _sqlite_in_flask(project.source)
    if found is None:
        return
    place, text = found
    reads_it = bool(READS_DATABASE_URL.search(text))
    advice = (
        "This sets the config var DATABASE_URL, which your app reads already:"
        if reads_it
        else "Use PostgreSQL, whose\naddress comes from the config var DATABASE_URL:"
    )
    unset = "The config var DATABASE_URL is not set, so " if reads_it else ""
    voice.warning(
        f"{unset}SQLite is used in {place}; what it stores is lost with every deploy and restart.\n\n"
        f"Each dyno has its own copy of the files, which is gone when the dyno goes. {advice}\n\n"
        "  heroku addons:create heroku-postgresql\n\n"
        "What else would go wrong on a dyno, `homeport check` finds before a push."
    )


def _sqlite_in_flask(source: Path) -> tuple[str, str] | None:
    """Where an address of a SQLite file stands, and the text around it: at the top, or in a package there."""
    names = ("app.py", "main.py", "config.py", "wsgi.py", "application.py", "settings.py", "__init__.py")
    for path in (source / folder / name for folder in ("", *_packages(source)) for name in names):
        if path.is_file() and not path.is_symlink() and path.stat().st_size < 200_000:
            text = path.read_text(errors="replace")
            if SQLITE_URL.search(text):
                return str(path.relative_to(source)), text
    return None


def _packages(source: Path) -> list[str]:
    """Python packages at the top, without those of tests."""
    folders = (marker.parent for marker in sorted(source.glob("*/__init__.py")))
    return [folder.name for folder in folders if not folder.is_symlink() and not folder.name.startswith("test")][:20]
