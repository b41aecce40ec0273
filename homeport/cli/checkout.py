"""The git checkout that a command is typed in."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from homeport.cli.endpoint import Endpoint
from homeport.cli.inference import Remote, remotes_in
from homeport.errors import HomeportError


class Checkout(Protocol):
    """What commands ask of git. `output` and `run` raise `HomeportError` (`git_missing`, `git_failed`)."""

    @property
    def exists(self) -> bool:
        """Whether the current folder is in a checkout."""
        ...

    def output(self, *arguments: str) -> str:
        """What git prints, without the newline at the end."""
        ...

    def run(self, *arguments: str) -> int:
        """Git at work on our own terminal; its exit code."""
        ...


class GitCheckout:
    """The real one, by the git program."""

    @property
    def exists(self) -> bool:
        try:
            return self.output("rev-parse", "--is-inside-work-tree") == "true"
        except HomeportError:
            return False

    def output(self, *arguments: str) -> str:
        import subprocess

        try:
            done = subprocess.run(["git", *arguments], capture_output=True, text=True, errors="replace", check=False)
        except FileNotFoundError as error:
            raise _git_missing() from error
        if done.returncode:
            raise HomeportError(
                "git_failed", f"git {arguments[0]} failed: {done.stderr.strip() or f'exit code {done.returncode}'}"
            )
        return done.stdout.rstrip("\n")

    def run(self, *arguments: str) -> int:
        import subprocess

        try:
            return subprocess.run(["git", *arguments], check=False).returncode
        except FileNotFoundError as error:
            raise _git_missing() from error


def remotes(checkout: Checkout) -> list[Remote]:
    """None outside of a checkout, or where there is no git."""
    try:
        return remotes_in(checkout.output("remote", "-v"))
    except HomeportError:
        return []


def default_remote(checkout: Checkout) -> str | None:
    """`git config heroku.remote`: which remote commands mean when there are several."""
    try:
        return checkout.output("config", "heroku.remote") or None
    except HomeportError:
        return None


def remote_url(endpoint: Endpoint, app: str) -> str:
    return f"https://{endpoint.git_host}/{app}.git"


def settings_for(endpoint: Endpoint, *, home: str | None) -> list[tuple[str, str]]:
    """The git settings with which `git push` to the endpoint needs no question and no environment.

    They go into the checkout's own configuration, scoped to the endpoint's URL: nobody else's pushes are touched.
    """
    url = f"https://{endpoint.git_host}"
    found = [(f"credential.{url}.helper", f"!{helper_command(home)} git:credentials")]
    if endpoint.ca is not None:
        found.append((f"http.{url}/.sslCAInfo", str(endpoint.ca)))
    return found


def helper_command(home: str | None) -> str:
    """This program as a shell can start it later, whatever its PATH, for the same $HOMEPORT_HOME."""
    program = Path(sys.argv[0]).absolute()
    words = [str(program)] if program.name == "homeport" and program.is_file() else [sys.executable, "-m", "homeport"]
    place = [f"HOMEPORT_HOME={home}"] if home else []
    return shlex.join(["env", *place, *words] if place else words)


def configure(checkout: Checkout, settings: Sequence[tuple[str, str]]) -> None:
    for name, value in settings:
        checkout.output("config", "--local", "--replace-all", name, value)


def _git_missing() -> HomeportError:
    return HomeportError(
        "git_missing", "Git is not installed, or not on the PATH.", fix="Install it: https://git-scm.com"
    )
