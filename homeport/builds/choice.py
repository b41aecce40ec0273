"""Which buildpack makes the slug."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from homeport.buildpacks import BuildFailed, Buildpack, FailureId, Python, Voice, listing

_PYTHON_NAMES = frozenset({"heroku/python", "urn:buildpack:heroku/python", "python"})
_ARCHIVES = frozenset({"buildpack-registry.s3.amazonaws.com", "codon-buildpacks.s3.amazonaws.com"})
_PYTHON_REPOSITORY = "heroku/heroku-buildpack-python"


def choose(urls: Sequence[str], source: Path, voice: Voice) -> Buildpack:
    """The buildpack that was set, or the one that recognises the source.

    Raises `BuildFailed`: `buildpack_unsupported`, `buildpack_not_detected`.
    """
    python = Python()
    if urls:
        for url in urls:
            if not is_python(url):
                raise _unsupported(url)
        voice.step("Using buildpack: heroku/python")
    else:
        voice.step("Determining which buildpack to use for this app")
        if not python.detect(source):
            raise _not_detected(source)
    voice.step(f"{python.name} app detected")
    return python


def is_python(url: str) -> bool:
    """Whether this names Heroku's Python buildpack, by any of the names that `heroku buildpacks:set` takes."""
    if url.strip().casefold() in _PYTHON_NAMES:
        return True
    parts = urlsplit(url.strip())
    path = parts.path.strip("/").casefold()
    if parts.netloc in _ARCHIVES:
        return path.endswith("heroku/python.tgz")
    if url.startswith("git@github.com:"):
        path = url.removeprefix("git@github.com:").casefold()
    elif parts.hostname not in ("github.com", "www.github.com"):
        return False
    return path.removesuffix(".git") == _PYTHON_REPOSITORY


def _unsupported(url: str) -> BuildFailed:
    shown = urlsplit(url)._replace(netloc=urlsplit(url).hostname or "").geturl() if "://" in url else url
    return BuildFailed(
        FailureId.BUILDPACK_UNSUPPORTED,
        f"The buildpack {shown[:200]} is not supported.",
        why="Homeport builds Python apps with its own buildpack, which stands in for heroku/python.",
        fix="If the app is a Python app, take the other buildpacks away and push again:\n\n"
        "  heroku buildpacks:set heroku/python",
    )


def _not_detected(source: Path) -> BuildFailed:
    return BuildFailed(
        FailureId.BUILDPACK_NOT_DETECTED,
        "This does not look like a Python app.",
        why="A Python app has a requirements.txt, Pipfile.lock, poetry.lock, uv.lock or pyproject.toml in its top\n"
        f"folder. The top folder of your commit holds:\n\n{listing(source)}",
        fix="Check that the file is in the top folder, spelt exactly like this and committed (`git status`).\n"
        "An app without dependencies has an empty requirements.txt.",
    )
