"""What an app.json says: https://devcenter.heroku.com/articles/app-json-schema.

Heroku's schema has no `cron`; it is as Dokku and others have it, a list of `{"command", "schedule"}`, with more fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Variable:
    """A config var of a new app. `value` is what it is unless somebody says otherwise; `generated`: a random secret."""

    name: str
    description: str = ""
    value: str | None = None
    required: bool = True
    generated: bool = False


@dataclass(frozen=True)
class Addon:
    """An add-on of a new app: "service:plan", or a service alone. `name` is its attachment's."""

    plan: str
    name: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dynos:
    """How a process type of a new app is scaled. None leaves the default."""

    quantity: int | None = None
    size: str | None = None


@dataclass(frozen=True)
class Job:
    """A scheduled job. All but the first two are as the scheduler has them where they are None."""

    command: str
    schedule: str
    name: str | None = None
    timezone: str | None = None
    size: str | None = None
    overlap: str | None = None

    def fields(self) -> dict[str, str]:
        """Those that are given, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


@dataclass(frozen=True)
class Manifest:
    """An app.json, as far as it means something here. What is not in it is empty."""

    name: str = ""
    description: str = ""
    success_url: str = ""
    stack: str | None = None
    env: tuple[Variable, ...] = ()
    addons: tuple[Addon, ...] = ()
    buildpacks: tuple[str, ...] = ()
    formation: Mapping[str, Dynos] = field(default_factory=dict)
    postdeploy: str | None = None
    cron: tuple[Job, ...] = ()


@dataclass(frozen=True)
class Fault:
    """Something that an app.json says and that can't be meant. `part` is the key at its top: "cron"."""

    part: str
    text: str


@dataclass(frozen=True)
class Reading:
    """What could be read, and what is wrong with the rest."""

    manifest: Manifest
    faults: tuple[Fault, ...] = ()

    def of(self, *parts: str) -> list[str]:
        """The faults in these parts."""
        return [fault.text for fault in self.faults if fault.part in parts]
