"""Which platform a command talks to, with which token, trusting whom.

In this order: HOMEPORT_HOST or HEROKU_HOST in the environment; what `homeport login` has saved; the platform that runs
on this machine. A token only ever goes to the host that it was given for: HEROKU_API_KEY alone, as CI systems that
deploy to Heroku have it, is not ours to send anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from homeport.errors import HomeportError

# https://devcenter.heroku.com: the hosts that real Heroku tokens and apps live on.
HEROKU_DOMAINS = ("heroku.com", "herokuapp.com", "herokai.com", "herokuspace.com", "herokudev.com")
LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Source(Enum):
    """Where the choice of a host came from."""

    ENVIRONMENT = "environment"  # HOMEPORT_HOST or HEROKU_HOST
    LOGIN = "login"  # `homeport login`
    LOCAL = "local"  # the daemon's own files under $HOMEPORT_HOME


@dataclass(frozen=True)
class Endpoint:
    """`url` has no slash at the end. `ca`: a file with the authorities to trust besides, or on loopback in place of,
    the system's. `git_host` is host[:port] of git remotes."""

    url: str
    source: Source
    token: str | None = None
    ca: Path | None = None
    git_host: str = ""

    @property
    def host(self) -> str:
        """Host name with the port if there is one."""
        return urlsplit(self.url).netloc

    @property
    def hostname(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.hostname)

    @property
    def git_hosts(self) -> tuple[str, ...]:
        """Every host that a remote of this platform may name."""
        return tuple(dict.fromkeys((self.git_host, self.host)))


@dataclass(frozen=True)
class Login:
    """A host that somebody logged in to."""

    email: str
    token: str


@dataclass(frozen=True)
class Local:
    """The platform that runs on this machine, as its daemon wrote it down."""

    url: str
    git_host: str
    ca: Path | None
    bundle: Path | None
    token: str | None


def choose(
    env: Mapping[str, str], *, current: str | None, logins: Mapping[str, Login], local: Local | None
) -> Endpoint | None:
    """The platform to talk to, or None when nothing says which.

    `current` is the URL of the last login. Raises `HomeportError` for a host that must not be talked to.
    """
    asked = env.get("HOMEPORT_HOST") or env.get("HEROKU_HOST")
    if asked:
        found = Endpoint(url_of(asked), Source.ENVIRONMENT)
    elif current:
        found = Endpoint(current, Source.LOGIN)
    elif local:
        found = Endpoint(local.url, Source.LOCAL)
    else:
        return None
    return complete(found, env, logins, local)


def complete(found: Endpoint, env: Mapping[str, str], logins: Mapping[str, Login], local: Local | None) -> Endpoint:
    """The same host with its token, its authorities and its git host."""
    check(found, env)
    here = local if local is not None and local.url == found.url else None
    named = env.get("HOMEPORT_CA")
    ca = Path(named) if named else None
    if here is not None:
        ca = here.ca if found.is_loopback else here.bundle
    return replace(found, git_host=_git_host(found, env, here), token=_token(found, env, logins, here), ca=ca)


def url_of(host: str) -> str:
    """The API's URL for what HEROKU_HOST may hold: a URL, or a domain whose API is at `api.`.

    Raises `HomeportError` (`invalid_host`) for anything else.
    """
    try:
        if "://" in host:
            parts = urlsplit(host)
            return f"{parts.scheme}://{_place(parts)}"
        parts = urlsplit(f"//{host}")
        return f"https://{'' if is_loopback(parts.hostname or '') else 'api.'}{_place(parts)}"
    except ValueError as error:
        raise _invalid(host) from error


def _place(parts: SplitResult) -> str:
    """host[:port]; a name and password in a URL are nobody's token here."""
    if not parts.hostname:
        raise ValueError("no host")
    name = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return name if parts.port is None else f"{name}:{parts.port}"


def _invalid(host: str) -> HomeportError:
    return HomeportError(
        "invalid_host",
        f"{host!r} is not the address of a platform.",
        fix="Name it by a URL such as https://localhost:8443.",
    )


def check(endpoint: Endpoint, env: Mapping[str, str]) -> None:
    """Raises `HomeportError` for hosts that a token must not go to."""
    parts = urlsplit(endpoint.url)
    name = parts.hostname or ""
    if parts.scheme not in ("http", "https"):
        raise _invalid(endpoint.url)
    if any(name == domain or name.endswith(f".{domain}") for domain in HEROKU_DOMAINS):
        if env.get("HOMEPORT_ALLOW_HEROKU") != "1":
            raise HomeportError(
                "heroku_host_refused",
                f"{name} is Heroku itself, not a Homeport.",
                why="This command line is made for your own platform; there it could change or destroy real apps.",
                fix="Unset HEROKU_HOST (or HOMEPORT_HOST), or set HOMEPORT_ALLOW_HEROKU=1 if you mean it.",
            )
    elif parts.scheme == "http" and not is_loopback(name):
        raise HomeportError(
            "insecure_host",
            f"{endpoint.url} is not encrypted.",
            why="Your token and config vars would travel in the clear.",
            fix="Use https://.",
        )


def is_loopback(hostname: str) -> bool:
    return hostname in LOOPBACK or hostname.endswith(".localhost")


def _token(found: Endpoint, env: Mapping[str, str], logins: Mapping[str, Login], local: Local | None) -> str | None:
    if env.get("HOMEPORT_API_KEY"):
        return env["HOMEPORT_API_KEY"]
    heroku_host = env.get("HEROKU_HOST")
    if env.get("HEROKU_API_KEY") and heroku_host and url_of(heroku_host) == found.url:
        return env["HEROKU_API_KEY"]
    if found.url in logins:
        return logins[found.url].token
    return local.token if local else None


def _git_host(found: Endpoint, env: Mapping[str, str], local: Local | None) -> str:
    if env.get("HOMEPORT_GIT_HOST"):
        return env["HOMEPORT_GIT_HOST"]
    heroku_host = env.get("HEROKU_HOST")
    if env.get("HEROKU_GIT_HOST") and heroku_host and url_of(heroku_host) == found.url:
        return env["HEROKU_GIT_HOST"]
    if local is not None:
        return local.git_host
    if not found.is_loopback and found.host.startswith("api."):
        return f"git.{found.host.removeprefix('api.')}"
    return found.host
