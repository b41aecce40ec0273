"""Buildpacks that come as an archive: `.tgz`, `.tar.gz`."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import tarfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from homeport.buildpacks.classic.snapshots import Snapshots
from homeport.buildpacks.references import Remote
from homeport.errors import Invalid, TooLarge
from homeport.slugs import remove, unpack

MOST = 200_000_000
"""Bytes of an archive; the largest buildpacks seen have a tenth of it."""

SECONDS = 120.0


class ArchiveFailed(Exception):
    """Why it cannot be had."""


async def fetch(remote: Remote, snapshots: Snapshots, scratch: Path) -> str:
    """Make the archive's files a snapshot; returns its version, a digest of the archive. Raises `ArchiveFailed`."""
    file = scratch / "buildpack.tar"
    try:
        async with asyncio.timeout(SECONDS):
            if urlsplit(remote.url).scheme == "file":
                await asyncio.to_thread(shutil.copyfile, unquote(urlsplit(remote.url).path), file)
            else:
                await _download(remote, file)
        return await asyncio.to_thread(_keep, file, snapshots)
    except TimeoutError:
        raise ArchiveFailed(f"Its server did not send it within {SECONDS:.0f} seconds.") from None
    except TooLarge as error:
        raise ArchiveFailed(error.what) from error
    except (tarfile.TarError, EOFError) as error:
        raise ArchiveFailed(f"It is not a readable archive: {error}") from error
    except OSError as error:
        raise ArchiveFailed(f"{error.strerror or error}") from error
    finally:
        file.unlink(missing_ok=True)


async def _download(remote: Remote, to: Path) -> None:
    import httpx  # not at the top: only archives need them

    from homeport import reach

    user, _, password = remote.user_info.partition(":")
    size = 0
    try:
        async with (
            reach.client(follow_redirects=True, timeout=30, auth=(user, password) if user else None) as client,
            client.stream("GET", remote.url) as response,
        ):
            response.raise_for_status()
            with to.open("wb") as out:
                async for chunk in response.aiter_bytes():
                    size += len(chunk)
                    if size > MOST:
                        raise ArchiveFailed(f"It is larger than {MOST // 1_000_000} MB.")
                    out.write(chunk)
    except Invalid as error:
        raise ArchiveFailed(error.message) from error
    except httpx.HTTPStatusError as error:
        raise ArchiveFailed(f"Its server answered {error.response.status_code}.") from error
    except httpx.HTTPError as error:
        raise ArchiveFailed(str(error) or type(error).__name__) from error


def _keep(file: Path, snapshots: Snapshots) -> str:
    with file.open("rb") as data:
        version = hashlib.file_digest(data, "sha256").hexdigest()
    if snapshots.has(version):
        return version
    draft = snapshots.draft()
    try:
        unpack(file, draft)
        snapshots.keep(version, _top(draft))
    finally:
        remove(draft)
    return version


def _top(folder: Path) -> Path:
    """The folder that has `bin`: archives made by GitHub have everything in one folder."""
    entries = list(folder.iterdir())
    if not (folder / "bin").exists() and len(entries) == 1 and entries[0].is_dir():
        return entries[0]
    return folder
