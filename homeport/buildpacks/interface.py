"""What a buildpack is given and what it gives back: a source folder in, layers and process types out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from homeport.buildpacks.voice import Voice
from homeport.slugs import Store

Show = Callable[[str], str | None]
"""What becomes of one line of a command's output: the line to show, or None to swallow it."""

BUILD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The system's programs, for builds."""

RUN_PATH = "/usr/local/bin:/usr/bin:/bin"
"""The system's programs, for dynos."""

STACK = "heroku-24"
"""What builds are told that they run on."""


def silent(_line: str) -> None:
    """A `Show` for commands whose output means nothing to the app's author."""


@dataclass(frozen=True)
class Finished:
    """A command that ended. `output` is the end of what it wrote to stdout and stderr, bounded in length."""

    code: int
    output: str


class Shell(Protocol):
    """Runs commands within the limits of one build: low priority, its time, its amount of output."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str | None] | None = None,
        show: Show | None = None,
        formed: bool = False,
    ) -> Finished:
        """Run a program to its end; `env` is added to the build's environment (None removes).

        Its lines appear in the build output as it writes them, indented unless they are `formed` as Heroku's already,
        after `show` has seen them. Whatever it leaves running is killed.
        """


@dataclass(frozen=True)
class Project:
    """A source folder that may be changed, and what is known about it.

    `config` are the app's config vars, `environ` is the daemon's environment, for what the operator has set.
    `cache` survives builds and is shared by all apps, `app_cache` is the app's own; `scratch` is gone after the build.
    `source_id` names the content of `source` as it came. `exports` are variables that buildpacks before this one want
    set from now on. `code_known(influence)` tells whether the store already has the finished code of this very source
    under this influence (see `Compiled.influence`).
    """

    source: Path
    config: Mapping[str, str]
    cache: Path
    app_cache: Path
    scratch: Path
    source_id: str
    commit_time: datetime | None = None
    previous_layers: Sequence[str] = ()
    environ: Mapping[str, str] = field(default_factory=dict)
    exports: Mapping[str, str] = field(default_factory=dict)
    code_known: Callable[[str], bool] = field(default=lambda _influence: False)

    @property
    def path(self) -> str:
        """`PATH` as the buildpacks before this one left it."""
        return self.exports.get("PATH") or BUILD_PATH

    def forbids(self, setting: str) -> bool:
        """Whether the app, or else the operator, has switched off what this setting is about."""
        value = self.config.get(setting) or self.environ.get(setting) or "automatic"
        return value.strip().lower() in ("never", "0", "false", "no", "off")


@dataclass(frozen=True)
class Compiled:
    """What a buildpack made of a project.

    `layers` are keys in the store. `profile` are run-time defaults, in which `{app}` and `{layer:KEY}` stand for
    folders. `process_types` is a guess for a project without a Procfile, and `caution` what is to be said about it.
    `influence` names what the source folder now depends on besides the source itself: "" for nothing, None for
    things that cannot be named (a hook ran). `exports` are variables for the rest of the build.
    """

    layers: tuple[str, ...]
    profile: Mapping[str, str]
    process_types: Mapping[str, str]
    caution: str = ""
    influence: str | None = ""
    exports: Mapping[str, str] = field(default_factory=dict)


class Buildpack(Protocol):
    """`title` is what it was asked for by, without secrets. `sees_config`: its commands get the config vars as
    environment variables, and not only those that it reads itself."""

    @property
    def title(self) -> str: ...
    @property
    def sees_config(self) -> bool: ...

    async def detect(self, project: Project, shell: Shell, voice: Voice) -> str:
        """What it calls this app ("Python"). Raises `BuildFailed` when the app is nothing for this buildpack."""

    async def compile(self, project: Project, shell: Shell, store: Store, voice: Voice) -> Compiled:
        """Make it run. Raises `BuildFailed`."""
