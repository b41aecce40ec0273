"""Reading the history: https://devcenter.heroku.com/articles/releases."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import config
from homeport.errors import NotFound
from homeport.state import App, Release


def current(session: Session, app: App) -> Release:
    """The release whose slug and config vars are in force. Every app has one."""
    release = session.get(Release, app.current_release_id) if app.current_release_id else None
    if release is None:
        raise NotFound("release", "This app has no release yet.")
    return release


def find(session: Session, app: App, ref: str) -> Release:
    """By "12", "v12" or id. Raises `NotFound`."""
    number = ref[1:] if ref[:1] in ("v", "V") else ref
    wanted = Release.id == ref
    if number.isascii() and number.isdigit() and len(number) < 10:
        wanted = Release.version == int(number)
    release = session.scalar(select(Release).where(Release.app_id == app.id, wanted))
    if release is None:
        raise NotFound("release", "Couldn't find that release.")
    return release


def history(session: Session, app: App, *, newest: int | None = None) -> list[Release]:
    """Newest first; all of them, or so many of the `newest`."""
    rows = select(Release).where(Release.app_id == app.id).order_by(Release.version.desc()).limit(newest)
    return list(session.scalars(rows))


def variables(session: Session, release: Release) -> dict[str, str]:
    """The config vars of this release, in clear."""
    return config.vault(session).open(release.config)


def eligible_for_rollback(release: Release) -> bool:
    """Whether `heroku rollback` may return to it: it succeeded and has a slug to run."""
    return release.status == "succeeded" and release.slug_id is not None
