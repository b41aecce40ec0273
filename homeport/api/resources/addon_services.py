"""What can be had: `addons:services`, `addons:docs`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport.addons import Service
from homeport.api.exchange import Call, Reply
from homeport.api.ranges import Keys
from homeport.api.shapes import EPOCH, GENERATION, Shape, fixed_id, named
from homeport.errors import NotFound

KIND = "addon-service"
KEYS: Keys[Service] = {"name": lambda service: service.name, "id": lambda service: fixed_id(KIND, service.name)}


def reference(service: Service) -> Shape:
    return named(KIND, service.name)


def shape(service: Service) -> Shape:
    return {
        "cli_plugin_name": None,
        "created_at": EPOCH,
        "human_name": service.title,
        "id": fixed_id(KIND, service.name),
        "name": service.name,
        "state": "ga",
        "supported_generations": [GENERATION],
        "supports_multiple_installations": service.multiple,
        "supports_sharing": service.sharing,
        "updated_at": EPOCH,
    }


def index(call: Call, _session: Session) -> Reply:
    return call.listing(call.addons.services, shape, KEYS)


def info(call: Call, _session: Session) -> Reply:
    return Reply(shape(find(call)))


def find(call: Call) -> Service:
    """The service that the path names, by name or id. Raises `NotFound`."""
    wanted = call.params["service"]
    for service in call.addons.services:
        if wanted in (service.name, fixed_id(KIND, service.name)):
            return service
    raise NotFound("addon_service", "Couldn't find that add-on service.", fix="See them: `heroku addons:services`.")
