"""The projects that events may be sent to: a folder each, which an add-on's provider writes and the tracker reads.

Nobody tells the tracker of a change: it looks at a file's time before it believes what it knows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homeport.tracker.hidden import NOTHING, Hidden, unseal
from homeport.tracker.retention import Retention

PROJECT = "project.json"
KNOWLEDGE = "knowledge"

_Stamp = tuple[int, int]


@dataclass(frozen=True)
class Project:
    """An add-on, as the tracker sees it. `number` stands in its DSN; `per_minute` events are taken."""

    number: int
    key: str = field(repr=False)
    folder: Path
    per_minute: int
    retention: Retention

    def written(self) -> str:
        kept = self.retention
        return json.dumps(
            {
                "number": self.number,
                "key": self.key,
                "per_minute": self.per_minute,
                "events": kept.events,
                "per_issue": kept.per_issue,
                "days": kept.days,
                "bytes": kept.bytes,
            },
            indent=2,
        )


def read(folder: Path) -> Project | None:
    """The project in this folder; None if there is none."""
    try:
        found = json.loads((folder / PROJECT).read_text())
        kept = Retention(found["events"], found["per_issue"], found["days"], found["bytes"])
        return Project(int(found["number"]), str(found["key"]), folder, int(found["per_minute"]), kept)
    except (OSError, ValueError, KeyError, TypeError):
        return None


@dataclass(frozen=True)
class Knowledge:
    """What the platform tells of the apps that use an add-on.

    `hidden` are values of their config vars. `versions` has their releases by commit ("3f2a…": "v12"), `current` the
    one that runs now: known only where there is one app.
    """

    hidden: Hidden = NOTHING
    versions: Mapping[str, str] = field(default_factory=dict)
    current: str = ""

    def version(self, release: str) -> str:
        """The platform's release that an SDK's may be."""
        return self.versions.get(release) or self.current

    def plain(self) -> dict[str, Any]:
        return {"hidden": sorted(self.hidden.values), "versions": dict(self.versions), "current": self.current}

    @classmethod
    def of(cls, plain: object) -> Knowledge:
        if not isinstance(plain, dict):
            return cls()
        hidden = Hidden(frozenset(plain["hidden"])) if plain["hidden"] else NOTHING
        return cls(hidden, plain["versions"], plain["current"])


class Projects:
    """All projects below `root`. `key` opens what is known of their apps."""

    def __init__(self, root: Path, key: bytes) -> None:
        self._root = root
        self._key = key
        self._known: dict[int, tuple[_Stamp, Project]] = {}
        self._knowledge: dict[Path, tuple[_Stamp | None, Knowledge]] = {}
        self._seen: _Stamp | None = None

    def find(self, number: int) -> Project | None:
        """As it is at this moment."""
        known = self._known.get(number)
        if known is not None and known[0] == _stamp(known[1].folder / PROJECT):
            return known[1]
        if known is None and self._seen is not None and self._seen == _stamp(self._root):
            return None
        self._look()
        known = self._known.get(number)
        return known[1] if known is not None else None

    def every(self) -> list[Project]:
        self._look()
        return [project for _, project in self._known.values()]

    def knowledge(self, project: Project) -> Knowledge:
        path = project.folder / KNOWLEDGE
        stamp = _stamp(path)
        known = self._knowledge.get(path)
        if known is None or known[0] != stamp:
            sealed = path.read_text() if stamp is not None else ""
            known = (stamp, Knowledge.of(unseal(self._key, sealed)))
            self._knowledge[path] = known
        return known[1]

    def _look(self) -> None:
        self._seen = _stamp(self._root)
        self._known = {}
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            stamp, project = _stamp(folder / PROJECT), read(folder)
            if stamp is not None and project is not None:
                self._known[project.number] = (stamp, project)
            elif folder.is_dir():
                self._seen = None  # one is being made
        for path in [path for path in self._knowledge if not path.exists()]:
            del self._knowledge[path]


def _stamp(path: Path) -> _Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
