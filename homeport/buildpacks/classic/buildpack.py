"""One classic buildpack in a build, from its URL to what it made."""

from __future__ import annotations

import asyncio
import hashlib
import stat
from pathlib import Path

from homeport.buildpacks.classic import release
from homeport.buildpacks.classic.fetching import fetch
from homeport.buildpacks.classic.scripts import Scripts
from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Compiled, Project, Shell
from homeport.buildpacks.references import Remote
from homeport.buildpacks.voice import Voice
from homeport.slugs import Store


class Classic:
    """Anybody's scripts. One object compiles one project."""

    sees_config = False  # they get files in ENV_DIR, as on Heroku; a config var must not change what their tools do

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._folder: Path | None = None

    @property
    def title(self) -> str:
        return self._remote.title

    async def detect(self, project: Project, shell: Shell, voice: Voice) -> str:
        """Fetch it and ask it. Raises `BuildFailed`: `buildpack_fetch_failed`, `_invalid`, `_incompatible`."""
        self._folder = await fetch(self._remote, project, shell, voice)
        scripts = self._scripts(project, shell)
        scripts.check()
        name = await scripts.detect()
        if name is None:
            raise BuildFailed(
                FailureId.BUILDPACK_INCOMPATIBLE,
                f"App not compatible with buildpack: {self.title}",
                why="Its bin/detect says that this app is nothing for it. Most look for a file in the top folder.",
                fix="Check that the file it looks for is committed (its README names it), or take it away:\n\n"
                f"  heroku buildpacks:remove {self.title}",
            )
        return name

    async def compile(self, project: Project, shell: Shell, store: Store, voice: Voice) -> Compiled:  # noqa: ARG002
        """Raises `BuildFailed`: `buildpack_failed`, `buildpack_invalid`."""
        scripts = self._scripts(project, shell)
        code = await scripts.compile(await asyncio.to_thread(self._cache, project))
        if code != 0:
            raise _failed(self.title, code)
        await asyncio.to_thread(_settle, project.source, self.title)
        made = _metadata(await scripts.release(), self.title)
        if made.addons and not project.previous_layers:
            voice.notice(
                "This buildpack asks for add-ons. Builds make none here; if you need them:\n\n"
                + "\n".join(f"  heroku addons:create {addon}" for addon in made.addons)
            )
        return Compiled(
            layers=(),
            profile=made.config_vars,
            process_types=made.process_types,
            influence=None,  # its scripts may have done anything
            exports=await scripts.exports(),
        )

    def _cache(self, project: Project) -> Path:
        """CACHE_DIR: this app's own with this buildpack, whichever version of it."""
        folder = project.app_cache / "buildpacks" / hashlib.sha256(self._remote.url.encode()).hexdigest()[:32]
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder

    def _scripts(self, project: Project, shell: Shell) -> Scripts:
        if self._folder is None:
            raise RuntimeError("detect comes before compile")
        return Scripts(self._folder, self.title, project, shell)


def _metadata(text: str, title: str) -> release.Metadata:
    try:
        return release.parse(text)
    except ValueError as error:
        raise BuildFailed(
            FailureId.BUILDPACK_INVALID,
            f"bin/release of the buildpack {title} does not answer in YAML.",
            why=f"{error}",
            fix="This is a mistake of the buildpack: pin an older version of it, `…#v1.0`, or tell its authors.",
        ) from error


def _settle(source: Path, title: str) -> None:
    """Whatever the scripts did to it, the source is a folder that can be read and taken away."""
    if source.is_symlink() or not source.is_dir():
        raise BuildFailed(
            FailureId.BUILDPACK_FAILED,
            f"The buildpack {title} has taken the app's folder away.",
            why="It must leave what is to run in the folder that it was given as BUILD_DIR, and not put a link there.",
            fix="This is a mistake of the buildpack: pin an older version of it, `…#v1.0`, or tell its authors.",
        )
    pending = [source]
    while pending:
        folder = pending.pop()
        folder.chmod(folder.stat().st_mode | 0o700)
        for entry in folder.iterdir():
            mode = entry.lstat().st_mode
            if stat.S_ISDIR(mode):
                pending.append(entry)
            elif stat.S_ISREG(mode) and not mode & 0o400:
                entry.chmod(mode | 0o400)


def _failed(title: str, code: int) -> BuildFailed:
    why = "Its output above says why. Buildpacks that download binaries for Heroku's Ubuntu may not find this system."
    if code in (126, 127):
        why = "A program that it starts was not found or may not be run; the first line of bin/compile counts too."
    return BuildFailed(
        FailureId.BUILDPACK_FAILED,
        f"bin/compile of the buildpack {title} failed with exit code {code}.",
        why=why,
        fix="Mend what it complains about, pin another version of it (`…#v1.0`), or take it away:\n\n"
        f"  heroku buildpacks:remove {title}",
    )
