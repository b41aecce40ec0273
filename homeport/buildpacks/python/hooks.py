"""`bin/pre_compile` and `bin/post_compile`: the app's own scripts within a build.

What a script installs with pip goes into a folder of the app, since the dependency layer is shared and never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from homeport.buildpacks import env_dir
from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Project, Shell
from homeport.buildpacks.reading import inside
from homeport.buildpacks.voice import Voice

PACKAGES = ".heroku/python-packages"
"""Where pip installs to while a hook runs or tests are set up, relative to the app: the dependency layer is shared."""


def present(source: Path, name: str) -> bool:
    return inside(source, f"bin/{name}") is not None


async def run(name: str, project: Project, shell: Shell, voice: Voice, env: Mapping[str, str]) -> bool:
    """Run a hook if the source has it; tells whether it had. Raises `BuildFailed` (`hook_failed`)."""
    script = inside(project.source, f"bin/{name}")
    if script is None:
        return False
    voice.step(f"Running bin/{name} hook")
    script.chmod(script.stat().st_mode | 0o700)
    settings = {
        **env,
        "ENV_DIR": env_dir.write(project),
        "PIP_TARGET": str(project.source / PACKAGES),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
    }
    with script.open("rb") as file:
        interpreter = [] if file.read(2) == b"#!" else ["bash"]  # as on Heroku, where bash calls it
    done = await shell.run([*interpreter, f"bin/{name}"], cwd=project.source, env=settings)
    if done.code != 0:
        raise _failed(name, done.code, windows=b"\r\n" in script.read_bytes()[:10_000])
    return True


def _failed(name: str, code: int, *, windows: bool) -> BuildFailed:
    why = "The build stops then, since the script is there to prepare what your app needs."
    if windows:
        why = "Its lines end as on Windows (CR LF), which shells do not understand. Make git keep Unix line ends:\n\n"
        why += f"  echo 'bin/{name} text eol=lf' >> .gitattributes\n  git add --renormalize ."
    elif code in (126, 127):
        why = "A program that it starts was not found or may not be run; its first line counts too (#!/bin/bash)."
    return BuildFailed(
        FailureId.HOOK_FAILED,
        f"Your script bin/{name} failed with exit code {code}.",
        why=why,
        fix=f"Correct what its output above complains about, or rename bin/{name} to skip it.",
    )
