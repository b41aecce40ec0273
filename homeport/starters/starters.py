"""What there is to begin with, and making one.

A starter is what all have in common (`templates/_every`) with its own folder over it. The versions that its
requirements name are those of the examples that it leads to.
"""

from __future__ import annotations

import re
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from homeport.errors import Conflict, HomeportError, Invalid

TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")


@dataclass(frozen=True)
class Starter:
    """`traits` decide what the README tells; `example` is the app under examples/ that shows where this leads."""

    name: str
    summary: str
    example: str
    addons: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()

    @property
    def buildpacks(self) -> tuple[str, ...]:
        """Those to be set, in order; none where one finds itself."""
        return ("heroku/nodejs", "heroku/python") if "node" in self.traits else ()


STARTERS = (
    Starter("flask", "A web app in Flask", "flaskr"),
    Starter(
        "flask-celery",
        "A web app in Flask, with a Celery worker and Redis",
        "wordcount",
        addons=("heroku-redis:mini",),
        traits=("worker",),
    ),
    Starter(
        "django",
        "A web app in Django, with WhiteNoise and Postgres",
        "wiki",
        addons=("heroku-postgresql:essential-0",),
        traits=("django",),
    ),
    Starter("flask-vue", "An API in Flask with a page in Vue", "ticketshop", traits=("node",)),
    Starter("fastapi", "An API in FastAPI", "marketplace"),
)


def find(name: str) -> Starter:
    """Raises `Invalid` (`no_such_template`)."""
    for starter in STARTERS:
        if starter.name == name:
            return starter
    names = ", ".join(starter.name for starter in STARTERS)
    raise Invalid(f"There is no template {name!r}.", id="no_such_template", fix=f"Choose one of {names}.")


def make(starter: Starter, folder: Path, *, name: str | None = None) -> str:
    """Fill the folder, which must not be there or be empty, and return the app's name: the folder's own unless given.

    Raises `Conflict` (`folder_not_empty`), `Invalid` (`bad_app_name`), `HomeportError` (`folder_unwritable`).
    """
    name = name or folder.resolve().name.lower().replace("_", "-").replace(" ", "-")
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} cannot be the name of an app.",
            id="bad_app_name",
            why="Apps are named by 3 to 30 small letters, digits and dashes, and begin with a letter.",
            fix="Give the folder such a name.",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(
            f"{folder} is there already and is not empty.",
            id="folder_not_empty",
            why="Nothing of yours is written over.",
            fix="Choose another folder, or move this one away.",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _copy(starter, folder, name)
    except OSError as error:
        raise HomeportError(
            "folder_unwritable",
            f"{folder} cannot be written: {error.strerror or error}.",
            fix="Choose a folder that is yours, on a disk that has room, and remove what was begun.",
        ) from error
    return name


def _copy(starter: Starter, folder: Path, name: str) -> None:
    from copier import run_copy  # half a second that only this command pays

    values = {
        "name": name,
        "summary": starter.summary,
        "addons": starter.addons,
        "traits": starter.traits,
        "buildpacks": starter.buildpacks,
        "secret_key": secrets.token_hex(32),
        "python_version": f"{sys.version_info.major}.{sys.version_info.minor}",
    }
    for layer in ("_every", starter.name):
        run_copy(str(TEMPLATES / layer), folder, data=values, defaults=True, overwrite=True, quiet=True)
    (folder / ".env").chmod(0o600)
