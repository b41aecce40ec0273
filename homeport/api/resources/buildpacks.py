"""An app's buildpacks: `buildpacks`, `buildpacks:set`, `:add`, `:remove`, `:clear`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import apps
from homeport.api.exchange import Call, Reply
from homeport.api.resources import buildpack_registry
from homeport.api.shapes import Shape


def named_buildpack(url: str) -> Shape:
    return {"url": url, "name": buildpack_registry.name_of(url) or url}


def _installation(ordinal: int, url: str) -> Shape:
    return {"ordinal": ordinal, "buildpack": named_buildpack(url)}


def _installations(urls: list[str]) -> Reply:
    return Reply([_installation(ordinal, url) for ordinal, url in enumerate(urls)])


def index(call: Call, session: Session) -> Reply:
    return _installations(apps.buildpacks(session, call.app))


def update(call: Call, session: Session) -> Reply:
    urls = [item.text("buildpack") for item in call.body.items("updates")]
    urls = apps.set_buildpacks(session, call.app, [_url(url) for url in urls])
    call.say("Update buildpacks")
    return _installations(urls)


def _url(buildpack: str) -> str:
    """Names of the registry become its URLs, so that both ways of setting one mean the same."""
    name = buildpack.removeprefix("urn:buildpack:")
    return buildpack_registry.url_of(name) or name
