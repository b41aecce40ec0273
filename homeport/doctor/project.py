"""An app's folder as the checks see it: every file read once, when it is asked for, and none of its code ever run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath

from homeport.buildpacks import (
    READS_DATABASE_URL,
    BuildFailed,
    Foresight,
    Guess,
    Procfile,
    foresee,
    guess,
    misspelt_procfile,
    parse_procfile,
    read_text,
)
from homeport.doctor import packages, reach
from homeport.doctor.commands import SERVERS, Command, parse
from homeport.doctor.source import Source

_ASIDE = frozenset(
    "tests test testing docs doc examples example migrations versions alembic node_modules venv env build dist "
    "static staticfiles media site-packages __pycache__ benchmarks bench fixtures".split()
)
_TEST = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|tests?|conftest|setup|noxfile|fabfile|tasks_dev)\.py$")
_SETTINGS = re.compile(r"(^|/)(config|settings|models|database|db|extensions)\.py$")
_MOST = 3_000  # Python files that are read; apps have dozens
_LARGEST = 64 * 1024 * 1024  # characters that are read in all; what comes after them is taken for empty


class Project:
    """`files` are the paths that a deploy would take along, relative to `root` and with slashes.

    `tracked` are those that git has, None outside of a repository; `ignored` tells of files in the folder that git is
    told to pass over.
    """

    def __init__(
        self,
        root: Path,
        files: Sequence[str],
        *,
        tracked: frozenset[str] | None = None,
        ignored: frozenset[str] = frozenset(),
    ) -> None:
        self.root = root
        self.files = tuple(sorted(files))
        self.tracked = tracked
        self.ignored = ignored
        self._known = frozenset(self.files)
        self._budget = _LARGEST
        self._texts: dict[str, str | None] = {}
        self._sources: dict[str, Source | None] = {}

    def __contains__(self, path: object) -> bool:
        return path in self._known

    def text(self, path: str) -> str | None:
        """A file's text; None for what is missing, huge, no text, or a link that leads out of the folder."""
        if path not in self._texts:
            try:
                wanted = path in self._known and self._budget > 0
                self._texts[path] = read_text(self.root, path) if wanted else None
            except (BuildFailed, OSError):
                self._texts[path] = None
            self._budget -= len(self._texts[path] or "")
        return self._texts[path]

    def source(self, path: str) -> Source | None:
        if path not in self._sources:
            text = self.text(path)
            self._sources[path] = Source(path, text) if text is not None and path.endswith(".py") else None
        return self._sources[path]

    def under(self, folder: str) -> Iterator[str]:
        """The files below a folder; all of them for ""."""
        prefix = f"{folder}/" if folder else ""
        return (path for path in self.files if path.startswith(prefix))

    def line_of(self, path: str, pattern: str) -> int:
        """The first line (from 1) that a regular expression finds, 0 for none."""
        for number, line in enumerate((self.text(path) or "").split("\n"), start=1):
            if re.search(pattern, line):
                return number
        return 0

    # Python

    @cached_property
    def python(self) -> tuple[str, ...]:
        """Files that are the app's own code, and neither tests nor migrations nor somebody's packages."""
        found = [
            path
            for path in self.files
            if path.endswith(".py") and not _ASIDE & set(PurePosixPath(path).parts[:-1]) and not _TEST.search(path)
        ]
        return tuple(found[:_MOST])

    @cached_property
    def running(self) -> tuple[Source, ...]:
        """What dynos load, as far as imports tell; everything where it cannot be told where the app begins."""
        reached = reach.modules(self, reach.beginnings(self))
        paths = [path for path in self.python if path in reached or _SETTINGS.search(path)] if reached else self.python
        return tuple(source for path in paths if (source := self.source(path)) is not None)

    def module(self, dotted: str, folder: str = "") -> str | None:
        """The file of a module of the app, looked for in `folder`, the top and src/. None: it is not the app's."""
        tail = dotted.replace(".", "/")
        for place in dict.fromkeys((folder, "", "src")):
            base = f"{place}/{tail}" if place else tail
            for path in (f"{base}.py", f"{base}/__init__.py"):
                if path in self._known:
                    return path
        return None

    @cached_property
    def own_names(self) -> frozenset[str]:
        """Every name that an import of the app's own code may begin with, generously."""
        names = {PurePosixPath(path).stem for path in self.files if path.endswith((".py", ".so", ".pyx"))}
        folders = (PurePosixPath(path).parts[:-1] for path in self.files if path.endswith(".py"))
        return frozenset(names | {part for parts in folders for part in parts})

    # What runs

    @cached_property
    def procfile_path(self) -> str:
        """`Procfile`, or what was meant to be one: a wrong name hides nothing else that is wrong with it."""
        top = (path for path in self.files if "/" not in path)
        return "Procfile" if "Procfile" in self else misspelt_procfile(top) or "Procfile"

    @cached_property
    def procfile(self) -> Procfile | None:
        """None when there is none that can be read; its own check says why."""
        text = self.text(self.procfile_path)
        try:
            return parse_procfile(text) if text is not None else None
        except BuildFailed:
            return None

    @cached_property
    def commands(self) -> tuple[Command, ...]:
        """Every command of the Procfile; where there is none, what a build would run instead."""
        types = self.procfile.process_types if self.procfile is not None else self.guess.process_types
        return tuple(
            command
            for name, text in types.items()
            for command in parse(
                name,
                text,
                line=self.line_of(self.procfile_path, rf"^\s*{re.escape(name)}\s*:"),
                file=self.procfile_path,
            )
        )

    @cached_property
    def web(self) -> Command | None:
        """The command that answers requests: the last one of `web`."""
        found = [command for command in self.commands if command.process == "web"]
        serving = [command for command in found if command.program in SERVERS] or found
        return serving[-1] if serving else None

    @cached_property
    def guess(self) -> Guess:
        """What a build would run without a Procfile."""
        return guess(self.root, dict.fromkeys(self.packages, "")) if self.python else Guess()

    @property
    def guess_of_app(self) -> str:
        """A command for `web` that looks right; "" if there is none without a makeshift."""
        return "" if self.guess.caution else self.guess.web

    # What is installed

    @cached_property
    def foresight(self) -> Foresight | None:
        """None where a build would refuse the files, or where they are conda's or Node.js's."""
        try:
            return foresee(self.root)
        except (BuildFailed, OSError):
            return None

    @cached_property
    def packages(self) -> frozenset[str]:
        """Canonical names of what will be installed, with what the well-known ones bring along.

        Where no file says it that can be read, what the code imports stands in, so that other checks still know what
        kind of app this is.
        """
        if self.foresight is not None:
            return packages.with_all_they_bring(self.foresight.names)
        imported = {name for path in self.python if (source := self.source(path)) for name in reach.top_names(source)}
        foreign = imported - packages.STANDARD - self.own_names
        return packages.with_all_they_bring(packages.providers(name)[0] for name in foreign)

    def uses(self, *names: str) -> bool:
        """Whether one of these packages will be installed."""
        return not self.packages.isdisjoint(names)

    # The database

    @cached_property
    def reads_database_url(self) -> bool:
        """Whether the code, comments apart, asks for the database that an add-on sets."""
        return any(
            READS_DATABASE_URL.search(text) or text.startswith("django.db.backends.postgresql")
            for source in self.running
            for _, text in source.strings
        ) or any(READS_DATABASE_URL.search(line) for source in self.running for line in reach.import_lines(source))

    @cached_property
    def addons(self) -> tuple[str, ...]:
        """The services that `app.json` asks for, such as `heroku-postgresql`."""
        try:
            manifest = json.loads(self.text("app.json") or "{}")
            named = manifest.get("addons", []) if isinstance(manifest, dict) else []
        except (ValueError, RecursionError):
            return ()
        entries = named if isinstance(named, list) else []
        plans = (entry.get("plan", "") if isinstance(entry, dict) else entry for entry in entries)
        return tuple(str(plan).partition(":")[0] for plan in plans)
