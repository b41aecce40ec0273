"""What a dyno is started with: its command line and its environment. Pure; the engine takes the result.

https://devcenter.heroku.com/articles/dynos, https://devcenter.heroku.com/articles/procfile.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from homeport.dynos import sizes
from homeport.engine import Spec, Terminal
from homeport.slugs import places

BASH = "/bin/bash"

LOGIN = """\
for name in "${@:2}"; do export "$name=${!name//$'\\001'/}"; done
for file in "$HOME"/.profile.d/*.sh; do [ -f "$file" ] && . "$file"; done
[ -f "$HOME/.profile" ] && . "$HOME/.profile"
unset file name
exec /bin/bash -c "$1"
"""
"""Sources what buildpacks and the app left for the start of a dyno, in Heroku's order, then becomes the command.

The command is an argument and is never pasted into a script, so nothing in it needs quoting. The arguments after it
name variables with a guard in them (see `_guarded`).
https://devcenter.heroku.com/articles/dynos#the-profile-file
"""

_BASE = {
    "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
    "LANG": "C.UTF-8",
}
NOTHING: Mapping[str, str] = MappingProxyType({})
_GUARD = "\x01"
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LAYER = re.compile(r"\{layer:([^{}]+)\}")

_TRUST = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")


class Layers(Protocol):
    """Where kept layers are: the part of `slugs.Store` that dynos need."""

    def path(self, key: str) -> Path: ...


@dataclass(frozen=True)
class Code:
    """What a slug gives to its dynos."""

    code: str
    layers: tuple[str, ...]
    profile: Mapping[str, str]
    process_types: Mapping[str, str]
    commit: str | None = None


@dataclass(frozen=True)
class Metadata:
    """What https://devcenter.heroku.com/articles/dyno-metadata tells an app about itself, when it wants to know."""

    app_id: str
    app_name: str
    domain_name: str
    release_version: int
    release_created_at: datetime
    description: str
    commit: str | None

    def variables(self, dyno_id: str) -> dict[str, str]:
        values = {
            "HEROKU_APP_ID": self.app_id,
            "HEROKU_APP_NAME": self.app_name,
            "HEROKU_APP_DEFAULT_DOMAIN_NAME": self.domain_name,
            "HEROKU_DYNO_ID": dyno_id,
            "HEROKU_RELEASE_CREATED_AT": self.release_created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "HEROKU_RELEASE_VERSION": f"v{self.release_version}",
            "HEROKU_SLUG_DESCRIPTION": self.description,
        }
        if self.commit:
            values |= {"HEROKU_SLUG_COMMIT": self.commit, "HEROKU_BUILD_COMMIT": self.commit}
        return values


@dataclass(frozen=True)
class Launch:
    """All that decides how one dyno starts. `extra` are a one-off's own variables, above the config vars."""

    id: str
    name: str
    type: str
    command: str
    size: str
    code: Code
    config: Mapping[str, str] = field(repr=False)
    extra: Mapping[str, str] = field(default_factory=dict, repr=False)
    metadata: Metadata | None = None
    attached: bool = False
    force_no_tty: bool = False

    @property
    def wants_port(self) -> bool:
        return self.type == "web"

    @property
    def terminal(self) -> Terminal | None:
        return _terminal(self.extra) if self.attached and not self.force_no_tty else None


def spec(launch: Launch, layers: Layers, machine: Mapping[str, str] = NOTHING) -> Spec:
    """Raises `NotFound` when a layer is gone. `machine` are variables that every dyno here begins with."""
    env = environment(launch, layers, machine)
    guarded = [name for name, value in env.items() if _GUARD in value and _IDENTIFIER.fullmatch(name)]
    return Spec(
        id=launch.id,
        name=launch.name,
        argv=(BASH, "-c", LOGIN, "bash", launch.command, *guarded),
        code=layers.path(launch.code.code),
        env=env,
        links={place: layers.path(key) for place, key in places(launch.code.layers).items()},
        wants_port=launch.wants_port,
        attached=launch.attached,
        terminal=launch.terminal,
        memory_mb=sizes.find(launch.size).memory,
    )


def environment(launch: Launch, layers: Layers, machine: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """Later wins: the machine's, the buildpack's, config vars, a one-off's own, what the platform decides."""
    profile = {
        name: _LAYER.sub(lambda match: str(layers.path(match[1])), value) for name, value in launch.code.profile.items()
    }
    concurrency = {"WEB_CONCURRENCY": str(sizes.find(launch.size).web_concurrency)}
    metadata = launch.metadata.variables(launch.id) if launch.metadata else {}
    extra = _guarded(launch.extra)
    if launch.terminal is not None:
        for name in ("TERM", "COLUMNS", "LINES"):  # the engine's, who knows what the terminal really has
            extra.pop(name, None)
    own = {**profile, **metadata, **_guarded(launch.config), **extra}
    return {**_BASE, **machine, **concurrency, **own, "DYNO": launch.name}


def _guarded(values: Mapping[str, str]) -> dict[str, str]:
    """To an engine `{app}` means the home folder; in a config var it means whatever the app's author meant."""
    return {name: value.replace("{app}", f"{{{_GUARD}app}}") for name, value in values.items()}


def trusting(bundle: Path) -> dict[str, str]:
    """Variables by which a dyno's TLS clients trust the authorities in this PEM file.

    The platform's own addresses (buckets, the error tracker, its API) have certificates of its local authority, which
    OpenSSL, requests, boto3 and Node learn of in four ways.
    """
    return dict.fromkeys(_TRUST, str(bundle))


def one_off_command(command: str, process_types: Mapping[str, str]) -> str:
    """The command to run when somebody asked for `command`: a first word that is a process type stands for its own.

    https://devcenter.heroku.com/articles/working-with-one-off-dynos#execution-syntax
    """
    stripped = command.lstrip()
    word = re.match(r"\S*", stripped)
    first = word[0] if word else ""
    if first not in process_types:
        return command
    return process_types[first] + stripped[len(first) :]


def _terminal(env: Mapping[str, str]) -> Terminal:
    """The CLI sends the size of its terminal once, as variables; 0 or nothing when it has none."""
    usual = Terminal()
    return Terminal(
        columns=_cells(env.get("COLUMNS"), usual.columns),
        lines=_cells(env.get("LINES"), usual.lines),
        term=env.get("TERM") or usual.term,
    )


def _cells(text: str | None, default: int) -> int:
    number = int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0
    return number if 0 < number <= 10_000 else default
