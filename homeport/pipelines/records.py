"""Pipelines and the places of apps in them, as records."""

from __future__ import annotations

import re

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from homeport.errors import Invalid, NotFound
from homeport.pipelines.stages import Stage
from homeport.state import App, Coupling, Pipeline, User

_NAME = re.compile(r"[a-z][a-z0-9-]{2,29}")  # the schema of the Platform API


def create(session: Session, *, owner: User, name: str) -> Pipeline:
    """A pipeline without apps. Raises `Invalid` for a name that this person has used, or that is impossible."""
    _check_name(session, owner.id, name)
    pipeline = Pipeline(name=name, owner_id=owner.id)
    pipeline.owner = owner
    session.add(pipeline)
    session.flush()
    return pipeline


def visible_to(session: Session, user: User, *, name: str | None = None) -> list[Pipeline]:
    """Those that a person owns and those that an app of theirs is in; of this name, if one is given."""
    through_apps = select(Coupling.pipeline_id).join(App, App.id == Coupling.app_id).where(App.owner_id == user.id)
    found = select(Pipeline).where(or_(Pipeline.owner_id == user.id, Pipeline.id.in_(through_apps)))
    if name is not None:
        found = found.where(Pipeline.name == name)
    return list(session.scalars(found.order_by(Pipeline.name, Pipeline.created_at)))


def find(session: Session, user: User, name_or_id: str) -> Pipeline:
    """One that the person can see; of several of one name their own. Raises `NotFound`."""
    found = [row for row in visible_to(session, user) if name_or_id in (row.id, row.name)]
    if not found:
        raise NotFound("pipeline", "Couldn't find that pipeline.")
    return min(found, key=lambda row: row.owner_id != user.id)


def rename(session: Session, pipeline: Pipeline, name: str) -> Pipeline:
    """Raises `Invalid` for a name that its owner has used, or that is impossible."""
    if name != pipeline.name:
        _check_name(session, pipeline.owner_id, name)
        pipeline.name = name
        session.flush()
    return pipeline


def destroy(session: Session, pipeline: Pipeline) -> None:
    """Its apps stay, in no pipeline."""
    session.delete(pipeline)
    session.flush()


def couple(session: Session, pipeline: Pipeline, app: App, stage: Stage) -> Coupling:
    """Raises `Invalid` for an app that is in a pipeline already."""
    if (known := coupling_of(session, app)) is not None:
        raise Invalid(
            f"{app.name} is in the pipeline {known.pipeline.name} already ({known.stage}).",
            why="An app can be in one pipeline only.",
            fix=f"Move it: `heroku pipelines:update --stage {stage.value} -a {app.name}`."
            if known.pipeline_id == pipeline.id
            else f"Take it out there first: `heroku pipelines:remove -a {app.name}`.",
        )
    row = Coupling(pipeline_id=pipeline.id, app_id=app.id, stage=stage.value)
    session.add(row)
    session.flush()
    return row


def coupling(session: Session, id: str) -> Coupling:
    """Raises `NotFound`."""
    row = session.get(Coupling, id)
    if row is None:
        raise NotFound("pipeline_coupling", "Couldn't find that pipeline coupling.")
    return row


def coupling_of(session: Session, app: App) -> Coupling | None:
    """Which pipeline an app is in, and where there."""
    return session.scalar(select(Coupling).where(Coupling.app_id == app.id))


def couplings(session: Session, pipelines: list[Pipeline]) -> list[Coupling]:
    """All apps of these pipelines."""
    ids = [pipeline.id for pipeline in pipelines]
    return list(session.scalars(select(Coupling).where(Coupling.pipeline_id.in_(ids)).order_by(Coupling.created_at)))


def neighbours(session: Session, pipeline: Pipeline) -> list[tuple[App, App]]:
    """Every app of the pipeline beside every app that a promotion of it would go to."""
    found = couplings(session, [pipeline])
    return [(up.app, down.app) for up in found for down in found if Stage(down.stage) is Stage(up.stage).downstream]


def move(session: Session, row: Coupling, stage: Stage) -> Coupling:
    """To another stage."""
    row.stage = stage.value
    session.flush()
    return row


def uncouple(session: Session, row: Coupling) -> None:
    session.delete(row)
    session.flush()


def _check_name(session: Session, owner_id: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name[:40]!r} is not a name for a pipeline.",
            fix="Use 3 to 30 lower-case letters, digits and dashes, beginning with a letter.",
        )
    if session.scalar(select(Pipeline.id).where(Pipeline.owner_id == owner_id, Pipeline.name == name)):
        raise Invalid(f"A pipeline named {name} is there already.", fix="Choose another name.")
