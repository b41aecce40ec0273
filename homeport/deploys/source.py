"""From a commit to a folder of files, submodules included."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from homeport.errors import Invalid
from homeport.git import Objects
from homeport.git.repositories import Commit, Submodule, environment

SUBMODULE_SECONDS = 120


async def check_out(objects: Objects, commit: Commit, into: Path, say: Callable[[str], None]) -> None:
    """The commit's files and its submodules'. Raises `Invalid` (`submodule_…`) and `HomeportError`."""
    await objects.check_out(commit, into)
    submodules = await objects.submodules(commit)
    if submodules:
        say("-----> Fetching submodules")
    for submodule in submodules:
        await _fetch(submodule, into, say)


async def _fetch(submodule: Submodule, into: Path, say: Callable[[str], None]) -> None:
    url = _checked_url(submodule)
    target = into.joinpath(*PurePosixPath(submodule.path).parts)
    if not target.resolve().is_relative_to(into.resolve()):
        raise Invalid(f"The submodule path {submodule.path!r} leads out of the repository.", id="submodule_path")
    say(f"       {submodule.path} at {submodule.commit[:8]}")
    target.mkdir(parents=True, exist_ok=True)
    code, text = await _git(target, "init", "--quiet", "--template=")
    if code == 0:
        code, text = await _git(target, "fetch", "--quiet", "--depth", "1", url, submodule.commit)
        if code != 0:  # a server may refuse to give a single commit
            code, text = await _git(target, "fetch", "--quiet", url, "+refs/heads/*:refs/remotes/origin/*")
    if code == 0:
        code, text = await _git(target, "checkout", "--quiet", submodule.commit)
    if code != 0:
        raise Invalid(
            f"The submodule {submodule.path} cannot be fetched.",
            id="submodule_fetch_failed",
            why=text.strip()[-300:],
            fix="Homeport fetches submodules without credentials. Make the repository public, or vendor its files:\n"
            f"`git rm --cached {submodule.path}`, remove its entry from .gitmodules, `git add {submodule.path}`.",
        )
    shutil.rmtree(target / ".git", ignore_errors=True)


def _checked_url(submodule: Submodule) -> str:
    if submodule.url is None:
        raise Invalid(
            f"The submodule {submodule.path} has no URL in .gitmodules.",
            id="submodule_without_url",
            why="Its files are in another repository, and nothing says where.",
            fix=f"Add it properly (`git submodule add URL {submodule.path}`), or remove it: `git rm {submodule.path}`.",
        )
    parts = urlsplit(submodule.url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Invalid(
            f"The submodule {submodule.path} has the URL {submodule.url[:200]!r}, which cannot be fetched from here.",
            id="submodule_url",
            why="Only https:// and http:// URLs work: there are no SSH keys here, and relative paths lead nowhere.",
            fix=f"Use its https URL: `git submodule set-url {submodule.path} https://…`, then commit .gitmodules.",
        )
    return submodule.url


async def _git(folder: Path, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "git", *arguments, cwd=folder,
        env=environment({"GIT_ALLOW_PROTOCOL": "https:http", "GIT_ASKPASS": "/bin/false"}),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        out, _ = await asyncio.wait_for(process.communicate(), SUBMODULE_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        return 1, f"It did not answer within {SUBMODULE_SECONDS} seconds."
    return process.returncode or 0, out.decode(errors="replace")
