"""From a buildpack's address to its files, said aloud where it cannot be had."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from pathlib import Path

from homeport.buildpacks.classic import archive
from homeport.buildpacks.classic.archive import ArchiveFailed
from homeport.buildpacks.classic.git import FULL, Git, GitFailed
from homeport.buildpacks.classic.snapshots import Snapshots
from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Project, Shell
from homeport.buildpacks.references import Remote
from homeport.buildpacks.voice import Voice

_REASONS = (
    (re.compile(r"could not read (Username|Password)|Authentication failed|Repository not found|\b404\b|\b40[13]\b"),
     "There is no such repository, or it is private."),
    (re.compile(r"does not appear to be a git repository|does not exist|No such file", re.IGNORECASE),
     "There is no git repository at this address."),
    (re.compile(r"Could not resolve host|Name or service not known|Temporary failure in name resolution"),
     "This machine cannot find the host: its name is misspelt, or there is no network."),
    (re.compile(r"Connection refused|Failed to connect|timed out|No route|unreachable|Couldn't connect|did not answer"
                r"|connection attempts failed"),
     "Its host does not answer."),
    (re.compile(r"[Cc]ertificate"), "The certificate of its host is not one that this machine trusts."),
    (re.compile(r"not our ref|unknown revision|reference is not a tree|Needed a single revision|couldn't find remote"),
     "It has no such commit."),
)  # fmt: skip


async def fetch(remote: Remote, project: Project, shell: Shell, voice: Voice) -> Path:
    """A copy of the buildpack's files that its scripts may write into. Raises `BuildFailed`."""
    snapshots = await asyncio.to_thread(Snapshots, project.cache, remote)
    version = await _version(remote, snapshots, project, shell, voice)
    folder = project.scratch / f"buildpack.{uuid.uuid4().hex[:8]}"
    await asyncio.to_thread(snapshots.take, version, folder)
    return folder


async def _version(remote: Remote, snapshots: Snapshots, project: Project, shell: Shell, voice: Voice) -> str:
    if FULL.fullmatch(remote.ref) and snapshots.has(remote.ref):
        return remote.ref
    voice.step(f"Fetching buildpack {remote.title}")
    try:
        if remote.archive:
            return await archive.fetch(remote, snapshots, project.scratch)
        git = Git(remote, shell, project.scratch)
        commit = await git.commit()
        if not snapshots.has(commit or "-"):
            commit = await git.fetch(commit, snapshots)
        voice.detail(f"commit {commit[:8]}")
        return commit
    except (GitFailed, ArchiveFailed) as error:
        last = snapshots.last()
        if last is None:
            raise _failed(remote, str(error)) from error
        version, at = last
        voice.warning(
            f"A buildpack cannot be fetched now; using the copy of {_minute(at)} ({version[:8]}).\n\n"
            f"  {remote.title}\n\n{_reason(str(error))}"
        )
        return version


def _minute(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(at))


def _reason(said: str) -> str:
    for pattern, reason in _REASONS:
        if pattern.search(said):
            return reason
    lines = [line for line in said.splitlines() if line.strip()]
    return "\n".join(lines[-3:])[:400] or "Nobody said why."


def _failed(remote: Remote, said: str) -> BuildFailed:
    return BuildFailed(
        FailureId.BUILDPACK_FETCH_FAILED,
        f"The buildpack {remote.title} cannot be fetched.",
        why=_reason(said),
        fix="Check the address, which must be reachable from this machine:\n\n"
        + (f"  curl -fLO {remote.url}" if remote.archive else f"  git ls-remote {remote.url}")
        + "\n\nThen push again, or take the buildpack away: `heroku buildpacks:remove`.",
    )
