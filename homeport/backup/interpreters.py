"""Layers of Python link to an interpreter by its path, which may be another one on another machine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from homeport import buildpacks
from homeport.backup.taking import PYTHONS
from homeport.home import Home

_PYTHON = re.compile(r"python(\d+)\.(\d+)")


@dataclass(frozen=True)
class Orphan:
    """A layer whose interpreter isn't on this machine, nor another of its minor version."""

    layer: str
    python: str
    path: Path


def relink(home: Home, old_root: Path) -> list[Orphan]:
    """Let each layer find its interpreter: the one that came along from `old_root`, or one of the same minor version,
    which runs the same compiled code. Returns the layers for which there is none."""
    orphans = []
    for layer in sorted((home.slugs / "layers").glob("*")):
        link = layer / "bin" / "python"
        if not link.is_symlink() or not link.readlink().is_absolute() or link.exists():
            continue
        python = _came_along(home, old_root, link.readlink()) or _like(home, link.readlink())
        if python is None:
            orphans.append(Orphan(layer.name, link.readlink().name, link.readlink()))
        else:
            _point(layer, python)
    return orphans


def _came_along(home: Home, old_root: Path, target: Path) -> Path | None:
    try:
        path = home.root / PYTHONS / target.relative_to(old_root / PYTHONS)
    except ValueError:
        return None
    return path if path.exists() else None


def _like(home: Home, target: Path) -> Path | None:
    name = _PYTHON.fullmatch(target.name)
    if name is None:
        return None
    there = buildpacks.pythons(os.environ, home.root / PYTHONS)
    return next((found.path for found in there if found.version[:2] == (int(name[1]), int(name[2]))), None)


def _point(layer: Path, python: Path) -> None:
    """As `python -m venv` would have made it: the link, and where the standard library is."""
    fresh = layer / "bin" / ".python"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(python)
    fresh.replace(layer / "bin" / "python")
    settings = layer / "pyvenv.cfg"
    if settings.is_file():
        text = settings.read_text()
        settings.write_text(re.sub(r"(?m)^home *=.*$", lambda _line: f"home = {python.parent}", text))
