"""Making the layer of a conda environment, or finding that it is there already."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from homeport.buildpacks.conda import channels
from homeport.buildpacks.conda.environment import Environment
from homeport.buildpacks.conda.explanations import explained
from homeport.buildpacks.interface import Project, Shell, Show, silent
from homeport.buildpacks.python import layers, nltk, uv
from homeport.buildpacks.python.diagnosis import diagnose
from homeport.buildpacks.python.explanations import explain
from homeport.buildpacks.python.install import Layer
from homeport.buildpacks.python.layers import Note
from homeport.buildpacks.python.repairs import Facts
from homeport.buildpacks.python.requirements import scan
from homeport.buildpacks.python.versions import parse as parse_version
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store

FORMAT = 1

_NOISE = re.compile(r"Using Python .* environment at|Audited \d+ package")
_FILE = re.compile(r"(?P<option>-r|--requirement|-c|--constraint)[\s=]+(?P<name>\S+)")


class Installer:
    """Makes the layer of one build."""

    def __init__(self, project: Project, shell: Shell, store: Store, voice: Voice) -> None:
        self._project = project
        self._shell = shell
        self._store = store
        self._voice = voice
        self._settings = {**project.environ, **project.config}

    async def layer(self, wanted: Environment) -> Layer:
        """Raises `BuildFailed`."""
        addresses = channels.addresses(wanted.channels, self._settings)
        key = self._key(wanted, addresses)
        if note := layers.note(self._store, key):
            self._store.touch(key)
            self._voice.step(f"Using cached conda environment ({wanted.file} has not changed)")
            return Layer(key, self._store.path(key), note, fresh=False)
        draft = self._store.draft(key)
        try:
            return await self._make(key, draft, wanted, addresses)
        finally:
            await asyncio.to_thread(self._store.discard, draft)

    async def _make(self, key: str, draft: Path, wanted: Environment, addresses: list[str]) -> Layer:
        self._voice.step(f"Solving and installing {wanted.file} from {', '.join(map(channels.shown, addresses))}")
        final = self._store.destination(key)
        packages = await self._from_conda(wanted, addresses, draft, final)
        python = packages.get("python", "")
        if wanted.pip:
            await self._from_pip(wanted, draft, python)
        await asyncio.to_thread(_settle, draft, final)
        if python:
            packages |= await asyncio.to_thread(layers.installed, draft)
            if nltk.wanted(packages) and nltk.corpora(self._project.source):
                await nltk.download(draft, self._project.source, self._shell, self._voice)
            await self._compile(draft, final)
        note = Note(python=python, request=key, packages=packages)
        note.write(draft)
        return Layer(key, await asyncio.to_thread(self._store.keep, key, draft), note, fresh=True)

    async def _from_conda(self, wanted: Environment, addresses: list[str], draft: Path, final: Path) -> dict[str, str]:
        request, result = self._project.scratch / "conda.request", self._project.scratch / "conda.result"
        order = {
            "specs": wanted.specs,
            "channels": addresses,
            "strict": self._settings.get("CONDA_CHANNEL_PRIORITY", "strict").lower() != "disabled",
            "cache": str(self._project.cache / "conda"),
            "draft": str(draft),
            "prefix": str(final),
        }
        request.touch(0o600)
        request.write_text(json.dumps(order))
        result.unlink(missing_ok=True)
        argv = [sys.executable, "-I", "-m", "homeport.buildpacks.conda.worker", str(request), str(result)]
        done = await self._shell.run(argv, cwd=self._project.scratch)
        answer: dict[str, Any] = {"stage": "crash", "error": str(done.code)}
        if result.is_file():
            answer = json.loads(result.read_text())
        if "error" in answer:
            raise explained(answer["stage"], answer["error"], wanted, addresses)
        return dict(answer["packages"])

    async def _from_pip(self, wanted: Environment, draft: Path, python: str) -> None:
        self._voice.step("Installing what pip is to add")
        file = self._project.scratch / "conda-pip.txt"
        file.write_text("\n".join(_absolute(line, self._project.source) for line in wanted.pip) + "\n")
        argv = [uv.binary(), "pip", "install", "--python", str(draft / "bin" / "python"), "--break-system-packages"]
        environment = {**uv.environment(self._settings, self._project.cache), **uv.from_pip(self._settings)}
        # A package of conda may be older than pip's part wants it, and conda's leaves no list of its files for pip.
        environment |= {"CONDA_PREFIX": None, "CONDA_DEFAULT_ENV": None}
        done = await self._shell.run(
            [*argv, "-r", str(file)], cwd=self._project.source, env=environment, show=self._shown(draft)
        )
        if done.code != 0:
            facts = Facts(python=parse_version(python) or (3,), file=wanted.file)
            raise explain(diagnose(done.output), facts, allowed=False)

    async def _compile(self, draft: Path, final: Path) -> None:
        """noarch packages come without bytecode, and the layer is never written to again."""
        argv = [str(draft / "bin" / "python"), "-I", "-m", "compileall", "-q", "-j", "0"]
        argv += ["-s", str(draft), "-p", str(final), str(layers.site_packages(draft))]
        await self._shell.run(argv, cwd=self._project.scratch, show=silent)

    def _shown(self, draft: Path) -> Show:
        def show(line: str) -> str | None:
            return None if _NOISE.match(line) else line.replace(str(draft), ".heroku/conda")

        return show

    def _key(self, wanted: Environment, addresses: list[str]) -> str:
        files: dict[str, object] = {}
        for line in wanted.pip:
            if match := _FILE.fullmatch(line):
                files |= scan(self._project.source, match["name"]).files
        inputs = {
            "format": FORMAT,
            "specs": wanted.specs,
            "pip": wanted.pip,
            "files": files,
            "corpora": nltk.corpora(self._project.source),
            "channels": addresses,
            "strict": self._settings.get("CONDA_CHANNEL_PRIORITY", ""),
            "machine": platform.machine(),
            "place": str(self._store.destination("layer").parent),  # is written into many of conda's files
            "rattler": version("py-rattler"),
            "settings": {name: value for name, value in self._settings.items() if uv.INDEX_SETTINGS.fullmatch(name)},
        }
        return f"conda-{layers.digest(inputs, layers.salt(self._project.cache))}"


def _absolute(line: str, source: Path) -> str:
    """Files that a line includes are looked for beside the file it stands in, which is not where it was written."""
    match = _FILE.fullmatch(line)
    return f"{match['option']} {source / match['name']}" if match else line


def _settle(draft: Path, final: Path) -> None:
    """Let programs that pip's part brought start from where the layer will be.

    conda's own were written for that place from the start.
    """
    was, becomes = os.fsencode(draft), os.fsencode(final)
    for program in (draft / "bin").iterdir() if (draft / "bin").is_dir() else ():
        if program.is_symlink() or not program.is_file():
            continue
        with program.open("rb") as file:
            if file.read(2) != b"#!":
                continue
        data = program.read_bytes()
        if was in data:
            mode = program.stat().st_mode
            program.unlink()  # it may be a hard link into a cache
            program.write_bytes(data.replace(was, becomes))
            program.chmod(mode)


def variables(layer: Layer, wanted: Environment) -> Mapping[str, str]:
    """What `conda activate` would set, apart from what scripts of packages do."""
    return {
        **wanted.variables,
        "CONDA_PREFIX": f"{{layer:{layer.key}}}",
        "CONDA_DEFAULT_ENV": "homeport",
    }
