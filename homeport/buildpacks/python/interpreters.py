"""The Python interpreters of this machine, and choosing one of them.

Listing costs a few directory reads and starts nothing: pyenv and uv write versions into folder names. An
interpreter is started once, before it is used for the first time, to see that it runs; the answer is remembered for
as long as its file does not change.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from homeport.buildpacks.interface import Shell
from homeport.buildpacks.python.versions import DEFAULT, OLDEST, Request, Version, dotted

_NEWEST_MINOR = 20  # file names that are looked for: python3.6 to python3.20
_FOLDER = re.compile(r"(?:cpython-)?(3)\.(\d+)\.(\d+)(?:-[\w.-]+)?")

_PROBE = (
    "import json, os, platform, sys, sysconfig; print(json.dumps({"
    "'version': list(sys.version_info[:3]), 'final': sys.version_info[3] == 'final',"
    "'name': sys.implementation.name, 'build': sys.version, 'platform': sysconfig.get_platform(),"
    "'suffix': sysconfig.get_config_var('EXT_SUFFIX'), 'prefix': sys.base_prefix,"
    "'headers': os.path.exists(os.path.join(sysconfig.get_path('include'), 'Python.h'))}))"
)


@dataclass(frozen=True)
class Found:
    """An interpreter that seems to be there; `version` has two numbers when only its name is known."""

    version: Version
    path: Path


@dataclass(frozen=True)
class Interpreter:
    """An interpreter that was seen to run. `build` tells two builds of the same version apart."""

    version: Version
    path: Path
    build: str
    headers: bool

    @property
    def text(self) -> str:
        return dotted(self.version)

    @property
    def minor(self) -> Version:
        return self.version[:2]


def find(environ: Mapping[str, str], own: Path) -> list[Found]:
    """What is on the machine, newest first; `own` is the folder of those that Homeport has downloaded."""
    home = Path(environ.get("HOME") or Path.home())
    parents = [
        own,
        Path(environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python"),
        Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions",
    ]
    found = [entry for parent in parents for entry in _versioned(parent)]
    for folder in dict.fromkeys([*environ.get("PATH", "").split(os.pathsep), "/usr/local/bin", "/usr/bin"]):
        found += _named(Path(folder)) if folder.startswith("/") and not folder.endswith("/shims") else []
    unique = {entry.path: entry for entry in reversed(found)}  # the first finding of a path wins
    return sorted(unique.values(), key=lambda entry: (entry.version, len(entry.version)), reverse=True)


def _versioned(parent: Path) -> list[Found]:
    """pyenv's and uv's folders, `3.8.18/bin/python3.8` and `cpython-3.8.18-linux-…/bin/python3.8`."""
    found = []
    with contextlib.suppress(OSError):
        for entry in os.scandir(parent):
            match = _FOLDER.fullmatch(entry.name)
            if match is not None:
                version = tuple(int(number) for number in match.groups())
                path = Path(entry.path, "bin", f"python{version[0]}.{version[1]}")
                found += [Found(version, path)] if _usable(path) else []
    return found


def _named(folder: Path) -> list[Found]:
    """`python3.11` in a folder of programs, unless the folder is a virtual environment's."""
    if (folder.parent / "pyvenv.cfg").exists():
        return []
    paths = [(minor, folder / f"python3.{minor}") for minor in range(OLDEST[1], _NEWEST_MINOR + 1)]
    return [Found((3, minor), path.resolve()) for minor, path in paths if _usable(path)]


def _usable(path: Path) -> bool:
    return os.access(path, os.X_OK | os.R_OK) and path.is_file()


def pick(request: Request, found: list[Found]) -> list[Found]:
    """Candidates for a request, best first. Pure.

    An exact version: that one, then the other patches of its minor version, nearest first. A minor version: its
    newest patch. A range: what is nearest to the preferred one. Without `firm`, other minor versions follow, nearest
    first.
    """
    if request.within is not None:
        preferred = request.preferred or DEFAULT
        inside = [entry for entry in found if _within(request, entry)]
        return sorted(inside, key=lambda entry: _minor_distance(entry.version, preferred))
    wanted = request.version or DEFAULT
    same = [entry for entry in found if entry.version[:2] == wanted[:2]]
    if len(wanted) > 2:
        same.sort(key=lambda entry: _patch_distance(entry.version, wanted))
    others = [entry for entry in found if entry not in same]
    others.sort(key=lambda entry: _minor_distance(entry.version, wanted))
    return same if request.firm else same + others


def _within(request: Request, entry: Found) -> bool:
    """A system interpreter's patch is unknown yet; a late one fulfils every `>=3.11.4`."""
    version = entry.version if len(entry.version) > 2 else (*entry.version, 99)
    return request.within is not None and request.within.contains(dotted(version))


def _patch_distance(version: Version, wanted: Version) -> tuple[float, int]:
    if len(version) < 3:
        return (0.5, 0)  # perhaps exactly it: better than any other known patch
    return (abs(version[2] - wanted[2]), -version[2])


def _minor_distance(version: Version, wanted: Version) -> tuple[int, int]:
    """Nearest minor first, the newer of two equally near; older patches last."""
    return (abs(version[1] - wanted[1]) * 2 - (version[1] > wanted[1]), -(version[2] if len(version) > 2 else 0))


class Probes:
    """Starts interpreters to see that they run, and remembers what they said in a file below `cache`."""

    def __init__(self, cache: Path, shell: Shell, scratch: Path) -> None:
        self._file = cache / "interpreters.json"
        self._shell = shell
        self._scratch = scratch

    async def ask(self, found: Found) -> Interpreter | None:
        """The interpreter, None when it does not run or is no CPython release."""
        try:
            status = found.path.stat()
        except OSError:
            return None
        key = f"{found.path}:{status.st_mtime_ns}:{status.st_size}"
        known = self._read()
        if key in known:
            return _interpreter(found.path, known[key])
        interpreter = _interpreter(found.path, answer := await self._start(found.path))
        if interpreter is not None:  # one that does not run today may do so tomorrow
            self._write({**known, key: answer})
        return interpreter

    async def _start(self, path: Path) -> object:
        said = await self._shell.run([str(path), "-I", "-c", _PROBE], cwd=self._scratch, show=_swallow)
        with contextlib.suppress(ValueError, IndexError):
            return json.loads(said.output.splitlines()[-1]) if said.code == 0 else None
        return None

    def _read(self) -> dict[str, object]:
        with contextlib.suppress(OSError, ValueError):
            known = json.loads(self._file.read_text())
            return known if isinstance(known, dict) else {}
        return {}

    def _write(self, known: dict[str, object]) -> None:
        fresh = self._file.with_name(f"{self._file.name}.{uuid.uuid4().hex[:8]}")
        fresh.write_text(json.dumps(known))
        fresh.replace(self._file)


def _interpreter(path: Path, said: object) -> Interpreter | None:
    if not isinstance(said, dict) or said.get("name") != "cpython" or not said.get("final"):
        return None
    identity = f"{path}\0{said['build']}\0{said['platform']}\0{said['suffix']}\0{said['prefix']}"
    return Interpreter(
        version=tuple(said["version"]),
        path=path,
        build=hashlib.sha256(identity.encode()).hexdigest()[:16],
        headers=bool(said["headers"]),
    )


def _swallow(line: str) -> str | None:  # noqa: ARG001
    return None
