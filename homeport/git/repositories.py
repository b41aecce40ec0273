"""One bare repository per app, and reading what is in it.

Nothing that comes from a push is trusted: objects are checked by git itself on arrival (`receive.fsckObjects`), refs
and paths never become parts of a shell command, and no hook, filter or configuration of the repository's content runs.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from homeport.errors import HomeportError, Invalid
from homeport.git import program

# Old, harmless blemishes that real histories have; everything else that fsck finds is refused.
_TOLERATED = (
    "zeroPaddedFilemode", "badTimezone", "missingSpaceBeforeDate", "missingTaggerEntry", "missingEmail",
    "missingNameBeforeEmail", "badDateOverflow", "multipleAuthors", "badFilemode", "gitmodulesParse",
)  # fmt: skip

GRACE = 600.0

_OBJECT = re.compile(r"[0-9a-f]{40}")


def configuration() -> dict[str, str]:
    """git's settings for everything done here, as environment variables: no file of ours or the user's is read."""
    settings = {
        "http.receivepack": "true",
        "receive.fsckObjects": "true",
        "receive.autogc": "false",  # a push shall not wait for housekeeping
        "receive.denyCurrentBranch": "ignore",
        "receive.advertisePushOptions": "false",
        "uploadpack.allowAnySHA1InWant": "false",
        "core.hooksPath": "/dev/null",
        "core.symlinks": "true",
        "safe.directory": "*",
        "gc.auto": "0",
        "advice.detachedHead": "false",
        **{f"receive.fsck.{name}": "warn" for name in _TOLERATED},
    }
    environment = {"GIT_CONFIG_COUNT": str(len(settings))}
    for index, (name, value) in enumerate(settings.items()):
        environment[f"GIT_CONFIG_KEY_{index}"] = name
        environment[f"GIT_CONFIG_VALUE_{index}"] = value
    return environment


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The whole environment of a git process; nothing is inherited but PATH and the trust in certificates."""
    kept = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR") if name in os.environ}
    return {
        **kept,
        "LANG": "C.UTF-8",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_TERMINAL_PROMPT": "0",
        **configuration(),
        **(extra or {}),
    }


@dataclass(frozen=True)
class Commit:
    """`id` and `tree` are full object names; `at` is the committer's date, `subject` the first line."""

    id: str
    tree: str
    at: datetime
    subject: str


@dataclass(frozen=True)
class Entry:
    """A line of a history; `author` is a name."""

    id: str
    at: datetime
    author: str
    subject: str


@dataclass(frozen=True)
class Submodule:
    """A commit of another repository that belongs at `path`; `url` is None if .gitmodules does not name it."""

    path: str
    commit: str
    url: str | None


@dataclass(frozen=True)
class Objects:
    """Objects of one repository; during a push also those in quarantine, which `extra` points git at."""

    directory: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    async def commit(self, revision: str) -> Commit:
        """Raises `Invalid` (`not_a_commit`) when the object is none: a tag of a tree, a blob."""
        code, text = await self._git("log", "-1", "--format=%H%n%T%n%ct%n%s", f"{revision}^{{commit}}", "--")
        if code != 0:
            raise Invalid(
                "What was pushed is not a commit.",
                id="not_a_commit",
                why="Only a commit has the files that an app is built from.",
                fix="Push a branch: `git push heroku main`.",
            )
        id_, tree, seconds, *subject = text.split("\n")
        return Commit(id_, tree, datetime.fromtimestamp(int(seconds), UTC), subject[0] if subject else "")

    async def check_out(self, commit: Commit, into: Path) -> None:
        """Write the commit's files into an empty folder. Raises `HomeportError` (`checkout_failed`)."""
        index = into.with_name(into.name + ".index")
        try:
            code, text = await self._git(
                "--work-tree", str(into), "-c", "core.bare=false", "read-tree", "-m", "-u", commit.id,
                extra={"GIT_INDEX_FILE": str(index)},
            )  # fmt: skip
        finally:
            index.unlink(missing_ok=True)
        if code != 0:
            raise HomeportError(
                "checkout_failed",
                f"The files of {commit.id[:8]} cannot be written.",
                why=text.strip()[-500:],
                fix="Check for file names that this system does not allow, and for a full disk (`df -h`).",
            )

    async def submodules(self, commit: Commit) -> list[Submodule]:
        """The submodules of this commit with the URLs that its .gitmodules gives them."""
        _, listing = await self._git("ls-tree", "-r", "-z", commit.id)
        found = []
        for entry in listing.split("\0"):
            head, _, path = entry.partition("\t")
            if head.startswith("160000 "):
                found.append((path, head.split(" ")[2]))
        if not found:
            return []
        urls = await self._submodule_urls(commit)
        return [Submodule(path, sha, urls.get(path)) for path, sha in found]

    async def _submodule_urls(self, commit: Commit) -> dict[str, str]:
        code, text = await self._git(
            "config", "--blob", f"{commit.id}:.gitmodules", "-z", "--get-regexp", r"^submodule\..*\.(path|url)$"
        )
        if code != 0:
            return {}
        values: dict[str, dict[str, str]] = {}
        for item in text.split("\0"):
            key, _, value = item.partition("\n")
            name, _, attribute = key.removeprefix("submodule.").rpartition(".")
            values.setdefault(name, {})[attribute] = value
        return {entry["path"]: entry["url"] for entry in values.values() if "path" in entry and "url" in entry}

    async def refs(self) -> dict[str, str]:
        """Every ref and what it is at."""
        _, text = await self._git("for-each-ref", "--format=%(objectname) %(refname)")
        return {ref: name for name, _, ref in (line.partition(" ") for line in text.splitlines())}

    async def leads_to(self, older: str, newer: str) -> bool:
        """Whether `older` is an ancestor of `newer`: going from one to the other loses no commit."""
        code, _ = await self._git("merge-base", "--is-ancestor", older, newer)
        return code == 0

    def beside(self, other: Objects) -> Objects:
        """These objects together with another repository's."""
        return Objects(self.directory, {"GIT_ALTERNATE_OBJECT_DIRECTORIES": str(other.directory / "objects")})

    async def divergence(self, ours: str, theirs: str) -> tuple[int, int] | None:
        """How many commits each of two has that the other has not; None when one of them is not here."""
        if not _OBJECT.fullmatch(ours) or not _OBJECT.fullmatch(theirs):
            return None
        code, text = await self._git("rev-list", "--left-right", "--count", f"{ours}...{theirs}", "--")
        if code != 0:
            return None
        ahead, behind = text.split()
        return int(ahead), int(behind)

    async def history(self, newer: str, without: str, most: int) -> list[Entry]:
        """The commits that lead to `newer` and not to `without`, newest first. Both must be here."""
        _, text = await self._git("log", f"--max-count={most}", "--format=%H%n%ct%n%an%n%s", newer, f"^{without}", "--")
        lines = iter(text.split("\n"))
        return [
            Entry(name, datetime.fromtimestamp(int(seconds), UTC), author, subject)
            for name, seconds, author, subject in zip(lines, lines, lines, lines, strict=False)
        ]

    async def size(self) -> int:
        """Bytes on disk."""
        _, text = await self._git("count-objects", "-v")
        fields = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
        return (int(fields.get("size", 0)) + int(fields.get("size-pack", 0))) * 1024

    async def point_head_at(self, ref: str) -> None:
        """So that a clone checks out what is deployed."""
        await self._git("symbolic-ref", "HEAD", ref)

    async def _git(self, *arguments: str, extra: Mapping[str, str] | None = None) -> tuple[int, str]:
        ended = await program.run(
            "--git-dir", str(self.directory), *arguments, env=environment({**self.extra, **(extra or {})})
        )
        return ended.code, ended.out if ended.code == 0 else ended.err


class Repositories:
    """The folder of all repositories."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, app_id: str) -> Path:
        return self.root / f"{app_id}.git"

    async def open(self, app_id: str) -> Objects:
        """The app's repository, made on first use."""
        path = self.path(app_id)
        if not (path / "HEAD").exists():
            await self._create(path)
        return Objects(path)

    async def _create(self, path: Path) -> None:
        draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        ended = await program.run(
            "init", "--quiet", "--bare", "--initial-branch=main", "--template=", str(draft), env=environment()
        )
        if ended.code != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise HomeportError(
                "repository_failed", "The app's git repository cannot be made.",
                why=ended.err.strip()[-500:], fix="Is the disk full?",
            )  # fmt: skip
        try:
            draft.rename(path)
        except OSError:  # somebody else was faster
            shutil.rmtree(draft, ignore_errors=True)
            if not (path / "HEAD").exists():
                raise

    def sweep(self, keep: set[str], *, grace: float = GRACE) -> None:
        """Remove repositories of apps that are gone, and half-made ones; not those touched in the last `grace` seconds,
        whose apps may be younger than `keep`."""
        for entry in self.root.iterdir():
            with contextlib.suppress(FileNotFoundError):
                young = time.time() - entry.stat().st_mtime < grace
                if not young and entry.name.removesuffix(".git") not in keep:
                    shutil.rmtree(entry, ignore_errors=True)
