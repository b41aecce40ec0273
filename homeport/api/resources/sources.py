"""Sources: a place to upload a tarball to before building it (`builds:create`).

https://devcenter.heroku.com/articles/build-and-release-using-the-api#sources-endpoint
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from homeport.api.exchange import Call, Reply, created
from homeport.errors import Invalid, NotFound, TooLarge
from homeport.state import new_id

MAX_UPLOAD_BYTES = 1024**3
KEPT_SECONDS = 3600.0
"""As long as Heroku's own; a build begins right after its upload."""

_UPLOAD = "source upload"


async def create(call: Call) -> Reply:
    folder = _folder(call)
    await asyncio.to_thread(_sweep, folder)
    name = new_id()
    url = call.core.urls.stream(f"/sources/{name}/{call.core.capabilities.sign(_UPLOAD, name)}")
    return created({"source_blob": {"get_url": url, "put_url": url}})


async def upload(call: Call, request: Request) -> Response:
    name, key = call.params["source"], call.params["key"]
    if not call.core.capabilities.allows(key, _UPLOAD, name):
        raise NotFound("source")
    folder = _folder(call)
    draft = folder / f"{name}.draft"
    size = 0
    try:
        with draft.open("wb") as file:
            async for chunk in request.stream():
                size += len(chunk)
                if size > MAX_UPLOAD_BYTES:
                    raise TooLarge(f"A source may have {MAX_UPLOAD_BYTES // 1024**2} MB.")
                await asyncio.to_thread(file.write, chunk)
        draft.replace(_path(folder, name))
    finally:
        draft.unlink(missing_ok=True)
    return Response(status_code=200)


def uploaded(call: Call, url: str) -> Path | None:
    """The file behind a `get_url` of ours; None for any other URL. Raises `Invalid` if nothing was uploaded."""
    prefix = call.core.urls.stream("/sources/")
    if not url.startswith(prefix):
        return None
    name, _, key = url.removeprefix(prefix).partition("/")
    path = _path(_folder(call), name)
    if not call.core.capabilities.allows(key, _UPLOAD, name) or not path.exists():
        raise Invalid(
            "Nothing was uploaded to that source.",
            id="source_missing",
            fix="Ask for a new one with POST /sources, PUT the tarball to its put_url, then build its get_url.",
        )
    return path


def _folder(call: Call) -> Path:
    folder = call.core.uploads
    if folder is None:
        raise Invalid("Sources can't be uploaded here.", id="not_here_yet", fix="Deploy with `git push heroku main`.")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}.tar.gz"


def _sweep(folder: Path) -> None:
    """Remove what was uploaded too long ago; a build that still unpacks one has it open."""
    oldest = time.time() - KEPT_SECONDS
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # somebody else sweeps too, or an upload has just become whole
            if path.stat().st_mtime < oldest:
                path.unlink()
