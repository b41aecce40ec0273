"""node_modules: as a layer where it depends on the lock file alone, as a part of the code everywhere else.

A layer is shared and never changes, so nothing is ever built in one: builds get a copy of the complete set (with
development dependencies), which an app keeps in its own cache for as long as its lock file stays the same.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from homeport.buildpacks.interface import Finished, Project, Shell
from homeport.buildpacks.node import command_lines, diagnosis
from homeport.buildpacks.node.package import Package
from homeport.buildpacks.node.runtime import Runtime
from homeport.buildpacks.reading import read_text
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store, remove

FOLDER = "node_modules"
FORMAT = 1

_OF_TOOLS = frozenset({".cache", ".vite", ".vite-temp", ".package-lock.json", ".yarn-integrity", ".modules.yaml",
                       ".pnpm-workspace-state.json", ".pnpm-workspace-state-v1.json"})  # fmt: skip
"""Names in node_modules that tools write for themselves: dynos do not need what is in them."""


class Modules:
    """The node_modules of one build. `env` is what the package manager runs with."""

    def __init__(
        self,
        package: Package,
        runtime: Runtime,
        project: Project,
        shell: Shell,
        store: Store,
        voice: Voice,
        env: Mapping[str, str | None],
    ) -> None:
        self._package = package
        self._project = project
        self._shell = shell
        self._store = store
        self._voice = voice
        self._env = env
        self._folder = project.source / FOLDER
        self._identity = _identity(package, runtime, project)
        self._cache = project.app_cache / "node"
        self._began = 0

    @property
    def key(self) -> str:
        """Of the layer for dynos."""
        kind = "all" if not command_lines.prunes(self._package, self._project.config) else "production"
        return f"modules-{self._digest(kind)}"

    @property
    def layered(self) -> bool:
        return self._package.self_contained and not self._folder.exists()

    async def install_for_dynos(self) -> None:
        """Only what dynos need, as a layer, when nothing is built. Raises `BuildFailed`."""
        if self._store.has(self.key):
            self._voice.detail(f"Using cached node modules ({self._package.manager.lock} has not changed)")
            return
        development = not command_lines.prunes(self._package, self._project.config)
        await self._install(development=development)
        await self._keep()

    async def install_for_building(self) -> None:
        """Everything, in the source. Raises `BuildFailed`."""
        development = command_lines.wants_development(self._project.config)
        if not self.layered:
            await self._install(development=development)
        elif not await asyncio.to_thread(self._restore, development):
            await self._install(development=development)
            await asyncio.to_thread(self._remember, development)
        else:
            self._voice.detail(f"Using cached node modules ({self._package.manager.lock} has not changed)")
        self._began = await asyncio.to_thread(self._now)

    async def settle(self, *, layered: bool) -> str | None:
        """After building: the key of the layer for dynos, None where node_modules stays a part of the code."""
        if not self._folder.is_dir():
            return None
        touched = await asyncio.to_thread(changed_since, self._folder, self._began)
        if layered and not touched and self._store.has(self.key):
            await asyncio.to_thread(remove, self._folder)
            self._voice.step("Using cached production dependencies")
            return self.key
        if command_lines.prunes(self._package, self._project.config) and command_lines.wants_development(
            self._project.config
        ):
            await self._prune()
        if not layered or touched:
            return None
        await self._keep()
        return self.key

    def link(self) -> None:
        """Let the rest of the build find the layer where the package manager would have put it."""
        self._store.touch(self.key)
        if not self._folder.exists():
            self._folder.symlink_to(self._store.path(self.key))

    async def _install(self, *, development: bool) -> None:
        argv = command_lines.install(self._package, self._project.config, development=development)
        self._voice.detail(f"Installing node modules ({' '.join(argv)})")
        done = await self._run(argv)
        if done.code != 0:
            raise diagnosis.install(self._package, argv, done)

    async def _prune(self) -> None:
        self._voice.step("Pruning devDependencies")
        argv = command_lines.prune(self._package)
        done = await self._run(argv)
        if done.code != 0:
            self._voice.warning(
                "The development dependencies could not be taken away again.\n\n"
                "They stay, which makes the slug larger. The output above says why."
            )

    async def _keep(self) -> None:
        """Move node_modules into the store; without any dependency there may be none."""
        draft = self._store.draft(self.key)
        try:
            await asyncio.to_thread(self._move_into, draft)
            await asyncio.to_thread(self._store.keep, self.key, draft)
        finally:
            self._store.discard(draft)

    def _move_into(self, draft: Path) -> None:
        if not self._folder.is_dir():
            return
        for name in (".cache", ".vite", ".vite-temp"):
            remove(self._folder / name)
        draft.rmdir()
        shutil.move(self._folder, draft)

    def _restore(self, development: bool) -> bool:
        kept = self._cache / f"{FOLDER}-{self._digest(str(development))}"
        if not kept.is_dir():
            return False
        shutil.copytree(kept, self._folder, symlinks=True)
        return True

    def _remember(self, development: bool) -> None:
        """Only the newest set is kept. A copy that a killed build has left half made has another name."""
        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in self._cache.glob(f"{FOLDER}*"):
            remove(old)
        if self._folder.is_dir():
            draft = self._cache / f"{FOLDER}.{uuid.uuid4().hex[:8]}"
            shutil.copytree(self._folder, draft, symlinks=True)
            draft.rename(self._cache / f"{FOLDER}-{self._digest(str(development))}")

    def _now(self) -> int:
        """What the file system's clock says."""
        marker = self._project.scratch / f"marker.{uuid.uuid4().hex[:8]}"
        marker.touch()
        return marker.stat().st_ctime_ns

    def _digest(self, kind: str) -> str:
        return hashlib.sha256(f"{self._identity}\0{kind}".encode()).hexdigest()[:32]

    async def _run(self, argv: list[str]) -> Finished:
        return await self._shell.run(argv, cwd=self._project.source, env=self._env)


def _identity(package: Package, runtime: Runtime, project: Project) -> str:
    """Whatever decides what gets installed."""
    settings = [read_text(project.source, name) or "" for name in (".npmrc", ".yarnrc", ".pnpmfile.cjs")]
    names = sorted(name for name in project.config if name.upper().startswith(("NPM_", "YARN_", "PNPM_", "NODE_")))
    registries = {name: project.config[name] for name in names}
    parts = [str(FORMAT), package.manager.value, runtime.key, package.text, package.locked or "", *settings]
    return "\0".join([*parts, repr(registries)])


def changed_since(folder: Path, moment: int) -> bool:
    """Whether anything in node_modules was written after `moment` (nanoseconds), but for what tools keep there.

    `prisma generate` writes its client there, for one: then the folder depends on more than its lock file.
    """
    pending = [os.fspath(folder)]
    while pending:
        directory = pending.pop()
        top = directory == os.fspath(folder)
        with os.scandir(directory) as entries:
            for entry in entries:
                if top and entry.name in _OF_TOOLS:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.stat(follow_symlinks=False).st_ctime_ns > moment:
                    return True
    return False
