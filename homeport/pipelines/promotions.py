"""Promotions as records. The rows come first: whoever is killed leaves them for the next to finish."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import deploys, releases
from homeport.errors import Invalid, NotFound
from homeport.pipelines.records import coupling_of
from homeport.state import App, Pipeline, Promotion, PromotionTarget, Release, Slug, User

MOST_ATTEMPTS = 3
"""A promotion during which the platform dies is tried again, but not one that kills it."""

MOST_ERROR_CHARACTERS = 2000


class Status(Enum):
    """Of one target; a promotion is pending as long as one of its targets is."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """A target that is to be carried out."""

    id: str
    app_id: str


def order(
    session: Session, pipeline: Pipeline, *, source: App, release: Release | None, to: Sequence[App], by: User
) -> Promotion:
    """Write down a promotion of the source's release (the current one, if none is given) to these apps.

    Raises `Invalid` when an app is not in the pipeline, is the source itself, or when there is no slug to give.
    """
    if not to:
        raise Invalid("targets is required.", fix="Name at least one app to promote to.")
    for app in (source, *to):
        if (found := coupling_of(session, app)) is None or found.pipeline_id != pipeline.id:
            raise Invalid(
                f"{app.name} is not in the pipeline {pipeline.name}.",
                fix=f"Add it: `heroku pipelines:add {pipeline.name} -a {app.name} --stage production`.",
            )
    if any(app.id == source.id for app in to):
        raise Invalid(f"Cannot promote from an app to itself: {source.name}.")
    release = release or releases.current(session, source)
    if release.slug is None or release.status != Status.SUCCEEDED.value:
        raise Invalid(
            f"v{release.version} of {source.name} has nothing to promote.",
            id="nothing_to_promote",
            why="It has no slug: nothing was deployed to it." if release.slug is None else f"It has {release.status}.",
            fix=f"Deploy to it first: `git push {source.name} main`.",
        )
    promotion = Promotion(pipeline_id=pipeline.id, source_app_id=source.id, source_release_id=release.id, user_id=by.id)
    promotion.user = session.merge(by, load=False)
    session.add(promotion)
    session.flush()
    for app in {app.id: app for app in to}.values():
        session.add(
            PromotionTarget(
                promotion_id=promotion.id,
                app_id=app.id,
                slug_id=release.slug.id,
                description=_description(source, release, release.slug),
            )
        )
    session.flush()
    return promotion


def _description(source: App, release: Release, slug: Slug) -> str:
    commit = f" ({slug.commit[:8]})" if slug.commit else ""
    return f"Promote {source.name} v{release.version}{commit}"


def promotion(session: Session, id: str) -> Promotion:
    """Raises `NotFound`."""
    row = session.get(Promotion, id)
    if row is None:
        raise NotFound("pipeline_promotion", "Couldn't find that promotion.")
    return row


def targets(session: Session, promotion: Promotion) -> list[PromotionTarget]:
    rows = select(PromotionTarget).where(PromotionTarget.promotion_id == promotion.id)
    return list(session.scalars(rows.order_by(PromotionTarget.created_at, PromotionTarget.id)))


def status_of(session: Session, promotion: Promotion) -> Status:
    """`SUCCEEDED` when nothing is pending any more and nothing has failed."""
    states = {Status(target.status) for target in targets(session, promotion)}
    return next((state for state in (Status.PENDING, Status.FAILED) if state in states), Status.SUCCEEDED)


def pending(session: Session) -> list[Step]:
    """What is still to be carried out, oldest first."""
    rows = select(PromotionTarget).where(PromotionTarget.status == Status.PENDING.value)
    found = session.scalars(rows.order_by(PromotionTarget.created_at, PromotionTarget.id))
    return [Step(target.id, target.app_id) for target in found]


def begin(session: Session, step: Step) -> deploys.Launch | None:
    """A pending release of the promoted slug, with the target's own config vars and add-ons.

    None when there is nothing left to do: the target is gone, or it has been tried too often.
    """
    target = session.get(PromotionTarget, step.id)
    slug = session.get(Slug, target.slug_id) if target is not None else None
    if target is None or slug is None or target.status != Status.PENDING.value:
        return None
    if target.attempts >= MOST_ATTEMPTS:
        _end(target, Status.FAILED, f"The platform stopped {MOST_ATTEMPTS} times while this was under way.")
        return None
    app = session.get_one(App, target.app_id)
    previous = releases.current(session, app)
    by = target.promotion.user
    release = releases.create(session, app, by=by, description=target.description, slug=slug, pending=True)
    target.attempts += 1
    target.release_id = release.id
    seen = f"Its output: `heroku releases:output v{release.version} -a {app.name}`."
    return deploys.Launch(app, by, release, previous, again="promote again", seen=seen)


def succeed(session: Session, step: Step, launch: deploys.Launch) -> Release:
    """The release becomes current and the target has succeeded, both at once."""
    current = deploys.make_current(session, launch.release)
    target = session.get(PromotionTarget, step.id)
    if target is not None:
        target.release_id = current.id
        _end(target, Status.SUCCEEDED)
    return current


def fail(session: Session, step: Step, launch: deploys.Launch | None, why: str) -> None:
    """Neither the release nor the target will come to anything. Quiet about what is gone meanwhile."""
    release = session.get(Release, launch.release.id) if launch is not None else None
    if release is not None and release.status == Status.PENDING.value:
        releases.fail(session, release)
    target = session.get(PromotionTarget, step.id)
    if target is not None and target.status == Status.PENDING.value:
        _end(target, Status.FAILED, why)


def _end(target: PromotionTarget, status: Status, error: str | None = None) -> None:
    target.status = status.value
    target.error_message = error[:MOST_ERROR_CHARACTERS] if error else None
