"""Archives and databases that are elsewhere: fetched, or reached, by URL."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import httpx

from homeport import reach
from homeport.addons.postgres.dumps import Login
from homeport.errors import Invalid, Unavailable

YOUNG_SECONDS = 24 * 3600.0
"""A file that is younger may be somebody's at work."""
TIMEOUT = httpx.Timeout(60.0, connect=20.0)
MAX_REDIRECTS = 5


@contextlib.contextmanager
def file(folder: Path) -> Iterator[Path]:
    """A private file that is gone at the end of the block."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix="incoming-", suffix=".part") as made:
        yield Path(made.name)


def is_young(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime < YOUNG_SECONDS
    return False


async def fetch(url: str, into: Path) -> None:
    """Download. Raises `Invalid` for a URL that leads nowhere public, `Unavailable` for what can't be had."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise Invalid("A backup's URL must begin with https:// or http://.")
    try:
        async with (
            reach.client(follow_redirects=True, max_redirects=MAX_REDIRECTS, timeout=TIMEOUT) as client,
            client.stream("GET", url) as response,
        ):
            if response.status_code != 200:
                raise Unavailable(
                    f"The archive can't be downloaded: the server answered {response.status_code}.",
                    id="download_failed",
                    fix="See that the URL gives the file to everybody who has it, and hasn't expired.",
                )
            with into.open("wb") as target:
                async for chunk in response.aiter_raw():
                    target.write(chunk)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        said = str(error) or type(error).__name__
        raise Unavailable(f"The archive can't be downloaded: {said}.", id="download_failed") from None


async def reachable(login: Login) -> Login:
    """The login with the address to connect to. Raises `Invalid` (`address_not_public`), `Unavailable`."""
    try:
        return replace(login, address=await reach.Reach.of().address(login.host, login.port))
    except (OSError, UnicodeError) as error:  # UnicodeError: no host's name at all
        raise Unavailable(
            f"The database's host {login.host[:200]} is not known.", id="database_unreachable", why=str(error)
        ) from None


def login(url: str) -> Login:
    """What a database URL says. Only who, where and whether with TLS: nothing that names files. Raises `Invalid`."""
    try:
        parts = urlsplit(url)
        port = parts.port or 5432
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in ("postgres", "postgresql") or not parts.hostname or len(parts.path) < 2:
        raise Invalid("A database's URL looks like postgres://user:password@host:5432/database.")
    modes = parse_qs(parts.query).get("sslmode", ["prefer"])
    mode = modes[-1] if modes[-1] in ("disable", "allow", "prefer", "require") else "require"
    return Login(
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path[1:]),
        sslmode=mode,
    )
