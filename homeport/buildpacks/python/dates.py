"""Resolving as of a date: `HOMEPORT_RESOLVE_BEFORE=auto|DATE` brings an old project's index back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from homeport.buildpacks.failures import BuildFailed, FailureId
from homeport.buildpacks.interface import Project
from homeport.buildpacks.python.layers import Note

SETTING = "HOMEPORT_RESOLVE_BEFORE"


@dataclass(frozen=True)
class ResolveBefore:
    """Only what was uploaded up to the end of this day (UTC) is there to choose from."""

    day: date
    automatic: bool = False

    @property
    def moment(self) -> str:
        """The end of the day as uv wants it (RFC 3339)."""
        return f"{self.day + timedelta(days=1)}T00:00:00Z"

    def __str__(self) -> str:
        return f"{self.day}, the day of the commit" if self.automatic else str(self.day)

    @classmethod
    def of(cls, project: Project, previous: Note | None, request: str) -> ResolveBefore | None:
        """What the config var asks for.

        `auto` is the day of the commit. It stays what it was in the last build while the same dependencies are
        asked for: a correction that is committed today must not bring today's packages into an old project.
        Raises `BuildFailed` (`resolve_date_invalid`).
        """
        setting = project.config.get(SETTING, "").strip()
        if not setting:
            return None
        if setting.lower() != "auto":
            return cls(_parse(setting))
        if previous is not None and previous.request == request and previous.before:
            return cls(date.fromisoformat(previous.before), automatic=True)
        if project.commit_time is None:
            raise BuildFailed(
                FailureId.RESOLVE_DATE_INVALID,
                f"{SETTING}=auto needs a commit, and this source has none.",
                fix=f"Name the day yourself:\n\n  heroku config:set {SETTING}=2020-04-01",
            )
        return cls(project.commit_time.astimezone(UTC).date(), automatic=True)


def _parse(text: str) -> date:
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        raise BuildFailed(
            FailureId.RESOLVE_DATE_INVALID,
            f"{SETTING} is {text[:40]!r}, which is no date.",
            why="It says up to which day packages may have been published to be chosen.",
            fix=f"Use the day of the last commit, or one of your own:\n\n  heroku config:set {SETTING}=auto\n"
            f"  heroku config:set {SETTING}=2020-04-01",
        ) from None
