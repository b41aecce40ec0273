"""Features of an app: `features`, `labs`, `features:enable`, `labs:disable`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import apps
from homeport.api.exchange import Call, Reply
from homeport.api.ranges import Keys
from homeport.api.shapes import Shape, stamp
from homeport.apps import AppFeature
from homeport.errors import Invalid

KEYS: Keys[AppFeature] = {"name": lambda feature: feature.definition.name, "id": lambda feature: feature.id}


def shape(call: Call, feature: AppFeature) -> Shape:
    definition = feature.definition
    return {
        "created_at": stamp(call.app.created_at),
        "description": definition.description,
        "display_name": definition.display_name,
        "doc_url": f"https://devcenter.heroku.com/articles/{definition.name}",
        "enabled": feature.enabled,
        "feedback_email": "",
        "id": feature.id,
        "name": definition.name,
        "state": definition.state,
        "updated_at": stamp(feature.updated_at),
    }


def index(call: Call, session: Session) -> Reply:
    return call.listing(apps.features(session, call.app), lambda feature: shape(call, feature), KEYS)


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(call, apps.find_feature(session, call.app, call.params["feature"])))


def update(call: Call, session: Session) -> Reply:
    if "enabled" not in call.body:
        raise Invalid("enabled is required.")
    wanted = call.body.flag("enabled")
    feature = apps.set_feature(session, call.app, call.params["feature"], wanted)
    if feature.enabled != wanted:
        call.warn(f"{feature.definition.name} is always {'on' if feature.enabled else 'off'} with Homeport.")
    else:
        call.say(f"Feature {feature.definition.name} {'enabled' if wanted else 'disabled'}")
    return Reply(shape(call, feature))
