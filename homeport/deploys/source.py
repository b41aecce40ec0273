"""Where the files of a deploy come from: a commit that was pushed, or a tarball that somebody names."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Protocol
from urllib.parse import urlsplit

import httpx

from homeport import reach
from homeport.errors import Invalid, TooLarge
from homeport.git import Commit, Objects, Submodule, environment, run_git
from homeport.reach import Reach
from homeport.slugs import unpack

SUBMODULE_SECONDS = 120
DOWNLOAD_SECONDS = 900.0
"""As long as a build may take: a server that sends a little now and then would hold the app's turn for ever."""
MAX_TARBALL_BYTES = 1024**3

Say = Callable[[str], None]


class Source(Protocol):
    """`version` is what it calls itself (a commit), `at` its date, `content` names its content if that is known."""

    @property
    def version(self) -> str | None: ...
    @property
    def at(self) -> datetime | None: ...
    @property
    def content(self) -> str | None: ...

    async def put(self, into: Path, say: Say) -> None:
        """Write all files into an empty folder. Raises `HomeportError`."""


@dataclass(frozen=True)
class PushedCommit:
    """A commit with its submodules."""

    objects: Objects
    commit: Commit

    @property
    def version(self) -> str:
        return self.commit.id

    @property
    def at(self) -> datetime:
        return self.commit.at

    @property
    def content(self) -> str:
        return self.commit.tree  # submodules are in it by their commits

    async def put(self, into: Path, say: Say) -> None:
        await self.objects.check_out(self.commit, into)
        submodules = await self.objects.submodules(self.commit)
        if submodules:
            say("-----> Fetching submodules")
        for submodule in submodules:
            await _fetch(submodule, into, say)


@dataclass(frozen=True)
class Tarball:
    """A .tar.gz at a URL, or one that was uploaded: https://devcenter.heroku.com/articles/build-and-release-using-the-api."""

    address: str | Path
    version: str | None = None
    at: datetime | None = None
    content: str | None = None

    async def put(self, into: Path, say: Say) -> None:
        if isinstance(self.address, Path):
            await asyncio.to_thread(_unpack, self.address, into)
            return
        say("-----> Fetching the source tarball")
        archive = into.with_name(into.name + ".tar.gz")
        try:
            await download(self.address, archive)
            await asyncio.to_thread(_unpack, archive, into)
        finally:
            archive.unlink(missing_ok=True)


async def download(url: str, to: Path) -> None:
    """Fetch a tarball. Raises `Invalid` (`source_…`, `address_not_public`)."""
    if urlsplit(url).scheme not in ("https", "http"):
        raise Invalid("The source's URL must begin with https:// or http://.", id="source_url")
    try:
        async with asyncio.timeout(DOWNLOAD_SECONDS):
            await _stream(url, to)
    except TimeoutError:
        raise Invalid(
            "The source tarball cannot be fetched.",
            id="source_fetch_failed",
            why=f"Its server did not send it within {DOWNLOAD_SECONDS:.0f} seconds.",
        ) from None
    except httpx.HTTPError as error:
        raise Invalid(
            "The source tarball cannot be fetched.", id="source_fetch_failed", why=f"{type(error).__name__}: {error}"
        ) from error


async def _stream(url: str, to: Path) -> None:
    size = 0
    async with (
        reach.client(follow_redirects=True, timeout=60) as client,
        client.stream("GET", url) as response,
    ):
        response.raise_for_status()
        with to.open("wb") as file:
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > MAX_TARBALL_BYTES:
                    raise Invalid("The source tarball is larger than 1 GB.", id="source_too_large")
                file.write(chunk)


def _unpack(archive: Path, into: Path) -> None:
    try:
        unpack(archive, into)
        _lift(into)
    except TooLarge as error:
        raise Invalid("The source tarball is too large.", id="source_too_large", why=error.what) from error
    except (tarfile.TarError, EOFError, OSError) as error:
        raise Invalid(
            "The source tarball cannot be unpacked.", id="source_damaged", why=str(error)[:300],
            fix="Make it with `git archive --format tar.gz HEAD` or `tar -czf`.",
        ) from error  # fmt: skip


def _lift(folder: Path) -> None:
    """Take the source out of the only folder that there is: GitHub packs `name-commit/` around it."""
    entries = list(folder.iterdir())
    if len(entries) != 1 or entries[0].is_symlink() or not entries[0].is_dir():
        return
    wrapper = entries[0].rename(folder.with_name(folder.name + ".wrapper"))
    folder.rmdir()
    wrapper.rename(folder)


async def _fetch(submodule: Submodule, into: Path, say: Say) -> None:
    url = _checked_url(submodule)
    await Reach.of().require(url)
    target = await asyncio.to_thread(_place, submodule, into)
    say(f"       {submodule.path} at {submodule.commit[:8]}")
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
    await asyncio.to_thread(shutil.rmtree, target / ".git", ignore_errors=True)


def _place(submodule: Submodule, into: Path) -> Path:
    """The submodule's folder; a link in the tree must not lead it elsewhere."""
    target = into.joinpath(*PurePosixPath(submodule.path).parts)
    if not target.resolve().is_relative_to(into.resolve()):
        raise Invalid(f"The submodule path {submodule.path!r} leads out of the repository.", id="submodule_path")
    target.mkdir(parents=True, exist_ok=True)
    return target


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
    env = environment({"GIT_ALLOW_PROTOCOL": "https:http", "GIT_ASKPASS": "/bin/false"})
    try:
        async with asyncio.timeout(SUBMODULE_SECONDS):
            ended = await run_git(*arguments, env=env, folder=folder)
    except TimeoutError:
        return 1, f"It did not answer within {SUBMODULE_SECONDS} seconds."
    return ended.code, ended.err
