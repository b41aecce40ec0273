"""Making releases. A release is immutable but for its status, which leaves `pending` once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from homeport import config
from homeport.errors import Conflict, Invalid
from homeport.releases.history import current, eligible_for_rollback, variables
from homeport.state import App, Release, Slug, User, now, touch


@dataclass(frozen=True)
class Addons:
    """What a release says of add-ons: the plans that the app has, and the names of the config vars that they set."""

    plans: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def start(session: Session, app: App, by: User) -> Release:
    """An app's first release: no slug, no config vars."""
    return _add(session, app, by=by, description="Initial release", slug=None, sealed=_seal(session, {}))


def create(
    session: Session, app: App, *, by: User, description: str, slug: Slug | None, pending: bool = False
) -> Release:
    """A release of this slug with the current config vars; current at once unless it is `pending`."""
    before = current(session, app)
    sealed = _seal(session, variables(session, before))
    return _add(session, app, by=by, description=description, slug=slug, sealed=sealed, after=before, pending=pending)


def set_config(session: Session, app: App, changes: Mapping[str, object], *, by: User) -> Release:
    """A release of the current slug with config vars changed (None removes); the current one if nothing changes.

    Raises `Invalid` for names and values that cannot be config vars, and for names that belong to add-ons.
    """
    before = current(session, app)
    if attached := sorted(set(changes).intersection(before.addon_vars)):
        raise Invalid(
            f"Cannot overwrite attachment values {', '.join(attached)}.",
            why="Add-ons set them, and change them when a password or an address changes.",
            fix="To use another one, detach the add-on first: `heroku addons`, then `heroku addons:detach NAME`.",
        )
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
        after=before,
    )


def set_addon_vars(
    session: Session, app: App, values: Mapping[str, str], *, plans: Sequence[str], by: User, description: str
) -> Release:
    """A release of the current slug in which the add-ons' config vars are exactly `values`.

    `plans` are the add-ons that the app has now. Raises `Invalid` for what cannot be config vars.
    """
    before = current(session, app)
    own = _without(variables(session, before), before.addon_vars)
    return _add(
        session,
        app,
        by=by,
        description=description,
        slug=before.slug,
        sealed=_seal(session, config.merge(own, values)),
        addons=Addons(tuple(plans), tuple(sorted(values))),
    )


def roll_back(session: Session, app: App, *, to: Release, by: User) -> Release:
    """A new release with the slug *and* the config vars of an old one; those of add-ons stay as they are now.

    A rollback neither brings an add-on back nor its old password: https://devcenter.heroku.com/articles/releases#rollback.
    Raises `Invalid` when there is nothing to return to.
    """
    if not eligible_for_rollback(to):
        raise Invalid(
            f"Cannot roll back to v{to.version}.",
            why="It failed." if to.status == "failed" else "It has no slug to run.",
            fix="Choose another release from `heroku releases`.",
        )
    before = current(session, app)
    now_set = variables(session, before)
    values = _without(variables(session, to), to.addon_vars) | {name: now_set[name] for name in before.addon_vars}
    return _add(
        session,
        app,
        by=by,
        description=f"Rollback to v{to.version}",
        slug=to.slug,
        sealed=_seal(session, values),
        after=before,
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
        after=newest,
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
    after: Release | None = None,
    addons: Addons | None = None,
    pending: bool = False,
) -> Release:
    """`addons` are those of the release `after` unless they are given."""
    if addons is None:
        addons = Addons(tuple(after.addon_plans), tuple(after.addon_vars)) if after else Addons()
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
        _make_current(session, app, release)
    return release


def _make_current(session: Session, app: App, release: Release) -> None:
    app.current_release_id = release.id
    app.current_release = release
    app.released_at = now()
    session.flush()
    touch(session, app.id)


def _without(values: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in names}


def _seal(session: Session, values: Mapping[str, str]) -> bytes:
    return config.vault(session).seal(values)
