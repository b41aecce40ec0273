"""Which app is where in a pipeline: `pipelines:add`, `update`, `remove`, `apps:info`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import accounts, apps, pipelines
from homeport.accounts import Action
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.resources.account import oneself
from homeport.api.resources.pipelines import find, reference
from homeport.api.shapes import Shape, app_ref, moment, stamp
from homeport.errors import Invalid, NotFound
from homeport.state import Coupling, Pipeline

KEYS: Keys[Coupling] = {
    "created_at": lambda coupling: moment(coupling.created_at, coupling.id),
    "id": lambda coupling: coupling.id,
}


def shape(coupling: Coupling) -> Shape:
    return {
        "app": app_ref(coupling.app),
        "created_at": stamp(coupling.created_at),
        "id": coupling.id,
        "pipeline": reference(coupling.pipeline),
        "stage": coupling.stage,
        "updated_at": stamp(coupling.updated_at),
    }


def _listing(call: Call, session: Session, of: list[Pipeline]) -> Reply:
    rows = [row for row in pipelines.couplings(session, of) if accounts.may(call.actor, Action.VIEW, row.app)]
    return call.listing(rows, shape, KEYS)


def index(call: Call, session: Session) -> Reply:
    return _listing(call, session, pipelines.visible_to(session, call.actor.user))


def of_user(call: Call, session: Session) -> Reply:
    return _listing(call, session, pipelines.visible_to(session, oneself(call, session)))


def of_pipeline(call: Call, session: Session) -> Reply:
    return _listing(call, session, [find(call, session)])


def of_app(call: Call, session: Session) -> Reply:
    """One object, not a list: an app is in one pipeline or in none."""
    coupling = pipelines.coupling_of(session, call.app)
    if coupling is None:
        raise NotFound("pipeline_coupling", f"{call.app.name} is not in a pipeline.")
    return Reply(shape(coupling))


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(_find(call, session, Action.VIEW)))


def create(call: Call, session: Session) -> Reply:
    body = call.body
    app = apps.find(session, _required(body.reference("app"), "app"))
    accounts.require(call.actor, Action.OPERATE, app)
    pipeline = find(call, session, _required(body.reference("pipeline"), "pipeline"))
    stage = pipelines.stage_named(body.text("stage"))
    call.known_app = app
    coupling = pipelines.couple(session, pipeline, app, stage)
    call.say(f"Add to pipeline {pipeline.name} as {stage.value}")
    return created(shape(coupling))


def update(call: Call, session: Session) -> Reply:
    coupling = _find(call, session, Action.OPERATE)
    stage = pipelines.stage_named(call.body.text("stage"))
    return Reply(shape(pipelines.move(session, coupling, stage)))


def destroy(call: Call, session: Session) -> Reply:
    coupling = _find(call, session, Action.OPERATE)
    last = shape(coupling)
    pipelines.uncouple(session, coupling)
    return Reply(last)


def _find(call: Call, session: Session, action: Action) -> Coupling:
    coupling = pipelines.coupling(session, call.params["coupling"])
    if not accounts.may(call.actor, Action.VIEW, coupling.app):
        raise NotFound("pipeline_coupling", "Couldn't find that pipeline coupling.")
    accounts.require(call.actor, action, coupling.app)
    return coupling


def _required(value: str | None, name: str) -> str:
    if not value:
        raise Invalid(f"{name} is required.")
    return value
