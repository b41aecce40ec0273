"""How a running platform is reached, as written for command lines into `run/daemon.json`."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from homeport.home import Home, write_whole


@dataclass(frozen=True)
class Endpoint:
    """`url` is the API's and git's; apps are at their own host names on the same ports.

    `ssh` is the beginning of git's remotes over SSH (`ssh://git@localhost:2222/`), None where there are none.
    `notes` are what whoever starts it should know.
    """

    pid: int
    url: str
    host: str
    https_port: int
    http_port: int
    domain: str
    ca: str
    bundle: str
    started_at: str
    version: str
    ssh: str | None = None
    notes: tuple[str, ...] = ()

    def app_url(self, name: str) -> str:
        """With the slash at the end that Heroku's web_url has."""
        return f"https://{self.app_host(name)}/"

    def app_host(self, name: str) -> str:
        port = "" if self.https_port == 443 else f":{self.https_port}"
        return f"{name}.{self.domain}{port}"


def write(home: Home, endpoint: Endpoint) -> None:
    write_whole(home.run / "daemon.json", json.dumps(asdict(endpoint), indent=2) + "\n")


def read(home: Home) -> Endpoint | None:
    """What the last daemon wrote; whether it still runs is for `lock.holder` to say."""
    try:
        return Endpoint(**json.loads((home.run / "daemon.json").read_text()))
    except (OSError, ValueError, TypeError):
        return None


def forget(home: Home) -> None:
    endpoint = read(home)
    if endpoint is not None and endpoint.pid == os.getpid():
        (home.run / "daemon.json").unlink(missing_ok=True)
