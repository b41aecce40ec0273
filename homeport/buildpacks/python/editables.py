"""Editable packages in a layer: their code is the app's, and where that lies is known only to each dyno.

Installers write the absolute path of the build's source folder into the environment. Plain paths are taken out and
become part of `PYTHONPATH`; the import hooks that setuptools writes are made to look below `$HOMEPORT_CODE`.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from homeport.buildpacks.python.layers import site_packages
from homeport.slugs import fingerprint

APP = "HOMEPORT_CODE"
"""The variable that holds the app's folder, in a build as in a dyno."""

_DEFINITIONS = frozenset({"pyproject.toml", "setup.py", "setup.cfg", "manifest.in", "uv.toml", "cargo.toml",
                          "cargo.lock", "cmakelists.txt", "meson.build"})  # fmt: skip
_VERSIONS = re.compile(r"(_?version(__)?|__init__|__about__|_?version_?info)\.py|version(\.txt)?", re.IGNORECASE)
_COMPILED = (".pyx", ".pxd", ".pxi", ".c", ".cc", ".cpp", ".h", ".hpp", ".rs", ".f90", ".f", ".go")


def relocate(layer: Path, source: Path) -> list[str]:
    """Free a layer from the source folder; returns the folders of the app that Python must look in."""
    paths: list[str] = []
    packages = site_packages(layer)
    for file in packages.glob("*.pth"):
        text = file.read_text(errors="surrogateescape")
        kept = []
        for line in text.splitlines():
            inside = _relative(line.strip(), source)
            if inside is None:
                kept.append(line)
            elif inside not in paths:
                paths.append(inside)
        if len(kept) != len(text.splitlines()):
            file.write_text("".join(f"{line}\n" for line in kept), errors="surrogateescape")
    for file in packages.glob("__editable__*finder.py"):
        _rewrite_finder(file, source)
    return paths


def _relative(line: str, source: Path) -> str | None:
    if line == str(source) or line.startswith(f"{source}{os.sep}"):
        return os.path.relpath(line, source)
    return None


def _rewrite_finder(file: Path, source: Path) -> None:
    text = file.read_text()
    literal = re.compile(rf"(['\"]){re.escape(str(source))}(/[^'\"]*)?\1")
    fresh = literal.sub(lambda match: f"(__import__('os').environ.get({APP!r}, '.') + {match[2] or ''!r})", text)
    if fresh != text:
        file.write_text(fresh)
        for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            compiled.unlink()


def definition(folder: Path) -> str:
    """A digest of what decides how an editable package is installed.

    Its Python code is not part of it, since it is not installed: only the files that describe the package or its
    version, what has to be compiled, and which folders hold Python files.
    """
    digest = hashlib.sha256()
    for directory, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        relative = os.path.relpath(directory, folder)
        depth = 0 if relative == "." else relative.count(os.sep) + 1
        if any(name.endswith(".py") for name in files):
            digest.update(f"package {relative}\0".encode(errors="surrogateescape"))
        for name in sorted(files):
            described = name.lower() in _DEFINITIONS or (depth <= 2 and _VERSIONS.fullmatch(name) is not None)
            readme = depth == 0 and name.endswith((".md", ".rst", ".txt"))
            if described or readme or name.endswith(_COMPILED):
                path = Path(directory, name)
                content = path.read_bytes() if path.is_file() else b""
                digest.update(f"{relative}/{name}\0".encode(errors="surrogateescape"))
                digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


def identity(source: Path, path: str, *, editable: bool) -> str:
    """What names the state of a package inside the source, as far as installing it is concerned."""
    target = source / path
    if target.is_file():  # a wheel or an archive
        return hashlib.sha256(target.read_bytes()).hexdigest()
    return definition(target) if editable else fingerprint(target)
