"""Switches of an app: `heroku features` shows the general ones, `heroku labs` the beta ones."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.errors import NotFound
from homeport.state import App, Feature, touch


@dataclass(frozen=True)
class Definition:
    name: str
    display_name: str
    description: str
    state: str  # general, beta
    default: bool


FEATURES = (
    Definition(
        "preboot",
        "Preboot",
        "New web dynos answer before old ones are told to go (always on with Homeport)",
        "general",
        True,
    ),
    Definition(
        "release-snapshots",
        "Release snapshots",
        "A backup of DATABASE before each release command runs",
        "general",
        True,
    ),
    Definition(
        "runtime-dyno-metadata",
        "Dyno metadata",
        "HEROKU_APP_NAME, HEROKU_RELEASE_VERSION and the like in every dyno's environment",
        "beta",
        False,
    ),
)
_BY_NAME = {definition.name: definition for definition in FEATURES}


@dataclass(frozen=True)
class AppFeature:
    """A feature as one app has it."""

    definition: Definition
    id: str
    enabled: bool
    updated_at: datetime


def features(session: Session, app: App) -> list[AppFeature]:
    rows = {row.name: row for row in session.scalars(select(Feature).where(Feature.app_id == app.id))}
    return [_of(app, definition, rows.get(definition.name)) for definition in FEATURES]


def find_feature(session: Session, app: App, name_or_id: str) -> AppFeature:
    """Raises `NotFound`."""
    for feature in features(session, app):
        if name_or_id in (feature.definition.name, feature.id):
            return feature
    raise NotFound("feature", "Couldn't find that feature.")


def set_feature(session: Session, app: App, name_or_id: str, enabled: bool) -> AppFeature:
    """Raises `NotFound`. A feature that is always on stays on."""
    definition = find_feature(session, app, name_or_id).definition
    row = session.scalar(select(Feature).where(Feature.app_id == app.id, Feature.name == definition.name))
    if row is None:
        row = Feature(id=_derived_id(app, definition), app_id=app.id, name=definition.name)
        session.add(row)
    row.enabled = enabled or definition.name == "preboot"
    session.flush()
    touch(session, app.id)
    return _of(app, definition, row)


def _of(app: App, definition: Definition, row: Feature | None) -> AppFeature:
    if row is None:
        return AppFeature(definition, _derived_id(app, definition), definition.default, app.created_at)
    return AppFeature(definition, row.id, row.enabled, row.updated_at)


def _derived_id(app: App, definition: Definition) -> str:
    """The same before and after the switch was first touched, when it gets its row."""
    return str(uuid.uuid5(uuid.UUID(app.id), definition.name))
