"""`homeport ci:run`: the tests of what is committed here, run by the platform, with their exit code as its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.errors import RemoteExit
from homeport.cli.passthrough import copy
from homeport.errors import HomeportError

FAILED = 1
WAIT_SECONDS = 0.2


def run(call: Call) -> None:
    """Raises `RemoteExit` when the tests fail: a script may go on only after exit code 0."""
    ref = call.argument or "HEAD"
    if not call.git.exists:
        raise HomeportError(
            "no_checkout",
            "This folder is not in a git repository.",
            fix="Run it where the app is: tests are run with what is committed there.",
        )
    commit = call.git.output("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}")
    if ref == "HEAD" and call.git.output("status", "--porcelain"):
        call.terminal.warn("There are changes that are not committed, and tests are run without them.")
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"Sending {ink.code(commit[:8])} to {ink.app(call.app)}"):
        build = _start(call, commit)
    copy(call, build["output_stream_url"])
    while build["status"] == "pending":
        call.world.sleep(WAIT_SECONDS)
        build = call.api.get(path("apps", call.app, "builds", build["id"]))
    if build["status"] != "succeeded":
        raise RemoteExit(FAILED)
    call.terminal.say(f"Tests have passed on {ink.app(call.app)}. Nothing was released.")


def _start(call: Call, commit: str) -> dict[str, Any]:
    blob = call.api.post("/sources")["source_blob"]
    _upload(call, _archive(call, commit), blob["put_url"])
    body = {"source_blob": {"url": blob["get_url"], "version": commit}, "only_test": True}
    build: dict[str, Any] = call.api.post(path("apps", call.app, "builds"), body)
    return build


def _archive(call: Call, commit: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="homeport-ci-") as folder:
        file = Path(folder) / "source.tar.gz"
        top = call.git.output("rev-parse", "--show-toplevel")
        # In a folder of its own, as GitHub packs it: a source with a single folder at its top keeps that then.
        call.git.output("-C", top, "archive", "--format=tar.gz", "--prefix=source/", f"--output={file}", commit)
        return file.read_bytes()


def _upload(call: Call, data: bytes, url: str) -> None:
    """To the platform itself: nothing else may be given an app's source."""
    parts, own = urlsplit(url), urlsplit(call.endpoint.url)
    if (parts.scheme, parts.netloc) != (own.scheme, own.netloc):
        raise HomeportError("invalid_upload_url", f"The server named another host for the source: {parts.netloc}")
    call.api.upload(parts.path + (f"?{parts.query}" if parts.query else ""), data)
