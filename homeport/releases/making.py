"""Writing releases down. A release is immutable but for its status, and for what it holds while it waits its turn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from homeport import config
from homeport.errors import Conflict
from homeport.releases.versions import variables
from homeport.state import App, Release, Slug, User, now, touch


@dataclass(frozen=True)
class Attached:
    """What add-ons give an app: the config vars that they set, and the plans that it has."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    plans: tuple[str, ...] = ()


Attach = Callable[[Session, App], Attached]
"""What is attached to an app just now. Only `addons` knows that."""


@dataclass(frozen=True)
class Content:
    """What a release runs: a slug, the config vars that people have set, and those of add-ons, which go above them."""

    slug: Slug | None
    own: Mapping[str, str] = field(repr=False)
    attached: Attached

    @classmethod
    def of(cls, session: Session, release: Release) -> Content:
        values = variables(session, release)
        attached = {name: values[name] for name in release.addon_vars if name in values}
        plans = tuple(release.addon_plans)
        return cls(release.slug, without(values, release.addon_vars), Attached(attached, plans))

    @property
    def variables(self) -> dict[str, str]:
        """Raises `Invalid` for what cannot be config vars."""
        return config.merge(self.own, self.attached.values)


@dataclass(frozen=True)
class Addons:
    """What a release says of add-ons: the plans that the app has, and the names of the config vars that they set."""

    plans: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()

    @classmethod
    def of(cls, release: Release) -> Addons:
        return cls(tuple(release.addon_plans), tuple(release.addon_vars))


def add(
    session: Session,
    app: App,
    *,
    by: User,
    description: str,
    slug: Slug | None,
    sealed: bytes,
    addons: Addons,
    pending: bool = False,
) -> Release:
    """The app's next release; current at once unless it is `pending`."""
    app = session.get_one(App, app.id)
    newest = session.scalar(select(func.max(Release.version)).where(Release.app_id == app.id)) or 0
    release = Release(
        app_id=app.id,
        version=newest + 1,
        user_id=by.id,
        description=description,
        status="pending" if pending else "succeeded",
        slug_id=slug.id if slug else None,
        config=sealed,
        addon_plans=list(addons.plans),
        addon_vars=list(addons.variables),
    )
    release.user = session.merge(by, load=False)
    release.slug = session.merge(slug, load=False) if slug else None
    session.add(release)
    session.flush()
    if not pending:
        make_current(session, app, release)
    return release


def add_content(
    session: Session, app: App, content: Content, *, by: User, description: str, pending: bool = False
) -> Release:
    """The app's next release, with this in it. Raises `Invalid` for what cannot be config vars."""
    return add(
        session,
        app,
        by=by,
        description=description,
        slug=content.slug,
        sealed=seal(session, content.variables),
        addons=Addons(content.attached.plans, tuple(sorted(content.attached.values))),
        pending=pending,
    )


def hold(session: Session, release: Release, content: Content) -> None:
    """Have a pending release hold this instead. Raises `Invalid` for what cannot be config vars."""
    if content.variables != variables(session, release):
        release.config = seal(session, content.variables)
    release.slug_id = content.slug.id if content.slug else None
    release.slug = session.merge(content.slug, load=False) if content.slug else None
    release.addon_plans = list(content.attached.plans)
    release.addon_vars = sorted(content.attached.values)
    session.flush()


def make_current(session: Session, app: App, release: Release) -> None:
    app.current_release_id = release.id
    app.current_release = release
    app.released_at = now()
    session.flush()
    touch(session, app.id)


def leave_pending(session: Session, release: Release, status: str) -> Release:
    """Raises `Conflict` for one that is not pending."""
    row = session.get_one(Release, release.id)
    if row.status != "pending":
        raise Conflict(f"v{row.version} is not pending: it has {row.status}.")
    row.status = status
    touch(session, row.app_id)
    return row


def without(values: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in names}


def seal(session: Session, values: Mapping[str, str]) -> bytes:
    return config.vault(session).seal(values)
