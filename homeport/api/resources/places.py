"""What every platform has without being asked: regions, stacks, generations. `regions`, `stack`, `stacks`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import apps
from homeport.api.exchange import Call, Reply
from homeport.api.shapes import EPOCH, GENERATION, Shape, named
from homeport.errors import NotFound

_REGIONS = {
    "us": ("United States", "Virginia, United States", "us-east-1"),
    "eu": ("Ireland", "Dublin, Ireland", "eu-west-1"),
}


def _region(name: str) -> Shape:
    """Heroku's names, so that scripts go on working; all of them are this machine."""
    country, locale, provider_region = _REGIONS[name]
    return {
        "country": country,
        "created_at": EPOCH,
        "description": "This machine",
        **named("region", name),
        "locale": locale,
        "private_capable": False,
        "provider": {"name": "homeport", "region": provider_region},
        "updated_at": EPOCH,
    }


def _stack(name: str) -> Shape:
    return {
        "created_at": EPOCH,
        "default": name == apps.STACKS[0],
        **named("stack", name),
        "state": "public",
        "updated_at": EPOCH,
    }


_GENERATION = {**GENERATION, "created_at": EPOCH, "updated_at": EPOCH}


def regions(_call: Call, _session: Session) -> Reply:
    return Reply([_region(name) for name in apps.REGIONS])


def region(call: Call, _session: Session) -> Reply:
    return _one("region", [_region(name) for name in apps.REGIONS], call.params["region"])


def stacks(_call: Call, _session: Session) -> Reply:
    return Reply([_stack(name) for name in apps.STACKS])


def stack(call: Call, _session: Session) -> Reply:
    return _one("stack", [_stack(name) for name in apps.STACKS], call.params["stack"])


def generations(_call: Call, _session: Session) -> Reply:
    return Reply([_GENERATION])


def generation(call: Call, _session: Session) -> Reply:
    return _one("generation", [_GENERATION], call.params["generation"])


def _one(resource: str, all: list[Shape], wanted: str) -> Reply:
    for shape in all:
        if wanted in (shape["name"], shape["id"]):
            return Reply(shape)
    raise NotFound(resource)
