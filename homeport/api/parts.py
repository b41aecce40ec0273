"""What the API stands on: the parts the composition root hands in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from homeport.addons import Addons, Postgres, Transfers, Upgrades
from homeport.api.capabilities import Capabilities
from homeport.deploys import Outputs
from homeport.git import SshHost
from homeport.logs import Logs, Sessions
from homeport.pipelines import Comparer, Promoter
from homeport.scheduler import Scheduler
from homeport.setups import Setups
from homeport.state import Build, Database, Dyno


@dataclass(frozen=True)
class Urls:
    """Where the platform is reached from outside.

    `api` and `git` are base URLs without a slash at the end; apps are at `NAME.domain` on `port`. `rendezvous` is the
    HOST:PORT of `heroku run`'s raw TLS; the port must be there, or the official CLI fails (RangeError).
    """

    api: str
    git: str
    domain: str
    port: int
    rendezvous: str

    def app_host(self, name: str) -> str:
        """The app's own host name, without a port."""
        return f"{name}.{self.domain}"

    def app_url(self, name: str) -> str:
        """With the slash at the end that Heroku's web_url has."""
        port = "" if self.port == 443 else f":{self.port}"
        return f"https://{self.app_host(name)}{port}/"

    def git_url(self, name: str) -> str:
        return f"{self.git}/{name}.git"

    def stream(self, path: str) -> str:
        """A URL of the API that is fetched as it stands. Its port is always there: the CLI would add HEROKU_HOST's."""
        return f"{self.api}{path}" if urlsplit(self.api).port else f"{self.api}:443{path}"

    def attach_url(self, secret: str) -> str:
        """Where a client finds the terminal of an attached one-off dyno."""
        return f"rendezvous://{self.rendezvous}/{secret}"


class Fleet(Protocol):
    """The part of `dynos.Fleet` that the API drives."""

    async def run_dyno(
        self,
        app_id: str,
        *,
        by: str,
        command: str,
        size: str | None = None,
        type: str | None = None,
        env: Mapping[str, object] | None = None,
        attach: bool = False,
        force_no_tty: bool = False,
    ) -> tuple[Dyno, str | None]:
        """A one-off dyno and, if it is attached, the secret that its terminal is fetched with. Raises `Invalid`."""

    async def restart(self, app_id: str, *, dyno: str | None = None, type: str | None = None) -> None:
        """Raises `NotFound` for a dyno or process type that is not there."""

    async def stop(self, app_id: str, *, dyno: str | None = None, type: str | None = None) -> None:
        """Raises `NotFound` for a dyno or process type that is not there."""

    async def reroute(self) -> None:
        """Returns once the router knows all that is committed, or has been given up for now."""


class Deployer(Protocol):
    """Builds from a source tarball (`POST /apps/APP/builds`)."""

    async def deploy_source(
        self, app_id: str, *, by: str, source: str | Path, version: str | None, only_test: bool = False
    ) -> Build:
        """Start a build of the tarball at `source` (a URL, or the file of an upload) for the user with the id `by`.

        Returns at once, with the build pending. `only_test`: the app's tests are run, and nothing is released.
        """

    def output(self, build_id: str) -> AsyncIterator[bytes]:
        """What the build has said and goes on to say, until it is done. Raises `NotFound`."""


@dataclass(frozen=True)
class Data:
    """Services that have more verbs than every add-on has: what the Data API stands on."""

    postgres: Postgres
    transfers: Transfers
    upgrades: Upgrades


@dataclass(frozen=True)
class Pipelines:
    """What is slower than a row: promotions are carried out by `promoter`, commits are looked into by `comparer`."""

    promoter: Promoter
    comparer: Comparer


@dataclass(frozen=True)
class Core:
    """The parts that requests are carried out by.

    `deploys` is None where only git deploys, `addons` where there are none, `uploads` (a folder for source
    tarballs) where nothing can be uploaded, `release_outputs` and `pipelines` where nothing is released, `ssh` where
    git is spoken over HTTPS alone.
    """

    database: Database
    fleet: Fleet
    logs: Logs
    log_sessions: Sessions
    urls: Urls
    version: str
    deploys: Deployer | None = None
    addons: Addons | None = None
    data: Data | None = None
    scheduler: Scheduler | None = None
    setups: Setups | None = None
    uploads: Path | None = None
    release_outputs: Outputs | None = None
    pipelines: Pipelines | None = None
    ssh: SshHost | None = None
    capabilities: Capabilities = field(default_factory=Capabilities)
