"""An app that is a folder of its repository: `HOMEPORT_SOURCE_DIR`, or `PROJECT_PATH` as the subdir buildpacks have it.

The folder becomes the whole source, before anything else looks at it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from homeport.buildpacks import BuildFailed, BuiltIn, FailureId, Reference, Remote, Voice
from homeport.slugs import remove

SETTING = "HOMEPORT_SOURCE_DIR"
OF_BUILDPACKS = "PROJECT_PATH"

_SIGNS = ("Procfile", "requirements.txt", "pyproject.toml", "Pipfile", "environment.yml", "manage.py", "package.json")
_SKIPPED = frozenset({"node_modules", "venv", ".venv", ".git", "__pycache__"})
_DEPTH = 3


@dataclass(frozen=True)
class Setting:
    """The config var that names the folder. `binding`: it can mean nothing else."""

    name: str
    value: str
    binding: bool


def setting(config: Mapping[str, str], wanted: Sequence[Reference]) -> Setting | None:
    """Which config var counts, with these buildpacks. Pure.

    A fork of the subdir buildpack reads PROJECT_PATH itself, when its turn comes. Raises `BuildFailed` when ours is
    set and has nothing to go by.
    """
    buildpack = BuiltIn.SUBDIR in wanted
    forked = any(isinstance(one, Remote) and "subdir" in one.url.casefold() for one in wanted)
    if config.get(SETTING, "").strip():
        return Setting(SETTING, config[SETTING].strip(), binding=True)
    if config.get(OF_BUILDPACKS, "").strip() and not forked:
        return Setting(OF_BUILDPACKS, config[OF_BUILDPACKS].strip(), binding=buildpack)
    if buildpack:
        raise BuildFailed(
            FailureId.SOURCE_DIR_INVALID,
            "The subdir buildpack is set, but not the config var that it reads.",
            why=f"{OF_BUILDPACKS} must say which folder of the repository is the app.",
            fix=f"Set it and push again:\n\n  heroku config:set {OF_BUILDPACKS}=backend",
        )
    return None


def narrow(source: Path, wanted: Setting | None, voice: Voice) -> str:
    """Make the folder that is named the source; returns its path in the repository, "" for all of it.

    Raises `BuildFailed` (`source_dir_invalid`).
    """
    if wanted is None:
        return ""
    parts = PurePosixPath(wanted.value.replace("\\", "/")).parts
    path = "/".join(part for part in parts if part != "/")
    if not path:
        return ""
    folder = source / path
    if ".." in parts or wanted.value.startswith("/") or not _truly_inside(source, folder):
        if wanted.binding:
            raise _invalid(wanted, source)
        voice.notice(f"The config var {wanted.name} names no folder of this commit, so the build takes all of it.")
        return ""
    voice.step(f"Using the folder {path} of the repository ({wanted.name})")
    aside = source.with_name(f"{source.name}.narrowed")
    folder.rename(aside)
    remove(source)
    aside.rename(source)
    return path


def app_folder(source: Path, config: Mapping[str, str]) -> Path:
    """Where in a checkout the app is, for whoever reads it before the build; the build itself refuses what is wrong."""
    named = config.get(SETTING, "").strip() or config.get(OF_BUILDPACKS, "").strip()
    folder = source / named.strip("/")
    return folder if ".." not in PurePosixPath(named).parts and _truly_inside(source, folder) else source


def _truly_inside(source: Path, folder: Path) -> bool:
    """Whether it is a folder that is reached without any link."""
    try:
        return folder.is_dir() and folder.resolve() == source.resolve() / folder.relative_to(source)
    except (OSError, ValueError):  # a loop of links, a NUL
        return False


def candidates(source: Path) -> list[str]:
    """Folders that look like apps, by their paths."""
    found = []
    for directory, folders, files in os.walk(source):
        depth = len(Path(directory).relative_to(source).parts)
        folders[:] = sorted(name for name in folders if name not in _SKIPPED) if depth < _DEPTH else []
        if depth and any(sign in files for sign in _SIGNS):
            found.append(Path(directory).relative_to(source).as_posix())
    return found[:20]


def _invalid(wanted: Setting, source: Path) -> BuildFailed:
    there = candidates(source)
    why = "It must be a folder of the repository, written from its top, without links on the way and without '..'."
    if there:
        listed = "\n".join(f"  {path}" for path in there)
        why += f"\nThese folders of your commit look like apps:\n\n{listed}"
    fix = "If you have pushed that folder alone (`git subtree push`), the setting is not needed:\n\n"
    fix += f"  heroku config:unset {wanted.name}"
    if there:
        fix = f"Name the right one:\n\n  heroku config:set {wanted.name}={there[0]}\n\n{fix}"
    return BuildFailed(
        FailureId.SOURCE_DIR_INVALID,
        f"The config var {wanted.name} is {wanted.value[:200]!r}, and this commit has no such folder.",
        why=why,
        fix=fix,
    )
