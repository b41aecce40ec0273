"""Diagnoses that were made, for whoever wants to look at one again: a file each, for a month."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from homeport.addons.postgres.diagnosis import Check, Light, Row
from homeport.errors import NotFound
from homeport.home import write_whole

KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Report:
    """`database` is what the app calls it."""

    id: str
    app_id: str
    app: str
    database: str
    created_at: datetime
    checks: Sequence[Check]


class Reports:
    def __init__(self, folder: Path, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock

    def keep(self, app_id: str, app: str, database: str, checks: Sequence[Check]) -> Report:
        """Write a report down, and forget those that are too old."""
        report = Report(str(uuid.uuid4()), app_id, app, database, self._clock(), checks)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in self._folder.iterdir():
            if datetime.fromtimestamp(old.stat().st_mtime, report.created_at.tzinfo) < report.created_at - KEPT:
                old.unlink(missing_ok=True)
        write_whole(self._path(report.id), json.dumps(asdict(report), default=_plain))
        return report

    def find(self, id: str) -> Report:
        """Raises `NotFound`."""
        try:
            content = json.loads(self._path(str(uuid.UUID(id))).read_text())
        except (ValueError, OSError):
            raise NotFound("report", "Couldn't find that report. They are kept for a month.") from None
        checks = [_check(**check) for check in content.pop("checks")]
        return Report(**{**content, "created_at": datetime.fromisoformat(content["created_at"]), "checks": checks})

    def _path(self, id: str) -> Path:
        return self._folder / f"{id}.json"


def _check(name: str, status: str, results: Sequence[Row]) -> Check:
    return Check(name, Light(status), results)


def _plain(value: object) -> str:
    return str(value.value) if isinstance(value, Light) else str(value)
