"""From what an app asks for to an interpreter that runs, said aloud wherever the two differ."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Project, Shell, silent
from homeport.buildpacks.python import uv
from homeport.buildpacks.python.interpreters import Found, Interpreter, Probes, find, pick
from homeport.buildpacks.python.known import Limit
from homeport.buildpacks.python.versions import (
    DEFAULT,
    OLDEST,
    Request,
    Version,
    dotted,
    of_its_time,
    parse,
    too_old,
)
from homeport.buildpacks.voice import Voice

DOWNLOADS = "HOMEPORT_PYTHON_DOWNLOADS"
"""Config var or variable of the daemon; `never` forbids fetching interpreters."""

_RETRY = 3600.0
"""Seconds for which a download that failed is not tried again: a machine without network must not wait each time."""


@dataclass(frozen=True)
class Circumstances:
    """What decides for an app that names no version.

    The day it is resolved for, the newest Python that its pinned packages run on, what its last build used.
    `lenient`: repairs were allowed, so another minor version may stand in for one that cannot be had.
    """

    day: date | None = None
    limit: Limit | None = None
    previous: str | None = None
    lenient: bool = False


def effective(asked: Request | None, circumstances: Circumstances) -> Request:
    """The request that counts. Pure. Raises `BuildFailed` (`python_version_too_old`)."""
    if asked is not None:
        replaceable = circumstances.lenient and asked.version is not None and asked.version >= (3,)
        if asked.version is not None and asked.version < OLDEST and not replaceable:
            raise too_old(asked)
        preferred = _unasked(replace(circumstances, previous=None)).version
        return replace(asked, firm=not circumstances.lenient, preferred=preferred)
    return _unasked(circumstances)


def _unasked(circumstances: Circumstances) -> Request:
    """The version for an app that names none."""
    limit = circumstances.limit
    origin, version = "the default", DEFAULT
    if circumstances.day is not None:
        origin, version = f"that of {circumstances.day}", of_its_time(circumstances.day)
    elif previous := parse(circumstances.previous or ""):
        origin, version = "that of the last build", previous[:2]
    if limit is not None and limit.python < version[:2]:
        origin, version = f"the newest that {limit.package} {limit.version} runs on", limit.python
    return Request(origin, version, named=False, firm=False)


class Selection:
    """Chooses the interpreter of one build."""

    def __init__(self, project: Project, shell: Shell, voice: Voice) -> None:
        self._own = project.cache / "pythons"
        self._project = project
        self._shell = shell
        self._voice = voice
        self._probes = Probes(project.cache, shell, project.scratch)

    async def choose(self, asked: Request | None, circumstances: Circumstances) -> Interpreter:
        """Raises `BuildFailed` (`python_version_unavailable`) with a list of what is there."""
        request = effective(asked, circumstances)
        self._announce(request)
        found = find(self._project.environ, self._own)
        best = await self._first_that_runs(pick(request, found))
        if not _fulfilled(request, best) and request.named and await self._download(request):
            found = find(self._project.environ, self._own)
            best = await self._first_that_runs(pick(request, found))
        if best is None:
            raise _unavailable(request, found)
        self._say_difference(request, best)
        return best

    async def _first_that_runs(self, candidates: Sequence[Found]) -> Interpreter | None:
        for candidate in candidates:
            interpreter = await self._probes.ask(candidate)
            if interpreter is not None:
                return interpreter
        return None

    def _announce(self, request: Request) -> None:
        if request.within is not None:
            self._voice.step(f"Using a Python that {request.origin} allows ({request.text})")
        elif request.named:
            self._voice.step(f"Using Python {request.text} specified in {request.origin}")
        else:
            self._voice.step(f"No Python version was specified. Using {request.origin}: Python {request.text}")

    def _say_difference(self, request: Request, got: Interpreter) -> None:
        if request.version is None or got.version[: len(request.version)] == request.version:
            if request.text != got.text:
                self._voice.detail(f"Python {got.text}")
        elif got.minor == request.version[:2]:
            self._voice.warning(
                f"Python {request.text} is not on this machine; using {got.text}.\n\n"
                f"Both are Python {dotted(got.minor)} and differ in corrections only, so your app should not notice.\n"
                f"Without this warning: let {request.origin} say {dotted(got.minor)}, or install that very version."
            )
        else:
            self._voice.warning(
                f"Python {request.text} is not on this machine; using {got.text}.\n\n"
                "It is the nearest that is here. If your app does not run with it, install the one that it asks for."
            )

    async def _download(self, request: Request) -> bool:
        """Fetch the interpreter that is asked for; quiet when that cannot be."""
        if self._project.forbids(DOWNLOADS) or request.version is None:
            return False
        failed = self._own / f".failed-{request.text}"
        with contextlib.suppress(OSError):
            if time.time() - failed.stat().st_mtime < _RETRY:
                return False
        self._own.mkdir(mode=0o700, exist_ok=True)
        self._voice.step(f"Installing Python {request.text}")
        argv, settings = uv.python_install(request.text, self._own)
        env = {**uv.environment({}, self._project.cache), **settings}
        said = await self._shell.run(argv, cwd=self._project.scratch, env=env, show=silent)
        if said.code != 0:
            failed.touch()
            self._voice.detail("It cannot be downloaded here.")
        return said.code == 0


def _fulfilled(request: Request, got: Interpreter | None) -> bool:
    if got is None:
        return False
    return request.version is None or got.version[: len(request.version)] == request.version


def _unavailable(request: Request, found: Sequence[Found]) -> BuildFailed:
    versions = sorted({entry.version for entry in found}, reverse=True)
    here = "\n".join(f"  {dotted(version)}" for version in versions) or "  (none)"
    suggestion = _suggestion(request, versions)
    return BuildFailed(
        FailureId.PYTHON_VERSION_UNAVAILABLE,
        f"{request.origin} asks for Python {request.text}, which is not on this machine and cannot be downloaded.",
        why=f"Only another patch of the same version could stand in for it. Here are:\n\n{here}",
        fix="Install it (for example with pyenv or `uv python install`, as the user that runs Homeport), or let\n"
        f"{request.origin} name one of these" + (f":\n\n  {suggestion}" if suggestion else ".") + "\n\n"
        "Or let the nearest stand in for it, which mostly goes well when they are close:\n\n"
        "  heroku config:set HOMEPORT_REPAIR=auto",
    )


def _suggestion(request: Request, versions: Sequence[Version]) -> str:
    if not versions or request.version is None:
        return ""
    wanted = request.version
    nearest = min(versions, key=lambda version: (abs(version[1] - wanted[1]), -version[1]))
    return f"{'python-' if request.origin == 'runtime.txt' else ''}{dotted(nearest[:2])}"
