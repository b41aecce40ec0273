"""An app's buildpacks: `buildpacks`, `buildpacks:set`, `:add`, `:remove`, `:clear`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import apps
from homeport.api.exchange import Call, Reply
from homeport.api.fields import Fields
from homeport.api.resources import buildpack_registry
from homeport.api.shapes import Shape
from homeport.errors import Invalid


def named_buildpack(url: str) -> Shape:
    return {"url": url, "name": buildpack_registry.name_of(url) or url}


def _installation(ordinal: int, url: str) -> Shape:
    return {"ordinal": ordinal, "buildpack": named_buildpack(url)}


def _installations(urls: list[str]) -> Reply:
    return Reply([_installation(ordinal, url) for ordinal, url in enumerate(urls)])


def index(call: Call, session: Session) -> Reply:
    return _installations(apps.buildpacks(session, call.app))


def update(call: Call, session: Session) -> Reply:
    urls = [_buildpack(item) for item in call.body.items("updates")]
    urls = apps.set_buildpacks(session, call.app, [_url(url) for url in urls])
    call.say("Update buildpacks")
    return _installations(urls)


def _buildpack(item: Fields) -> str:
    if "buildpack" in item:
        return item.text("buildpack")
    known = ", ".join(entry.name for entry in buildpack_registry.REGISTRY if entry.built_in)
    raise Invalid(  # what the CLI sends for a name that it did not find in the registry
        "A buildpack has neither a name nor a URL.",
        why=f"Set by name, it must be in the registry here, which has: {known}.",
        fix="Name another one by its git URL: `heroku buildpacks:set https://github.com/OWNER/REPOSITORY`.",
    )


def _url(buildpack: str) -> str:
    """Names of the registry become its URLs, so that both ways of setting one mean the same."""
    name = buildpack.removeprefix("urn:buildpack:")
    return buildpack_registry.url_of(name) or name
