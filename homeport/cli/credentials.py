"""What is kept on disk about platforms: logins in the user's configuration folder, and the local daemon's own files."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from homeport.cli.endpoint import Local, Login
from homeport.errors import HomeportError
from homeport.home import Home, write_whole


class Logins:
    """`logins.json`: host URL -> e-mail address and token, readable by this user only."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "logins.json"

    @classmethod
    def of(cls, env: Mapping[str, str]) -> Logins:
        """`$XDG_CONFIG_HOME/homeport`, or `~/.config/homeport`."""
        configuration = env.get("XDG_CONFIG_HOME") or os.path.join(env.get("HOME") or "~", ".config")  # noqa: PTH118
        return cls(Path(configuration).expanduser() / "homeport")

    def read(self) -> tuple[str | None, dict[str, Login]]:
        """The URL that was logged in to last, and every login.

        Raises `HomeportError` (`logins_unreadable`) for a file that is there and cannot be understood.
        """
        try:
            content = json.loads(self.path.read_bytes())
            hosts = {url: Login(entry["email"], entry["token"]) for url, entry in content["hosts"].items()}
            current = content["current"]
        except FileNotFoundError:
            return None, {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise HomeportError(
                "logins_unreadable",
                f"{self.path} cannot be read: {error}.",
                fix="Remove the file, then log in again: homeport login",
            ) from error
        return (current if current in hosts else None), hosts

    def add(self, url: str, login: Login) -> None:
        _, hosts = self.read()
        self._write(url, {**hosts, url: login})

    def remove(self, url: str) -> None:
        current, hosts = self.read()
        if url in hosts:
            del hosts[url]
            self._write(None if current == url else current, hosts)

    def _write(self, current: str | None, hosts: Mapping[str, Login]) -> None:
        entries = {url: {"email": login.email, "token": login.token} for url, login in hosts.items()}
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self.path, json.dumps({"current": current, "hosts": entries}, indent=2) + "\n")


def local_platform(home: Home) -> Local | None:
    """What the daemon of `home` wrote down when it was ready; None when there is no daemon."""
    try:
        written: dict[str, Any] = json.loads((home.run / "daemon.json").read_bytes())
        url, ca, bundle = written["url"], Path(written["ca"]), Path(written["bundle"])
        git_host = written["host"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        token = (home.secrets / "token").read_text().strip() or None
    except OSError:
        token = None
    return Local(url=url, git_host=git_host, ca=ca, bundle=bundle, token=token)
