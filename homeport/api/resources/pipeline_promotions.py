"""Promotions: `pipelines:promote` writes one down, and looks how its targets fare."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import accounts, apps, pipelines, releases
from homeport.accounts import Action
from homeport.api.exchange import Call, Reply, created
from homeport.api.fields import Fields
from homeport.api.ranges import Keys
from homeport.api.resources.pipelines import find
from homeport.api.shapes import Shape, moment, stamp
from homeport.errors import Invalid, NotFound
from homeport.pipelines import Status
from homeport.state import App, Promotion, PromotionTarget

MOST_TARGETS = 50

KEYS: Keys[PromotionTarget] = {
    "created_at": lambda target: moment(target.created_at, target.id),
    "id": lambda target: target.id,
}


def shape(session: Session, promotion: Promotion) -> Shape:
    pending = pipelines.status_of(session, promotion) is Status.PENDING
    return {
        "created_at": stamp(promotion.created_at),
        "id": promotion.id,
        "pipeline": {"id": promotion.pipeline_id},
        "source": {"app": {"id": promotion.source_app_id}, "release": {"id": promotion.source_release_id}},
        "status": "pending" if pending else "completed",
        "updated_at": stamp(promotion.updated_at),
    }


def target_shape(target: PromotionTarget) -> Shape:
    return {
        "app": {"id": target.app_id},
        "error_message": target.error_message,
        "id": target.id,
        "pipeline_promotion": {"id": target.promotion_id},
        "release": {"id": target.release_id} if target.release_id else None,
        "status": target.status,
    }


def create(call: Call, session: Session) -> Reply:
    """`{pipeline: {id}, source: {app: {id}, release?: {id}}, targets: [{app: {id}}]}`.

    The source's code and the targets' config vars come together, so that one must be allowed to deploy to all.
    """
    body = call.body
    pipeline = find(call, session, body.reference("pipeline") or body.text("pipeline"))
    source = body.nested("source")
    wanted = body.items("targets")
    if len(wanted) > MOST_TARGETS:
        raise Invalid(f"A promotion can have at most {MOST_TARGETS} targets.")
    app = _app(call, session, source, Action.REVEAL)
    release = source.reference("release")
    promotion = pipelines.order(
        session,
        pipeline,
        source=app,
        release=releases.find(session, app, release) if release else None,
        to=[_app(call, session, target, Action.DEPLOY) for target in wanted],
        by=call.actor.user,
    )
    if call.core.pipelines is not None:
        call.after.append(call.core.pipelines.promoter.wake)
    return created(shape(session, promotion))


def _app(call: Call, session: Session, fields: Fields, action: Action) -> App:
    app = apps.find(session, fields.reference("app") or fields.text("app"))
    accounts.require(call.actor, action, app)
    return app


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(session, _find(call, session)))


def targets(call: Call, session: Session) -> Reply:
    return call.listing(pipelines.targets(session, _find(call, session)), target_shape, KEYS)


def _find(call: Call, session: Session) -> Promotion:
    promotion = pipelines.promotion(session, call.params["promotion"])
    source = session.get_one(App, promotion.source_app_id)
    if not accounts.may(call.actor, Action.VIEW, source):
        raise NotFound("pipeline_promotion", "Couldn't find that promotion.")
    return promotion
