"""Making releases. A release is immutable but for its status, which leaves `pending` once."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from homeport import config
from homeport.errors import Conflict, Invalid
from homeport.releases.history import current, eligible_for_rollback, variables
from homeport.state import App, Release, Slug, User, now, touch


def start(session: Session, app: App, by: User) -> Release:
    """An app's first release: no slug, no config vars."""
    return _add(session, app, by=by, description="Initial release", slug=None, sealed=_seal(session, {}))


def create(
    session: Session, app: App, *, by: User, description: str, slug: Slug | None, pending: bool = False
) -> Release:
    """A release of this slug with the current config vars; current at once unless it is `pending`."""
    sealed = _seal(session, variables(session, current(session, app)))
    return _add(session, app, by=by, description=description, slug=slug, sealed=sealed, pending=pending)


def set_config(session: Session, app: App, changes: Mapping[str, object], *, by: User) -> Release:
    """A release of the current slug with config vars changed (None removes); the current one if nothing changes.

    Raises `Invalid` for names and values that cannot be config vars.
    """
    before = current(session, app)
    old = variables(session, before)
    new = config.merge(old, changes)
    if new == old:
        return before
    effective = {name: value for name, value in changes.items() if old.get(name) != new.get(name)}
    return _add(
        session,
        app,
        by=by,
        description=config.describe(old, effective),
        slug=before.slug,
        sealed=_seal(session, new),
    )


def roll_back(session: Session, app: App, *, to: Release, by: User) -> Release:
    """A new release with the slug *and* the config vars of an old one.

    https://devcenter.heroku.com/articles/releases#rollback. Raises `Invalid` when there is nothing to return to.
    """
    if not eligible_for_rollback(to):
        raise Invalid(
            f"Cannot roll back to v{to.version}.",
            why="It failed." if to.status == "failed" else "It has no slug to run.",
            fix="Choose another release from `heroku releases`.",
        )
    return _add(
        session,
        app,
        by=by,
        description=f"Rollback to v{to.version}",
        slug=to.slug,
        sealed=_seal(session, variables(session, to)),
    )


def succeed(session: Session, release: Release) -> Release:
    """A pending release becomes the current one; returns the release that is current now.

    That is another one when config vars were changed while it was pending: a release is immutable, so its slug gets
    a further release with the newer config vars.
    """
    row = _leave_pending(session, release, "succeeded")
    app = session.get_one(App, row.app_id)
    newest = current(session, app)
    _make_current(session, app, row)
    if newest.version < row.version:
        return row
    return _add(
        session,
        app,
        by=row.user,
        description=row.description,
        slug=row.slug,
        sealed=_seal(session, variables(session, newest)),
    )


def fail(session: Session, release: Release) -> Release:
    """A pending release will never be current."""
    return _leave_pending(session, release, "failed")


def _leave_pending(session: Session, release: Release, status: str) -> Release:
    row = session.get_one(Release, release.id)
    if row.status != "pending":
        raise Conflict(f"v{row.version} is not pending: it has {row.status}.")
    row.status = status
    touch(session, row.app_id)
    return row


def _add(
    session: Session,
    app: App,
    *,
    by: User,
    description: str,
    slug: Slug | None,
    sealed: bytes,
    pending: bool = False,
) -> Release:
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
    )
    release.user = session.merge(by, load=False)
    release.slug = session.merge(slug, load=False) if slug else None
    session.add(release)
    session.flush()
    if not pending:
        _make_current(session, app, release)
    return release


def _make_current(session: Session, app: App, release: Release) -> None:
    app.current_release_id = release.id
    app.current_release = release
    app.released_at = now()
    session.flush()
    touch(session, app.id)


def _seal(session: Session, values: Mapping[str, str]) -> bytes:
    return config.vault(session).seal(values)
