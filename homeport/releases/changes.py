"""Making releases. What an app without a release command changes is current at once; else it waits for the command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from homeport import config
from homeport.errors import Invalid
from homeport.releases import making, waiting
from homeport.releases.making import Addons, Attach, Attached, Content
from homeport.releases.versions import current, eligible_for_rollback, variables
from homeport.releases.waiting import Change, Kind
from homeport.state import App, Release, Slug, User


def start(session: Session, app: App, by: User) -> Release:
    """An app's first release: no slug, no config vars."""
    sealed = making.seal(session, {})
    return making.add(session, app, by=by, description="Initial release", slug=None, sealed=sealed, addons=Addons())


def create(
    session: Session, app: App, *, by: User, description: str, slug: Slug | None, pending: bool = False
) -> Release:
    """A release of this slug with the current config vars; current at once unless it is `pending`.

    Whoever makes it pending has its command run; see `release_slug` for one that is carried out by itself.
    """
    before = current(session, app)
    return making.add(
        session,
        app,
        by=by,
        description=description,
        slug=slug,
        sealed=making.seal(session, variables(session, before)),
        addons=Addons.of(before),
        pending=pending,
    )


def release_slug(
    session: Session, app: App, slug: Slug, *, by: User, description: str, attached: Attach | None = None
) -> Release:
    """A release of this slug with the current config vars, `pending` if it has to wait.

    What the official CLI calls a retry tries what the failed release has tried. Raises `Invalid`.
    """
    if not waiting.must_wait(session, app, current(session, app).slug, slug):
        return create(session, app, by=by, description=description, slug=slug)
    change = waiting.tried_again(session, app, slug, description)
    return waiting.order(session, app, change, by=by, description=description, attached=attached)


def set_config(
    session: Session, app: App, changes: Mapping[str, object], *, by: User, attached: Attach | None = None
) -> Release:
    """A release of the current slug with config vars changed (None removes), `pending` if it has to wait; the one
    that has them already if nothing changes.

    Raises `Invalid` for names and values that cannot be config vars, and for names that belong to add-ons.
    """
    before = current(session, app)
    if waiting.must_wait(session, app, before.slug):
        return waiting.order_config(session, app, changes, by=by, attached=attached)
    waiting.require_own(changes, before.addon_vars)
    old = variables(session, before)
    new = config.merge(old, changes)
    if new == old:
        return before
    effective = {name: value for name, value in changes.items() if old.get(name) != new.get(name)}
    return making.add(
        session,
        app,
        by=by,
        description=config.describe(old, effective),
        slug=before.slug,
        sealed=making.seal(session, new),
        addons=Addons.of(before),
    )


def set_addon_vars(
    session: Session,
    app: App,
    values: Mapping[str, str],
    *,
    plans: Sequence[str],
    by: User,
    description: str,
    at_once: bool = False,
) -> Release:
    """A release of the current slug in which the add-ons' config vars are exactly `values`; `plans` are the add-ons
    that the app has now.

    It is `pending` if it changes any and has to wait: `at_once` never, because what the values of before lead to is no
    more. Raises `Invalid` for what cannot be config vars.
    """
    attached, before = Attached(values, tuple(plans)), current(session, app)
    there = Content.of(session, before)
    differs = there.attached.values != values or waiting.newest(session, app).id != before.id
    if differs and not at_once and waiting.must_wait(session, app, before.slug):
        change = Change(Kind.ADDONS)
        return waiting.order(session, app, change, by=by, description=description, attached=lambda *_: attached)
    holding = Content(before.slug, there.own, attached)
    return making.add_content(session, app, holding, by=by, description=description)


def roll_back(session: Session, app: App, *, to: Release, by: User, attached: Attach | None = None) -> Release:
    """A new release with the slug *and* the config vars of an old one; those of add-ons stay as they are now.

    A rollback neither brings an add-on back nor its old password: https://devcenter.heroku.com/articles/releases#rollback.
    It is `pending` if it has to wait. Raises `Invalid` when there is nothing to return to.
    """
    if not eligible_for_rollback(to):
        raise Invalid(
            f"Cannot roll back to v{to.version}.",
            why="It failed." if to.status == "failed" else "It has no slug to run.",
            fix="Choose another release from `heroku releases`.",
        )
    before, description = current(session, app), f"Rollback to v{to.version}"
    source = Content.of(session, to)
    if waiting.must_wait(session, app, before.slug, to.slug):
        change = Change(Kind.ROLLBACK, slug=to.slug, source=source, source_id=to.id)
        return waiting.order(session, app, change, by=by, description=description, attached=attached)
    now_set = variables(session, before)
    values = {**source.own, **{name: now_set[name] for name in before.addon_vars}}
    return making.add(
        session,
        app,
        by=by,
        description=description,
        slug=to.slug,
        sealed=making.seal(session, values),
        addons=Addons.of(before),
    )


def succeed(session: Session, release: Release, *, attached: Attach | None = None) -> Release:
    """A pending release becomes the current one; returns the release that is current now.

    That is another one when one with a higher number became current while it was pending: numbers grow, and a release
    is immutable, so what it changes gets a further release on top of that.
    """
    row = making.leave_pending(session, release, "succeeded")
    app = session.get_one(App, row.app_id)
    newest = current(session, app)
    further = waiting.followed_by(session, row, attached) if newest.version > row.version else None
    waiting.settle(session, row)
    making.make_current(session, app, row)
    if further is None:
        return row
    return making.add_content(session, app, further, by=row.user, description=row.description)


def fail(session: Session, release: Release) -> Release:
    """A pending release will never be current."""
    row = making.leave_pending(session, release, "failed")
    waiting.settle(session, row)
    return row


def supersede(session: Session, release: Release) -> Release:
    """A pending release whose change another one has brought: it has succeeded, but is never current."""
    row = making.leave_pending(session, release, "succeeded")
    waiting.settle(session, row)
    return row
