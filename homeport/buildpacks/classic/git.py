"""git as buildpacks are fetched with it: no configuration but ours, no password in a command line."""

from __future__ import annotations

import asyncio
import base64
import re
from pathlib import Path
from urllib.parse import urlsplit

from homeport.buildpacks.classic.snapshots import Snapshots
from homeport.buildpacks.interface import Finished, Shell, silent
from homeport.buildpacks.references import Remote
from homeport.slugs import remove

SECONDS = 120.0
"""For each conversation with a server."""

FULL = re.compile(r"[0-9a-f]{40}")
_SHORT = re.compile(r"[0-9a-f]{7,39}")
_LISTED = re.compile(r"([0-9a-f]{40})\t(\S+)")


class GitFailed(Exception):
    """What git said about it."""


class Git:
    """Fetches one repository. Raises `GitFailed`."""

    def __init__(self, remote: Remote, shell: Shell, scratch: Path) -> None:
        self._remote = remote
        self._shell = shell
        self._scratch = scratch

    async def commit(self) -> str:
        """The commit that is meant, "" if it is an abbreviation, which servers do not look up."""
        ref = self._remote.ref
        if FULL.fullmatch(ref):
            return ref
        wanted = [f"refs/tags/{ref}^{{}}", f"refs/tags/{ref}", f"refs/heads/{ref}"] if ref else ["HEAD"]
        done = await self._git("ls-remote", "--quiet", "--", self._remote.url, *wanted)
        listed: dict[str, str] = {name: commit for commit, name in _LISTED.findall(done.output)}
        for name in wanted:
            if name in listed:
                return listed[name]
        if _SHORT.fullmatch(ref):
            return ""
        what = f"It has no branch or tag {ref!r}." if ref else "It is empty."
        raise GitFailed(what)

    async def fetch(self, commit: str, snapshots: Snapshots) -> str:
        """Make the commit a snapshot; returns its full name."""
        draft = snapshots.draft()
        try:
            await self._git("init", "--quiet", "--template=", str(draft))
            if commit:
                await self._fetch_one(commit, draft)
            else:
                commit = await self._look_up(draft)
            await self._git("checkout", "--quiet", "--detach", commit, cwd=draft)
            if (draft / ".gitmodules").is_file():
                await self._git("submodule", "--quiet", "update", "--init", "--recursive", "--depth", "1", cwd=draft)
            await asyncio.to_thread(remove, draft / ".git")
            await asyncio.to_thread(snapshots.keep, commit, draft)
            return commit
        finally:
            await asyncio.to_thread(remove, draft)

    async def _look_up(self, draft: Path) -> str:
        """The full name of an abbreviated commit, for which everything has to be fetched."""
        await self._git("fetch", "--quiet", self._remote.url, "+refs/heads/*:refs/remotes/origin/*", cwd=draft)
        found = await self._git("rev-parse", "--verify", f"{self._remote.ref}^{{commit}}", cwd=draft)
        return found.output.strip()

    async def _fetch_one(self, commit: str, draft: Path) -> None:
        url = self._remote.url
        try:
            await self._git("fetch", "--quiet", "--depth", "1", url, commit, cwd=draft)
        except GitFailed:  # a server may refuse to give a single commit
            await self._git("fetch", "--quiet", url, "+refs/*:refs/fetched/*", cwd=draft)

    async def _git(self, *arguments: str, cwd: Path | None = None) -> Finished:
        try:
            async with asyncio.timeout(SECONDS):
                done = await self._shell.run(
                    ["git", *arguments],
                    cwd=cwd or self._scratch,
                    env=self._environment(),
                    show=silent,
                )
        except TimeoutError:
            raise GitFailed(f"Its server did not answer within {SECONDS:.0f} seconds.") from None
        if done.code != 0:
            raise GitFailed(done.output.strip() or f"git ended with exit code {done.code}.")
        return done

    def _environment(self) -> dict[str, str | None]:
        parts = urlsplit(self._remote.url)
        settings = {
            "core.hooksPath": "/dev/null",
            "safe.directory": "*",
            "advice.detachedHead": "false",
            "http.lowSpeedLimit": "100",
            "http.lowSpeedTime": "30",
        }
        if self._remote.user_info:
            token = base64.b64encode(self._remote.user_info.encode()).decode()
            settings[f"http.{parts.scheme}://{parts.netloc}/.extraHeader"] = f"Authorization: Basic {token}"
        env: dict[str, str | None] = {
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ALLOW_PROTOCOL": f"{parts.scheme}:https",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "LC_ALL": "C",
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        for index, (name, value) in enumerate(settings.items()):
            env |= {f"GIT_CONFIG_KEY_{index}": name, f"GIT_CONFIG_VALUE_{index}": value}
        return env
