"""Changes of an app whose releases have a command to run first: written down now, applied when their turn comes.

https://devcenter.heroku.com/articles/release-phase#when-does-the-release-command-run. A release that waits shows what
it would be if all before it succeed. When its turn has come it is made anew on top of what is current then: so it has
what the ones before it have changed, and nothing of those that failed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import config
from homeport.errors import Invalid
from homeport.releases import making
from homeport.releases.making import Attach, Attached, Content
from homeport.releases.versions import current
from homeport.state import App, Release, ReleaseChange, Slug, User, touch

MOST_ATTEMPTS = 3
"""A release command during which the platform dies is run again, but not one that kills it."""

COMMAND = "release"
"""The process type."""

_RETRY = re.compile(r"Retry of v(\d{1,9}): ")
"""What the official CLI calls a release that `releases:retry` makes."""


class Kind(Enum):
    """What there is to change."""

    CONFIG = "config"
    """Config vars that people set."""
    ADDONS = "addons"
    """What add-ons set: whatever is attached when the turn comes."""
    ROLLBACK = "rollback"
    """Slug and config vars, to those of an older release."""
    SLUG = "slug"
    """The slug, to that of the waiting release itself; a deploy is of this kind too."""


@dataclass(frozen=True)
class Change:
    """`config` are config vars to be set, or removed by None; `slug` and `source` what to run instead."""

    kind: Kind
    config: Mapping[str, object] = field(default_factory=dict, repr=False)
    slug: Slug | None = None
    source: Content | None = None
    source_id: str | None = None


def has_command(slug: Slug | None) -> bool:
    """Whether a release of this slug has a command to run before it becomes current."""
    return slug is not None and COMMAND in slug.process_types


def applied(before: Content, change: Change, attached: Attached) -> Content:
    """What is left by `before`, this change, and what is attached now. Pure.

    Raises `Invalid` for config vars that cannot be, and those that add-ons set.
    """
    match change.kind:
        case Kind.CONFIG:
            require_own(change.config, attached.values)
            return Content(before.slug, config.merge(before.own, change.config), attached)
        case Kind.ROLLBACK if change.source is not None:
            return Content(change.source.slug, change.source.own, attached)
        case Kind.SLUG:
            return Content(change.slug, before.own, attached)
        case _:
            return Content(before.slug, before.own, attached)


def require_own(changes: Mapping[str, object], attached: Mapping[str, str] | Sequence[str]) -> None:
    """Raises `Invalid` when a change of config vars names those of add-ons."""
    if taken := sorted(set(changes).intersection(attached)):
        raise Invalid(
            f"Cannot overwrite attachment values {', '.join(taken)}.",
            why="Add-ons set them, and change them when a password or an address changes.",
            fix="To use another one, detach the add-on first: `heroku addons`, then `heroku addons:detach NAME`.",
        )


def must_wait(session: Session, app: App, *slugs: Slug | None) -> bool:
    """Whether a change between these slugs has to wait: for a command, or for another change that waits."""
    if any(has_command(slug) for slug in slugs):
        return True
    known = select(ReleaseChange.release_id).where(ReleaseChange.app_id == app.id).limit(1)
    return session.scalar(known) is not None and bool(waiting(session, app))


def waiting(session: Session, app: App) -> list[Release]:
    """The app's changes that wait, or are being carried out just now, oldest first."""
    mine = select(Release).join(ReleaseChange, ReleaseChange.release_id == Release.id)
    mine = mine.where(ReleaseChange.app_id == app.id, Release.status == "pending")
    return list(session.scalars(mine.order_by(Release.version)))


def apps_that_wait(session: Session) -> list[str]:
    """The ids of apps with changes that wait."""
    ids = select(ReleaseChange.app_id).join(Release, ReleaseChange.release_id == Release.id)
    return list(session.scalars(ids.where(Release.status == "pending").distinct()))


def newest(session: Session, app: App) -> Release:
    """What the app runs once all that waits has succeeded: the last that waits, or else the current release."""
    there = waiting(session, app)
    return there[-1] if there else current(session, app)


def order(
    session: Session, app: App, change: Change, *, by: User, description: str, attached: Attach | None
) -> Release:
    """Write a change down; its release is `pending`. Raises `Invalid`."""
    before = Content.of(session, newest(session, app))
    there = attached(session, app) if attached is not None else before.attached
    release = making.add_content(
        session, app, applied(before, change, there), by=by, description=description, pending=True
    )
    _remember(session, release, change)
    return release


def order_config(
    session: Session, app: App, changes: Mapping[str, object], *, by: User, attached: Attach | None
) -> Release:
    """Write a change of config vars down; the release that has them already, if there is one. Raises `Invalid`."""
    last = newest(session, app)
    before = Content.of(session, last)
    there = attached(session, app) if attached is not None else before.attached
    after = applied(before, Change(Kind.CONFIG, changes), there)
    if after.own == before.own:
        return last
    effective = {name: value for name, value in changes.items() if before.own.get(name) != after.own.get(name)}
    description = config.describe(before.own, effective)
    release = making.add_content(session, app, after, by=by, description=description, pending=True)
    # All that was asked for, though the release before this one may bring some of it: it may fail.
    _remember(session, release, Change(Kind.CONFIG, changes))
    return release


def tried_again(session: Session, app: App, slug: Slug, description: str) -> Change:
    """What a release of this slug changes: what the failed one has tried, if this is to try it again."""
    found = _RETRY.match(description)
    if found is not None:
        mine = select(Release).where(Release.app_id == app.id, Release.version == int(found[1]))
        failed = session.scalar(mine.where(Release.status == "failed", Release.slug_id == slug.id))
        remembered = session.get(ReleaseChange, failed.id) if failed is not None else None
        if failed is not None and remembered is not None:
            return _change(session, failed, remembered)
    return Change(Kind.SLUG, slug=slug)


@dataclass(frozen=True)
class Turn:
    """The release whose command is to run. `beside` are those before it that it makes superfluous."""

    release: Release
    beside: tuple[Release, ...] = ()

    @property
    def all(self) -> tuple[Release, ...]:
        return (*self.beside, self.release)


def next_turn(session: Session, app: App) -> Turn | None:
    """The oldest change that waits. Add-ons' that wait one behind another are one: the last has them all."""
    there = waiting(session, app)
    kinds = [session.get_one(ReleaseChange, release.id).kind for release in there]
    together = next((n for n, kind in enumerate(kinds) if kind != Kind.ADDONS.value), len(kinds))
    group = there[: max(together, 1)]
    return Turn(group[-1], tuple(group[:-1])) if group else None


def begin(session: Session, release: Release) -> bool:
    """Count an attempt to run its command; False if it has killed the platform too often."""
    change = session.get_one(ReleaseChange, release.id)
    change.attempts += 1
    return change.attempts <= MOST_ATTEMPTS


def renew(session: Session, release: Release, attached: Attach | None) -> Release:
    """Make a pending release anew on top of what is current now, with what is attached now. Raises `Invalid`."""
    row = session.get_one(Release, release.id)
    making.hold(session, row, _renewed(session, row, attached))
    return row


def followed_by(session: Session, row: Release, attached: Attach | None) -> Content:
    """What is to be current when a release has succeeded, but another one has become current meanwhile."""
    return _renewed(session, row, attached)


def settle(session: Session, release: Release) -> None:
    """It is over, well or badly. Of those that failed only the last is remembered."""
    mine = session.scalars(select(ReleaseChange).where(ReleaseChange.app_id == release.app_id))
    for change in mine.all():
        failed = change.release.status == "failed"
        if change.release.status == "succeeded" or (failed and change.release_id != release.id):
            session.delete(change)
    session.flush()


def is_remembered(session: Session, release: Release) -> bool:
    """Whether a pending release is a change that goes on when the platform was killed."""
    return session.get(ReleaseChange, release.id) is not None


def _renewed(session: Session, row: Release, attached: Attach | None) -> Content:
    app = session.get_one(App, row.app_id)
    before = Content.of(session, current(session, app))
    there = attached(session, app) if attached is not None else before.attached
    remembered = session.get(ReleaseChange, row.id)
    change = _change(session, row, remembered) if remembered is not None else Change(Kind.SLUG, slug=row.slug)
    return applied(before, change, there)


def _remember(session: Session, release: Release, change: Change) -> None:
    values = config.merge({}, change.config)
    session.add(
        ReleaseChange(
            release_id=release.id,
            app_id=release.app_id,
            kind=change.kind.value,
            config=making.seal(session, values) if values else None,
            removed=sorted(set(change.config) - set(values)),
            source_id=change.source_id,
        )
    )
    session.flush()
    touch(session, release.app_id)


def _change(session: Session, release: Release, remembered: ReleaseChange) -> Change:
    changes: dict[str, object] = dict.fromkeys(remembered.removed)
    if remembered.config is not None:
        changes |= config.vault(session).open(remembered.config)
    source = session.get(Release, remembered.source_id) if remembered.source_id else None
    return Change(
        Kind(remembered.kind),
        changes,
        release.slug,
        Content.of(session, source) if source is not None else None,
        remembered.source_id,
    )
