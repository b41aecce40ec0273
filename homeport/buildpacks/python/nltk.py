"""NLTK's corpora, named in `nltk.txt`: https://devcenter.heroku.com/articles/python-nltk."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Shell
from homeport.buildpacks.reading import read_text
from homeport.buildpacks.voice import Voice

NAME = "nltk.txt"
FOLDER = "nltk_data"
"""In the dependency layer."""


def wanted(packages: Mapping[str, str]) -> bool:
    return "nltk" in packages


def corpora(source: Path) -> list[str]:
    return (read_text(source, NAME) or "").split()


async def download(layer: Path, source: Path, shell: Shell, voice: Voice) -> None:
    """Put the corpora that `nltk.txt` names into a layer that has NLTK. Raises `BuildFailed`."""
    names = corpora(source)
    voice.step("Downloading NLTK corpora...")
    if not names:
        voice.detail("'nltk.txt' not found, not downloading any corpora")
        return
    voice.step(f"Downloading NLTK packages: {' '.join(names)}")
    argv = [str(layer / "bin" / "python"), "-m", "nltk.downloader", "-d", str(layer / FOLDER), *names]
    done = await shell.run(argv, cwd=source)
    if done.code != 0 or "Error loading" in done.output:
        raise BuildFailed(
            FailureId.NLTK_DOWNLOAD_FAILED,
            "The NLTK corpora could not be downloaded.",
            why=f"nltk.txt names: {' '.join(names)}. Either one of them does not exist, or their server cannot be\n"
            "reached from this machine (see above).",
            fix="Compare the names with https://www.nltk.org/nltk_data/ and push again.",
        )
