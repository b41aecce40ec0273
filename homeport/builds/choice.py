"""Which buildpacks make the slug."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from homeport.buildpacks import (
    Bare,
    BuildFailed,
    Buildpack,
    BuiltIn,
    Classic,
    Conda,
    FailureId,
    Node,
    Python,
    Reference,
    Voice,
    has_manager,
    listing,
    looks_like_conda,
    looks_like_node,
    looks_like_python,
    parse_reference,
    read_text,
)
from homeport.builds.subdirectory import SETTING, candidates

_BUILT_IN: dict[BuiltIn, type[Buildpack]] = {
    BuiltIn.PYTHON: Python,
    BuiltIn.NODE: Node,
    BuiltIn.CONDA: Conda,
    BuiltIn.PROCFILE: Bare,
}


def references(urls: Sequence[str], environ: Mapping[str, str]) -> list[Reference]:
    """What was set, in order. Raises `BuildFailed` (`buildpack_unsupported`)."""
    return [parse_reference(url, environ) for url in urls]


def choose(wanted: Sequence[Reference], source: Path, voice: Voice) -> list[Buildpack]:
    """The buildpacks that were set, or the one that recognises the source.

    Raises `BuildFailed` (`buildpack_not_detected`).
    """
    wanted = [reference for reference in wanted if reference is not BuiltIn.SUBDIR]  # `subdirectory` has done its work
    if not wanted:
        voice.step("Determining which buildpack to use for this app")
        return [_detected(source, voice)]
    buildpacks = [_made(reference) for reference in wanted]
    if len(buildpacks) == 1:
        voice.step(f"Using buildpack: {buildpacks[0].title}")
    else:
        voice.step("Using buildpacks:")
        for number, buildpack in enumerate(buildpacks, start=1):
            voice.detail(f"{number}. {buildpack.title}")
    return buildpacks


def _made(reference: Reference) -> Buildpack:
    return _BUILT_IN[reference]() if isinstance(reference, BuiltIn) else Classic(reference)


def _detected(source: Path, voice: Voice) -> Buildpack:
    """Python first, where Heroku looks for Node.js first: a package.json beside Python is mostly a front end's."""
    if looks_like_conda(source) and not has_manager(source):
        return Conda()
    node = looks_like_node(source)
    if looks_like_python(source) and not (node and _runs_node(source)):
        if node and '"build"' in (read_text(source, "package.json") or ""):
            voice.notice(
                "There is a package.json too, and nothing is built with it. If your front end is to be built in each\n"
                "push, as on Heroku with these two buildpacks:\n\n"
                "  heroku buildpacks:set heroku/python\n  heroku buildpacks:add --index 1 heroku/nodejs"
            )
        return Python()
    if node:
        return Node()
    raise _not_detected(source)


def _runs_node(source: Path) -> bool:
    """Whether the Procfile says that Node.js serves the app, whatever Python files are there."""
    text = read_text(source, "Procfile") or ""
    return re.search(r"^web:\s*(\w+=\S*\s+)*(node|npm|npx|yarn|pnpm)\b", text, re.MULTILINE) is not None


def _not_detected(source: Path) -> BuildFailed:
    return BuildFailed(
        FailureId.BUILDPACK_NOT_DETECTED,
        "This does not look like a Python app.",
        why="A Python app has a requirements.txt, Pipfile.lock, poetry.lock, uv.lock or pyproject.toml in its top\n"
        "folder; a conda project has an environment.yml, a Node.js app a package.json. The top folder of your commit\n"
        f"holds:\n\n{listing(source)}",
        fix="Check that the file is in the top folder, spelt exactly like this and committed (`git status`).\n"
        "An app without dependencies has an empty requirements.txt." + _elsewhere(source),
    )


def _elsewhere(source: Path) -> str:
    folders = candidates(source)
    if not folders:
        return ""
    return f"\nIf the app is in a folder of the repository, name it:\n\n  heroku config:set {SETTING}={folders[0]}"
