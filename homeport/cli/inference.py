"""Which app a command means when nobody says: the one that the checkout's git remotes lead to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from homeport.cli.errors import UsageError

MISSING_APP = (
    "Name it with --app, set HOMEPORT_APP, or connect this checkout to its app once: homeport git:remote -a APP"
)


@dataclass(frozen=True)
class Remote:
    """A git remote and the URL that it fetches from."""

    name: str
    url: str


@dataclass(frozen=True)
class Candidate:
    app: str
    remote: str


def remotes_in(listing: str) -> list[Remote]:
    """The remotes in the output of `git remote -v`."""
    found = []
    for line in listing.splitlines():
        name, tab, rest = line.partition("\t")
        if tab and rest.endswith("(fetch)"):
            found.append(Remote(name, rest.removesuffix("(fetch)").strip()))
    return found


def app_of(url: str, hosts: Iterable[str]) -> str | None:
    """The app that a remote's URL names, when it is on one of our hosts (`localhost:8443`).

    Over SSH a host is spelled without the port that HTTPS has.
    """
    for host in hosts:
        name = re.escape(host)
        bare = re.escape(host.partition(":")[0])
        for prefix in (f"https://{name}/", f"git@{bare}:", rf"ssh://git@{bare}(?::\d+)?/"):
            found = re.fullmatch(rf"{prefix}([^/]+?)(?:\.git)?/?", url)
            if found:
                return found[1]
    return None


def candidates(remotes: Iterable[Remote], hosts: Sequence[str], only: str | None = None) -> list[Candidate]:
    return [
        Candidate(app, remote.name)
        for remote in remotes
        if (only is None or remote.name == only) and (app := app_of(remote.url, hosts)) is not None
    ]


def decide(found: Sequence[Candidate], *, asked_remote: str | None) -> str | None:
    """The app that all candidates agree on; None when there are none.

    Raises `UsageError` when they disagree (`several_apps`) or when the remote that was asked for leads to no app
    (`remote_not_found`).
    """
    apps = {candidate.app for candidate in found}
    if len(apps) == 1:
        return found[0].app
    if found:
        listed = [f"  {candidate.app} ({candidate.remote})" for candidate in found]
        raise UsageError(
            "\n".join(["This checkout's git remotes lead to more than one app:", *listed]),
            fix=f"Say which one you mean: --remote {found[-1].remote}, or --app {found[-1].app}",
            id="several_apps",
        )
    if asked_remote is not None:
        raise UsageError(
            f"There is no git remote {asked_remote} that leads to an app of this platform.",
            fix=MISSING_APP,
            id="remote_not_found",
        )
    return None
