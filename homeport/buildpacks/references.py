"""What a buildpack is asked for by: a name, a URL of a git repository, a URL of an archive. Pure.

https://devcenter.heroku.com/articles/buildpacks#setting-a-buildpack-on-an-application
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import SplitResult, unquote, urlsplit

from homeport.buildpacks.failures import BuildFailed, FailureId

SCHEMES = "HOMEPORT_BUILDPACK_SCHEMES"
"""Variable of the daemon: the URL schemes that buildpacks may be fetched by, besides https."""


class BuiltIn(Enum):
    """Buildpacks of Homeport's own. The value is the name that they are set by."""

    PYTHON = "heroku/python"
    NODE = "heroku/nodejs"
    PROCFILE = "heroku/procfile"
    CONDA = "homeport/conda"
    SUBDIR = "homeport/subdir"


@dataclass(frozen=True)
class Remote:
    """A buildpack to fetch. `url` has no user and no password in it, `user_info` is `user:password` or "".

    `ref` is a branch, a tag or a commit; "" for the repository's own choice.
    """

    url: str
    archive: bool
    ref: str = ""
    user_info: str = field(default="", repr=False)

    @property
    def title(self) -> str:
        return f"{self.url}#{self.ref}" if self.ref else self.url


Reference = BuiltIn | Remote

_NAMES = {
    "python": BuiltIn.PYTHON,
    "heroku/python": BuiltIn.PYTHON,
    "heroku/nodejs": BuiltIn.NODE,
    "heroku/procfile": BuiltIn.PROCFILE,
    "homeport/conda": BuiltIn.CONDA,
    "homeport/subdir": BuiltIn.SUBDIR,
}

_REPOSITORIES = {
    "heroku/heroku-buildpack-python": BuiltIn.PYTHON,
    "heroku/heroku-buildpack-nodejs": BuiltIn.NODE,
    "heroku/heroku-buildpack-procfile": BuiltIn.PROCFILE,
    "conda/conda-buildpack": BuiltIn.CONDA,
    "kennethreitz/conda-buildpack": BuiltIn.CONDA,
    "kennethreitz-archive/conda-buildpack": BuiltIn.CONDA,
    "heroku-python/conda-buildpack": BuiltIn.CONDA,
    "timanovsky/subdir-heroku-buildpack": BuiltIn.SUBDIR,
}
"""Repositories on GitHub that a buildpack of ours stands in for."""

_HOSTS = ("github.com", "www.github.com", "gitlab.com", "bitbucket.org")
"""Hosts that give the repositories which they have by git:// and ssh by https too."""

_REGISTRIES = ("buildpack-registry.s3.amazonaws.com", "codon-buildpacks.s3.amazonaws.com")
_ARCHIVE = re.compile(r"\.(tgz|tar\.gz|tar)$")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*/[\w.-]+")
_SCP = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]+):(?P<path>[^/:].*/.*)")
_TREE = re.compile(r"(?P<repository>/[^/]+/[^/]+)/tree/(?P<ref>[^?]+?)/?")
_REF = re.compile(r"[\w][\w./+-]*")


def parse(text: str, environ: Mapping[str, str]) -> Reference:
    """What stands behind a name or a URL.

    Raises `BuildFailed` (`buildpack_unsupported`) for what nobody can fetch, or may not fetch here.
    """
    name = text.strip().removeprefix("urn:buildpack:")
    if built_in := _NAMES.get(name.casefold()):
        return built_in
    if _NAME.fullmatch(name):
        namespace, _, short = name.partition("/")
        if namespace != "heroku":
            raise _unknown_name(name)
        name = f"https://github.com/heroku/heroku-buildpack-{short}"
    address, _, ref = name.partition("#")
    parts = urlsplit(_as_url(address))
    if (tree := _TREE.fullmatch(parts.path)) and parts.hostname in _HOSTS:  # copied from a browser
        parts, ref = parts._replace(path=tree["repository"]), ref or tree["ref"]
    return _stood_in_for(parts) or _remote(parts, ref, environ)


def shown(text: str) -> str:
    """The same without a password."""
    parts = urlsplit(text.strip())
    if not parts.scheme or "@" not in parts.netloc:
        return text.strip()[:200]
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()[:200]


def _as_url(address: str) -> str:
    """scp's way of writing an address, as `git clone` takes it, becomes a URL."""
    if "://" in address:
        return address
    match = _SCP.fullmatch(address)
    return f"ssh://{match['host']}/{match['path']}" if match else address


def _stood_in_for(parts: SplitResult) -> BuiltIn | None:
    path = parts.path.strip("/").casefold()
    if parts.netloc in _REGISTRIES:
        return _NAMES.get(path.removeprefix("buildpacks/").removesuffix(".tgz"))
    if parts.hostname in ("github.com", "www.github.com"):
        return _REPOSITORIES.get(path.removesuffix(".git"))
    return None


def _remote(parts: SplitResult, ref: str, environ: Mapping[str, str]) -> Remote:
    host = parts.hostname or ""
    user_info, _, netloc = parts.netloc.rpartition("@")
    if parts.scheme in ("git", "ssh") and host in _HOSTS:
        parts, user_info, netloc = parts._replace(scheme="https"), "", host
    allowed = {"https", *re.split(r"[\s,]+", environ.get(SCHEMES, "").casefold())}
    if not parts.scheme or (not host and parts.scheme != "file"):
        raise _unsupported(parts, "It is neither a name that is known here nor the URL of a git repository.")
    if parts.scheme not in allowed:
        why = "There are no SSH keys here." if parts.scheme == "ssh" else "Nobody vouches for what comes that way."
        raise _unsupported(parts, f"Buildpacks are fetched by https here, not by {parts.scheme}. {why}")
    if ref and (not _REF.fullmatch(ref) or ".." in ref):
        raise _unsupported(parts, f"{ref[:80]!r} cannot be a branch, a tag or a commit.")
    url = parts._replace(netloc=netloc, fragment="").geturl()
    archive = _ARCHIVE.search(parts.path) is not None
    return Remote(url, archive, "" if archive else ref, unquote(user_info))


def _unsupported(parts: SplitResult, why: str) -> BuildFailed:
    return BuildFailed(
        FailureId.BUILDPACK_UNSUPPORTED,
        f"The buildpack {shown(parts.geturl())} cannot be used.",
        why=why,
        fix="Name it by the https URL of its git repository, and a branch, tag or commit if you like:\n\n"
        "  heroku buildpacks:set https://github.com/OWNER/REPOSITORY#v1.0\n\n"
        "Or take it away: `heroku buildpacks` shows what is set, `heroku buildpacks:remove` removes one.",
    )


def _unknown_name(name: str) -> BuildFailed:
    known = ", ".join(built_in.value for built_in in BuiltIn)
    return BuildFailed(
        FailureId.BUILDPACK_UNSUPPORTED,
        f"There is no buildpack named {name[:100]} here.",
        why=f"Built in are {known}, and heroku/NAME is fetched from github.com/heroku/heroku-buildpack-NAME.",
        fix="Name any other one by the URL of its git repository:\n\n"
        "  heroku buildpacks:set https://github.com/OWNER/REPOSITORY",
    )
