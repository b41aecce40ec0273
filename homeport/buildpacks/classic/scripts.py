"""A classic buildpack's scripts, as Heroku's slug compiler runs them.

https://devcenter.heroku.com/articles/buildpack-api. They run with the build's rights, as the setup.py of a dependency
does: nothing that they say or leave behind is trusted.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path

from homeport.buildpacks import env_dir
from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import STACK, Finished, Project, Shell, silent
from homeport.buildpacks.reading import inside

_QUIET = 'exec "$@" 2>/dev/null'
_SOURCED = """\
cd "$1" && . ./export >/dev/null 2>&1
echo ---variables---
env -0 | base64
"""
_MARK = "---variables---"
_OF_THE_SHELL = frozenset({"_", "SHLVL", "PWD", "OLDPWD", "HOMEPORT_BUILD", "HOME", "TMPDIR"})


class Scripts:
    """The scripts of one buildpack, in its own copy at `folder`; `title` is what people call it."""

    def __init__(self, folder: Path, title: str, project: Project, shell: Shell) -> None:
        self._folder = folder
        self._title = title
        self._project = project
        self._shell = shell

    def check(self) -> None:
        """Raises `BuildFailed` (`buildpack_invalid`)."""
        for name in ("bin/detect", "bin/compile"):
            script = inside(self._folder, name)
            if script is None:
                raise BuildFailed(
                    FailureId.BUILDPACK_INVALID,
                    f"The buildpack {self._title} has no {name}.",
                    why="A classic buildpack has the scripts bin/detect and bin/compile. This may be no buildpack at\n"
                    "all, or a Cloud Native Buildpack (with a buildpack.toml), which does not run here.",
                    fix="Check its URL, or take it away: `heroku buildpacks`, `heroku buildpacks:remove`.",
                )

    async def detect(self) -> str | None:
        """What the buildpack calls the app, None when it is not for it."""
        done = await self._run("bash", "-c", _QUIET, "bash", *self._argv("bin/detect", str(self._project.source)))
        if done.code != 0:
            return None
        words = [" ".join("".join(c if c.isprintable() else " " for c in line).split())
                 for line in done.output.splitlines()]  # fmt: skip
        return next(filter(None, words), "Other")[:60]

    async def compile(self, cache: Path) -> int:
        """Its exit code; its output has been shown. `cache` must be there."""
        arguments = (str(self._project.source), str(cache), env_dir.write(self._project))
        return (await self._run(*self._argv("bin/compile", *arguments), hidden=False)).code

    async def release(self) -> str:
        """The YAML that `bin/release` prints, "" without one. Raises `BuildFailed` (`buildpack_failed`)."""
        if inside(self._folder, "bin/release") is None:
            return ""
        done = await self._run("bash", "-c", _QUIET, "bash", *self._argv("bin/release", str(self._project.source)))
        if done.code != 0:
            raise BuildFailed(
                FailureId.BUILDPACK_FAILED,
                f"bin/release of the buildpack {self._title} failed with exit code {done.code}.",
                why="It says which process types the app has.",
                fix="This is a mistake of the buildpack: pin an older version of it, `…#v1.0`, or tell its authors.",
            )
        return done.output

    async def exports(self) -> dict[str, str]:
        """The variables that its file `export` sets for the buildpacks after it."""
        if inside(self._folder, "export") is None:
            return {}
        before = await self._variables(self._project.scratch, exported=False)
        after = await self._variables(self._folder, exported=True)
        return {
            name: value
            for name, value in after.items()
            if before.get(name) != value and name not in _OF_THE_SHELL and not name.startswith("BASH_FUNC_")
        }

    async def _variables(self, folder: Path, *, exported: bool) -> Mapping[str, str]:
        script = _SOURCED if exported else _SOURCED.replace("&& . ./export", "&& :")
        said = (await self._run("bash", "-c", script, "bash", str(folder))).output
        try:
            pairs = base64.b64decode(said.rpartition(_MARK)[2]).split(b"\0")
        except binascii.Error:
            return {}
        split = (pair.decode(errors="replace").partition("=") for pair in pairs if pair)
        return {name: value for name, _, value in split}

    def _argv(self, name: str, *arguments: str) -> list[str]:
        script = self._folder / name
        script.chmod(script.stat().st_mode | 0o700)  # archives and careless commits forget the bit
        with script.open("rb") as file:
            interpreter = [] if file.read(2) == b"#!" else ["bash"]
        return [*interpreter, str(script), *arguments]

    async def _run(self, *argv: str, hidden: bool = True) -> Finished:
        return await self._shell.run(
            argv,
            cwd=self._project.source,
            env={"STACK": STACK, "REQUEST_ID": self._project.scratch.name},
            show=silent if hidden else None,
            formed=True,
        )
