"""Making the dependency layer, or finding that it is there already."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from homeport.buildpacks.interface import Finished, Project, Shell, Show
from homeport.buildpacks.python import editables, layers, nltk, uv
from homeport.buildpacks.python.dependencies import Wanted
from homeport.buildpacks.python.interpreters import Interpreter
from homeport.buildpacks.python.layers import Note
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store

_TALK = re.compile(r"Using (C?Python|PyPy) .* environment at|Creating virtual environment|Activate with")
_OLD_BYTECODE = (3, 7)
"""uv cannot compile for Pythons before this one; they do it themselves."""


@dataclass(frozen=True)
class Layer:
    key: str
    path: Path
    note: Note
    fresh: bool


class Installer:
    """Installs one build's dependencies with one interpreter."""

    def __init__(self, project: Project, interpreter: Interpreter, shell: Shell, store: Store, voice: Voice) -> None:
        self._project = project
        self._interpreter = interpreter
        self._shell = shell
        self._store = store
        self._voice = voice
        settings = {**_registry(project.environ), **project.config}
        self._env = uv.environment(settings, project.cache)
        self._pip = uv.from_pip(settings)

    def key(self, wanted: Wanted, request: str, extra: Mapping[str, object]) -> str:
        """The layer's key: whatever can change what gets installed is in it."""
        settings = {**_registry(self._project.environ), **_registry(self._project.config)}
        inputs = {
            "python": [self._interpreter.text, self._interpreter.build],
            "uv": uv.release(),
            "manager": wanted.manager.value,
            "request": request,
            "settings": settings,
            "variables": {name: self._project.config.get(name) for name in wanted.variables},
            **extra,
        }
        return layers.key(inputs, layers.salt(self._project.cache))

    @property
    def python(self) -> str:
        """The interpreter's version."""
        return self._interpreter.text

    async def attempt(self, wanted: Wanted, plan: uv.Plan | None, draft: Path, show: Show | None) -> Finished:
        """Install into an environment in `draft`, made when it is not there; the caller judges a failure."""
        if not (draft / "pyvenv.cfg").exists():
            made = await self._run(uv.make_environment(self._interpreter.path, draft))
            if made.code != 0:
                return made
        shown = _both(self._shown(draft), show)
        with _in_place(self._project.source, wanted.rewritten):
            if plan is None:
                argv, settings = uv.sync(draft)
                done = await self._run(argv, settings, shown)
            else:
                compiled = self._interpreter.version >= _OLD_BYTECODE
                argv = uv.install(plan, draft, self._project.scratch, compile_bytecode=compiled)
                done = await self._run(argv, {**self._pip, **_hosts(wanted)}, shown)
        return done

    async def finish(self, key: str, draft: Path, note: Note) -> Layer:
        """Make an installed environment a layer."""
        await self._add_tools(draft)
        if self._interpreter.version < _OLD_BYTECODE:
            await self._compile(draft)
        paths = await asyncio.to_thread(editables.relocate, draft, self._project.source)
        packages = await asyncio.to_thread(layers.installed, draft)
        note = replace(note, packages=packages, paths=paths)
        note.write(draft)
        path = await asyncio.to_thread(self._store.keep, key, draft)
        return Layer(key, path, note, fresh=True)

    async def nearest(self, package: str, version: str, *, wheels: bool, before: str | None) -> str | None:
        """The version nearest to one that cannot be had, newer ones first; None if there is none."""
        file = self._project.scratch / "nearest.in"
        for bound, lowest in ((">=", True), ("<", False)):
            file.write_text(f"{package}{bound}{version}\n")
            argv = uv.nearest(file, self._interpreter.path, lowest=lowest, wheels=wheels, before=before)
            done = await self._run(argv, self._pip, show=_hidden)
            found = re.search(rf"^{re.escape(package)}==(\S+)", done.output, re.MULTILINE | re.IGNORECASE)
            if done.code == 0 and found is not None:
                return found[1]
        return None

    async def export_lock(self) -> uv.Plan | None:
        """What `uv.lock` says as a plan."""
        done = await self._run(uv.export(), {"UV_PYTHON": str(self._interpreter.path)}, show=_hidden)
        if done.code != 0:
            return None
        file = self._project.scratch / "uv.lock.txt"
        file.write_text(done.output + "\n")
        return uv.Plan(files=(str(file),), dependencies=False)

    async def download_corpora(self, draft: Path) -> None:
        """NLTK's data. Raises `BuildFailed`."""
        await nltk.download(draft, self._project.source, self._shell, self._voice)

    def kept(self, key: str) -> Layer | None:
        """The layer, if it is in the store and its interpreter still there."""
        note = layers.note(self._store, key)
        if note is None or not (self._store.path(key) / "bin" / "python").exists():
            return None
        self._store.touch(key)
        return Layer(key, self._store.path(key), note, fresh=False)

    async def _add_tools(self, draft: Path) -> None:
        """pip, which Heroku has at run time too, and for older Pythons setuptools with its `pkg_resources`.

        Left uncompiled: hardly any app imports them. From uv's cache if they are there, else from the index.
        """
        packages = await asyncio.to_thread(layers.installed, draft)
        tools = ["pip"] if "pip" not in packages else []
        if self._interpreter.minor <= (3, 12) and "setuptools" not in packages:
            tools.append("setuptools<71")
        argv = [uv.binary(), "pip", "install", "--python", str(draft / "bin" / "python"), "--no-deps", *tools]
        for attempt in ([*argv, "--offline"], argv) if tools else ():
            if (await self._run(attempt, self._pip, show=_hidden)).code == 0:
                return

    async def _compile(self, draft: Path) -> None:
        packages = layers.site_packages(draft)
        argv = [str(draft / "bin" / "python"), "-I", "-m", "compileall", "-q", "-j", "0", str(packages)]
        await self._run(argv, show=_hidden)  # some packages hold files for other Pythons, so it may well complain

    async def _run(
        self,
        argv: list[str],
        settings: Mapping[str, str | None] | None = None,
        show: Show | None = None,
    ) -> Finished:
        env = {**self._env, **(settings or {})}
        return await self._shell.run(argv, cwd=self._project.source, env=env, show=show)

    def _shown(self, draft: Path) -> Show:
        replacements = uv.readable(draft, self._project.source)

        def show(line: str) -> str | None:
            if _TALK.match(line):
                return None
            for ours, theirs in replacements:
                line = line.replace(ours, theirs)
            return line

        return show


def _hosts(wanted: Wanted) -> dict[str, str]:
    return {"UV_INSECURE_HOST": " ".join(wanted.trusted_hosts)} if wanted.trusted_hosts else {}


def _hidden(line: str) -> str | None:  # noqa: ARG001
    return None


def _both(first: Show, second: Show | None) -> Show:
    def show(line: str) -> str | None:
        shown = first(line)
        return shown if shown is None or second is None else second(shown)

    return show


def _registry(variables: Mapping[str, str]) -> dict[str, str]:
    """Settings of package installers among variables."""
    return {name: value for name, value in variables.items() if uv.INDEX_SETTINGS.fullmatch(name)}


@contextlib.contextmanager
def _in_place(source: Path, rewritten: Mapping[str, str]) -> Iterator[None]:
    """Put other texts in the place of files of the source, for as long as this lasts."""
    originals = {name: (source / name).read_bytes() for name in rewritten}
    try:
        for name, text in rewritten.items():
            (source / name).write_text(text)
        yield
    finally:
        for name, data in originals.items():
            (source / name).write_bytes(data)
