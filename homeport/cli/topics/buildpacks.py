"""`homeport buildpacks`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.errors import UsageError
from homeport.errors import HomeportError

# How Heroku's registry spells `heroku/python` once it is installed.
_REGISTRY = re.compile(
    r"https://(?:buildpack-registry|codon-buildpacks)\.s3\.amazonaws\.com/buildpacks/([\w-]+/[\w-]+)\.tgz"
)


def list_buildpacks(call: Call) -> None:
    installed = _installed(call)
    if call.has("json"):
        call.terminal.json(installed)
        return
    ink = call.terminal.ink
    if not installed:
        call.terminal.out(f"{ink.app(call.app)} has no Buildpacks.")
        return
    noun = "Buildpack" if len(installed) == 1 else "Buildpacks"
    call.terminal.out(layout.header(f"{ink.app(call.app)} Classic {noun} (from the Heroku Buildpack Registry)", ink))
    call.terminal.out("\n".join(_listing(installed)))


def add(call: Call) -> None:
    installed = _installed(call)
    wanted = call.arguments[0]
    _refuse_second(installed, wanted)
    place = _place(call, len(installed), otherwise=len(installed))
    urls = _urls(installed)
    _put(call, [*urls[:place], wanted, *urls[place:]], "added")


def set_buildpack(call: Call) -> None:
    installed = _installed(call)
    wanted = call.arguments[0]
    _refuse_second(installed, wanted)
    place = _place(call, len(installed), otherwise=0)
    urls = _urls(installed)
    _put(call, [*urls[:place], wanted, *urls[place + 1 :]], "set")


def remove(call: Call) -> None:
    index, wanted = call.number("index"), call.argument
    if (index is None) == (wanted is None):
        raise UsageError("Say which buildpack to remove: either its URL or its --index.", command=call.command.name)
    installed = _installed(call)
    if not installed:
        raise HomeportError(
            "no_buildpacks", f"No buildpacks were found. Next release on {call.app} will detect buildpack normally."
        )
    if index is not None:
        if not 1 <= index <= len(installed):
            raise UsageError(f"Invalid index. Please choose a value between 1 and {len(installed)}")
        place = index - 1
    else:
        place = _find(installed, wanted or "")
        if place == -1:
            raise HomeportError("buildpack_not_found", "Buildpack not found. Nothing was removed.")
    urls = _urls(installed)
    _put(call, [*urls[:place], *urls[place + 1 :]], "removed")


def clear(call: Call) -> None:
    _put(call, [], "cleared")


def _installed(call: Call) -> list[dict[str, Any]]:
    return call.api.all(path("apps", call.app, "buildpack-installations"))


def _put(call: Call, urls: Sequence[str], done: str) -> None:
    body = {"updates": [{"buildpack": url} for url in urls]}
    installed: list[dict[str, Any]] = call.api.put(path("apps", call.app, "buildpack-installations"), body) or []
    if call.has("json"):
        call.terminal.json(installed)
        return
    ink = call.terminal.ink
    next_release = f"Next release on {ink.app(call.app)} will"
    if not urls:
        noun = "Buildpacks" if done == "cleared" else "Buildpack"
        call.terminal.out(f"{noun} {done}. {next_release} detect buildpacks normally.")
        return
    push = ink.code(f"git push {call.option('remote') or 'heroku'} main")
    if len(installed) == 1:
        call.terminal.out(f"Buildpack {done}. {next_release} use {_shown(installed[0])}.")
        call.terminal.out(f"Run {push} to create a new release using this buildpack.")
    else:
        call.terminal.out(f"Buildpack {done}. {next_release} use:")
        call.terminal.out("\n".join(f"  {line}" for line in _listing(installed)))
        call.terminal.out(f"Run {push} to create a new release using these buildpacks.")


def _refuse_second(installed: Sequence[dict[str, Any]], wanted: str) -> None:
    if _find(installed, wanted) != -1:
        raise HomeportError("buildpack_already_set", f"The buildpack {wanted} is already set on your app.")


def _find(installed: Sequence[dict[str, Any]], wanted: str) -> int:
    for place, installation in enumerate(installed):
        if wanted in (installation["buildpack"]["url"], _shown(installation)):
            return place
    return -1


def _place(call: Call, count: int, *, otherwise: int) -> int:
    """Where in the list --index points; past its end means at its end."""
    index = call.number("index")
    if index is None:
        return otherwise
    if index < 1:
        raise UsageError("Invalid index. Must be greater than 0.", command=call.command.name)
    return min(index - 1, count)


def _urls(installed: Sequence[dict[str, Any]]) -> list[str]:
    return [installation["buildpack"]["url"] for installation in installed]


def _listing(installed: Sequence[dict[str, Any]]) -> list[str]:
    if len(installed) == 1:
        return [_shown(installed[0])]
    return [f"{number}. {_shown(installation)}" for number, installation in enumerate(installed, 1)]


def _shown(installation: dict[str, Any]) -> str:
    url: str = installation["buildpack"]["url"].removeprefix("urn:buildpack:")
    registered = _REGISTRY.fullmatch(url)
    return registered[1] if registered else url
