"""uv's command lines and environment, as values: https://docs.astral.sh/uv/reference/cli/."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from homeport.buildpacks.failures import BuildFailed, FailureId


@dataclass(frozen=True)
class Plan:
    """What to install, and under which conditions; repairs make new plans out of old ones.

    `files` are requirements files relative to the source, `requirements` single ones. `overrides` replace whatever
    anybody asks of a package, `excludes` are packages that are left out.
    """

    files: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    constraints: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    build_constraints: tuple[str, ...] = ()
    before: str | None = None  # nothing that was uploaded later, RFC 3339
    dependencies: bool = True  # of the named packages too; a lock file names all
    prereleases: bool = False
    verify_hashes: bool = True


@cache
def binary() -> str:
    """The uv that Homeport depends on. Raises `BuildFailed` when it is missing."""
    try:
        from uv import find_uv_bin  # not at the top: only builds need it

        return os.fspath(find_uv_bin())
    except (ImportError, FileNotFoundError):
        found = shutil.which("uv")
    if found is None:
        raise BuildFailed(
            FailureId.DEPENDENCIES_FAILED,
            "uv, which installs the dependencies, is not on this machine.",
            fix="Install Homeport again; uv comes with it.",
        )
    return found


@cache
def release() -> str:
    """uv's version without starting it; part of a layer's key."""
    try:
        return version("uv")
    except PackageNotFoundError:
        status = Path(binary()).stat()
        return f"{status.st_size}-{status.st_mtime_ns}"


def environment(build: Mapping[str, str], cache: Path) -> dict[str, str | None]:
    """uv's own settings, on top of a build's environment `build`."""
    return {
        "UV_CACHE_DIR": str(cache / "uv"),
        "UV_LINK_MODE": "hardlink",
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_HTTP_TIMEOUT": build.get("UV_HTTP_TIMEOUT") or build.get("PIP_DEFAULT_TIMEOUT") or "60",
        "NO_COLOR": "1",
        "VIRTUAL_ENV": None,
        "PYTHONPATH": None,
        "PYTHONHOME": None,
    }


def from_pip(build: Mapping[str, str]) -> dict[str, str | None]:
    """pip's settings in uv's words, for requirements that were written for pip.

    With pip all indexes are equal and the best version wins, so that is asked of uv as well: requirements with an
    extra index do not resolve otherwise. `uv sync` gets none of this, since another index would make its lock file
    look outdated.
    """
    env: dict[str, str | None] = {"UV_INDEX_STRATEGY": build.get("UV_INDEX_STRATEGY") or "unsafe-best-match"}
    translated = {
        "UV_DEFAULT_INDEX": "PIP_INDEX_URL",
        "UV_INDEX": "PIP_EXTRA_INDEX_URL",
        "UV_FIND_LINKS": "PIP_FIND_LINKS",
        "UV_INSECURE_HOST": "PIP_TRUSTED_HOST",
        "SSL_CERT_FILE": "PIP_CERT",
    }
    for ours, pips in translated.items():
        legacy = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_INDEX": "UV_EXTRA_INDEX_URL"}.get(ours, ours)
        if build.get(pips) and not build.get(ours) and not build.get(legacy):
            separator = "," if ours == "UV_FIND_LINKS" else " "
            env[ours] = separator.join(build[pips].split())
    return env


INDEX_SETTINGS = re.compile(r"(UV|PIP)_[A-Z0-9_]+")
"""Names of variables that may change what gets installed; their values are part of a layer's key."""


OTHER_INDEXES = re.compile(r"(PIP_(EXTRA_)?INDEX_URL|UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL))")


def make_environment(python: Path, folder: Path) -> list[str]:
    """A virtual environment that may be moved, with nothing in it."""
    return [binary(), "venv", "--quiet", "--no-project", "--allow-existing", "--relocatable",
            "--python", str(python), str(folder)]  # fmt: skip


def install(plan: Plan, folder: Path, scratch: Path, *, compile_bytecode: bool) -> list[str]:
    """Install a plan into a virtual environment; writes the lists that uv wants as files into `scratch`."""
    argv = [binary(), "pip", "install", "--python", str(folder / "bin" / "python"), "--no-break-system-packages"]
    argv += ["--compile-bytecode"] if compile_bytecode else []
    argv += _options(plan, scratch)
    for file in plan.files:
        argv += ["-r", file]
    return [*argv, *plan.requirements]


def sync(folder: Path) -> tuple[list[str], dict[str, str]]:
    """Install exactly what `uv.lock` says, and the environment variables for it."""
    argv = [binary(), "sync", "--locked", "--no-default-groups", "--compile-bytecode", "--inexact"]
    return argv, {"UV_PROJECT_ENVIRONMENT": str(folder), "UV_PYTHON": str(folder / "bin" / "python")}


def nearest(requirement: Path, python: Path, *, lowest: bool, wheels: bool, before: str | None) -> list[str]:
    """Print the lowest or highest version that fulfils the requirement in a file, for this interpreter."""
    argv = [binary(), "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--no-deps",
            "--python", str(python), "--resolution", "lowest" if lowest else "highest", str(requirement)]  # fmt: skip
    argv += ["--only-binary", ":all:"] if wheels else []
    return argv + (["--exclude-newer", before] if before else [])


def export() -> list[str]:
    """Print what `uv.lock` says as a requirements file."""
    return [binary(), "export", "--quiet", "--locked", "--no-default-groups", "--no-header", "--no-annotate",
            "--no-hashes", "--format", "requirements.txt"]  # fmt: skip


def _options(plan: Plan, scratch: Path) -> list[str]:
    argv: list[str] = []
    lists = {
        "--constraints": plan.constraints,
        "--overrides": plan.overrides,
        "--excludes": plan.excludes,
        "--build-constraints": plan.build_constraints,
    }
    for option, lines in lists.items():
        if lines:
            file = scratch / f"{option.strip('-')}.txt"
            file.write_text("\n".join(lines) + "\n")
            argv += [option, str(file)]
    argv += ["--exclude-newer", plan.before] if plan.before else []
    argv += [] if plan.dependencies else ["--no-deps"]
    argv += ["--prerelease", "allow"] if plan.prereleases else []
    argv += [] if plan.verify_hashes else ["--no-verify-hashes"]
    return argv


def python_install(request: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Download an interpreter; gives up at once when there is no network."""
    argv = [binary(), "python", "install", "--quiet", "--no-bin", "--install-dir", str(folder), request]
    return argv, {"UV_HTTP_RETRIES": "0", "UV_HTTP_TIMEOUT": "30", "UV_PYTHON_DOWNLOADS": "manual"}


def readable(draft: Path, source: Path) -> Sequence[tuple[str, str]]:
    """Texts that mean nothing to the reader of the output, and what stands in their place."""
    return (
        (str(draft), ".heroku/python"),
        (f"file://{source}", "."),
        (f"{source}/", ""),
        (str(source), "."),
    )
