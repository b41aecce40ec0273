"""Building the fixture projects for real, and what a person sees of it."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from homeport.builds import Builder, BuildFailed, Built, Job, Limits, Previous
from homeport.home import Home
from homeport.slugs import Store

PROJECTS = Path(__file__).parents[2] / "fixtures" / "projects"


@dataclass
class Outcome:
    """What a build has said and made."""

    lines: list[str] = field(default_factory=list)
    built: Built | None = None
    failure: BuildFailed | None = None

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def slug(self) -> Built:
        assert self.built is not None, self.text
        return self.built

    @property
    def error(self) -> BuildFailed:
        assert self.failure is not None, self.text
        return self.failure


class Workshop:
    """A home with a builder, and a folder to make sources in. The cache of packages is shared between tests."""

    def __init__(self, root: Path, cache: Path, *, python: str, limits: Limits | None = None) -> None:
        self.root = root
        self.python = python
        self.home = Home(root / "home")
        self.home.prepare()
        (self.home.builds / "cache").symlink_to(cache, target_is_directory=True)
        self.store = Store(self.home.slugs)
        self.environ = {**os.environ, "HOMEPORT_PYTHON_DOWNLOADS": "never"}
        self.builder = Builder(self.home, self.store, limits=limits, environ=self.environ)
        self._sources = 0

    def source(self, project: str, files: Mapping[str, str] | None = None) -> Path:
        """A fresh copy of a fixture project. One that names no Python gets the workshop's."""
        self._sources += 1
        folder = self.root / f"source{self._sources}" / "app"
        shutil.copytree(PROJECTS / project, folder, symlinks=True)
        if not _names_python(folder):
            (folder / ".python-version").write_text(f"{self.python}\n")
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        return folder

    def build(
        self,
        project: str | Path,
        *,
        env: Mapping[str, str] | None = None,
        day: str | None = None,
        previous: Built | None = None,
        **more: object,
    ) -> Outcome:
        return asyncio.run(self.building(project, env=env, day=day, previous=previous, **more))

    async def building(
        self,
        project: str | Path,
        *,
        env: Mapping[str, str] | None = None,
        day: str | None = None,
        previous: Built | None = None,
        **more: object,
    ) -> Outcome:
        outcome = Outcome()
        job = Job(
            app_id="an-app",
            app_name="an-app",
            source=project if isinstance(project, Path) else self.source(project),
            commit="0123456789abcdef0123456789abcdef01234567",
            commit_time=datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None,
            env=env or {},
            previous=Previous(previous.code, tuple(previous.layers)) if previous else None,
            **more,  # type: ignore[arg-type]
        )
        try:
            outcome.built = await self.builder.build(job, outcome.lines.append)
        except BuildFailed as failure:
            outcome.failure = failure
        return outcome

    def environment(self, slug: Built, app: Path) -> dict[str, str]:
        """The slug's profile as a dyno whose home is `app` would have it."""
        profile = {}
        for name, value in slug.profile.items():
            text = value.replace("{app}", str(app))
            profile[name] = re.sub(r"\{layer:([^}]+)\}", lambda match: str(self.store.path(match[1])), text)
        return profile

    def dyno(self, slug: Built) -> Path:
        """A working copy of the slug's code, somewhere else than where it was built."""
        self._sources += 1
        app = self.root / f"dyno{self._sources}"
        shutil.copytree(self.store.path(slug.code), app, symlinks=True)
        return app

    def close(self) -> None:
        self.builder.close()
        self.store.close()


def _names_python(folder: Path) -> bool:
    if any((folder / name).exists() for name in (".python-version", "runtime.txt", "python_version.txt")):
        return True
    project = folder / "pyproject.toml"
    return (folder / "go.mod").exists() or (project.exists() and "python = " in project.read_text())


_VARYING = (
    (re.compile(r"\b\d+(\.\d+)?(ms|s|m)\b"), "…"),
    (re.compile(r"Bytecode compiled \d+ files?"), "Bytecode compiled … files"),
    (re.compile(r"Done: \S+ \(code \S+, dependencies \S+\)"), "Done: …"),
    (re.compile(r"^-----> Building on .*"), "-----> Building on …"),
    (re.compile(r"^       Python \d+\.\d+\.\d+$"), "       Python X.Y.Z"),
    (re.compile(r"/\S*/source\d+/app"), "<source>"),
    (re.compile(r"/\S*/fixtures"), "<fixtures>"),
)
_PROGRESS = re.compile(r"^ +(Downloading|Downloaded|Prepared|Building|Built|Updating|Updated|Resolved|Installed)\b")


def readable(outcome: Outcome, python: str) -> str:
    """The output without what differs from machine to machine and from run to run."""
    lines = []
    for line in outcome.lines:
        if _PROGRESS.match(line):
            continue
        for pattern, stand_in in _VARYING:
            line = pattern.sub(stand_in, line)
        line = re.sub(rf"\bPython {re.escape(python)}\.\d+", "Python X.Y.Z", line)
        lines.append(re.sub(rf"\bPython {re.escape(python)}\b", "Python X.Y", line))
    return "\n".join(lines) + "\n"
