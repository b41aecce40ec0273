"""What a build is asked to do and what it has made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True)
class Previous:
    """The slug that runs now: its code layer, its other layers, and what its source was."""

    code: str
    layers: Sequence[str] = ()
    source_id: str | None = None


@dataclass(frozen=True)
class Job:
    """One source folder to build.

    `source` is a checked-out folder that the build may change, empty or take away. `source_id` names its content
    (the commit's tree hash); without one the files are read to make it. `env` are the config vars.
    `buildpack_urls` are empty when the build is to detect for itself. `first`: the app has no release with code.
    `tests`: the app's own tests are run whatever its config vars say.
    """

    app_id: str
    app_name: str
    source: Path
    commit: str | None = None
    commit_time: datetime | None = None
    source_id: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    buildpack_urls: Sequence[str] = ()
    previous: Previous | None = None
    first: bool = False
    tests: bool = False


@dataclass(frozen=True)
class Built:
    """A finished slug: keys of its layers in the store, and how to run it (see `state.Slug`)."""

    code: str
    layers: list[str]
    profile: dict[str, str]
    process_types: dict[str, str]
    buildpack: str  # "Python"
    size: int  # bytes, code and layers together
    warnings: list[str] = field(default_factory=list)
