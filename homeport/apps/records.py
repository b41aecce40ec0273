"""Apps as records: create, find, rename, destroy."""

from __future__ import annotations

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from homeport.apps import names
from homeport.errors import Invalid, NotFound
from homeport.state import App, Build, Dyno, Formation, Release, Slug, User, new_id, touch

REGIONS = ("us", "eu")
STACKS = ("heroku-24", "heroku-22")


def create(
    session: Session,
    *,
    owner: User,
    name: str | None = None,
    region: str | None = None,
    stack: str | None = None,
    id: str | None = None,
) -> App:
    """A new app; its first release is `releases.start`'s. Raises `Invalid` for a name that is taken or impossible.

    `id` is for a caller who has to find it again after asking twice.
    """
    if name is None:
        name = names.generate()
        while _taken(session, name):
            name = names.generate()
    elif _taken(session, names.check(name)):
        raise Invalid(
            f"Name {name} is already taken", fix="Choose another one, or leave it out to get a generated one."
        )
    if region is not None and region not in REGIONS:
        raise Invalid(f"Region {region} doesn't exist here.", fix=f"Use one of: {', '.join(REGIONS)}.")
    app = App(id=id or new_id(), name=name, owner_id=owner.id, region=region or REGIONS[0])
    app.owner = owner
    set_stack(session, app, stack or STACKS[0])
    session.add(app)
    session.flush()
    touch(session, app.id)
    return app


def find(session: Session, name_or_id: str) -> App:
    """Raises `NotFound`."""
    app = session.scalar(select(App).where((App.name == name_or_id) | (App.id == name_or_id)))
    if app is None:
        raise NotFound("app", "Couldn't find that app.")
    return app


def owned_by(session: Session, user: User) -> list[App]:
    return list(session.scalars(select(App).where(App.owner_id == user.id).order_by(App.name)))


def every(session: Session) -> list[App]:
    return list(session.scalars(select(App).order_by(App.name)))


def rename(session: Session, app: App, name: str) -> App:
    """Raises `Invalid` for a name that is taken or impossible."""
    if name != app.name:
        if _taken(session, names.check(name)):
            raise Invalid(f"Name {name} is already taken")
        app.name = name
        touch(session, app.id)
    return app


def set_maintenance(session: Session, app: App, on: bool) -> App:
    app.maintenance = on
    touch(session, app.id)
    return app


def set_stack(session: Session, app: App, stack: str) -> App:  # noqa: ARG001 - a verb on a record
    """Raises `Invalid` for a stack that is not here. Takes effect with the next build."""
    if stack not in STACKS:
        raise Invalid(
            f"Stack {stack} isn't available here.",
            why="Homeport builds on the machine's own system; the names stand for Heroku's images of that age.",
            fix=f"Use one of: {', '.join(STACKS)}.",
        )
    app.stack = stack
    return app


def destroy(session: Session, app: App) -> None:
    """Forget the app. Its dynos are stopped and its files removed by the loops, which find them ownerless."""
    _hand_over_slugs(session, app)
    session.execute(update(App).where(App.id == app.id).values(current_release_id=None))
    for table in (Dyno, Build, Release, Slug, Formation):
        session.execute(table.__table__.delete().where(table.__table__.c.app_id == app.id))  # type: ignore[attr-defined]
    if app in session:
        session.expunge(app)
    session.execute(App.__table__.delete().where(App.__table__.c.id == app.id))  # type: ignore[attr-defined]
    touch(session, app.id)


def _hand_over_slugs(session: Session, app: App) -> None:
    """What was promoted to other apps lives on with one of them."""
    elsewhere = (
        select(Release.slug_id, func.min(Release.app_id))
        .join(Slug, Slug.id == Release.slug_id)
        .where(Slug.app_id == app.id, Release.app_id != app.id)
        .group_by(Release.slug_id)
    )
    for slug_id, heir in session.execute(elsewhere).all():
        session.execute(update(Slug).where(Slug.id == slug_id).values(app_id=heir))


def _taken(session: Session, name: str) -> bool:
    return session.scalar(select(App.id).where(App.name == name)) is not None
