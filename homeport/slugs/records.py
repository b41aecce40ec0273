"""Slugs as records: what a build made and what it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from homeport.errors import NotFound
from homeport.state import App, Release, Slug


def record(
    session: Session,
    app: App,
    *,
    code: str,
    layers: Sequence[str],
    profile: Mapping[str, str],
    process_types: Mapping[str, str],
    commit: str | None,
    buildpack: str,
    size: int,
    cron: Sequence[Mapping[str, str]] = (),
) -> Slug:
    """A new slug of this app; `code` and `layers` are keys of kept layers, `size` is in bytes, `cron` are the jobs of
    its app.json."""
    slug = Slug(
        app_id=app.id,
        code=code,
        layers=list(layers),
        profile=dict(profile),
        process_types=dict(process_types),
        cron=[dict(job) for job in cron],
        commit=commit,
        buildpack=buildpack,
        size=size,
    )
    session.add(slug)
    session.flush()
    return slug


def find_slug(session: Session, app: App, slug_id: str) -> Slug:
    """One that was built for this app or released on it. Raises `NotFound`."""
    released = select(Release.slug_id).where(Release.app_id == app.id)
    found = select(Slug).where(Slug.id == slug_id, or_(Slug.app_id == app.id, Slug.id.in_(released)))
    slug = session.scalar(found)
    if slug is None:
        raise NotFound("slug", "Couldn't find that slug.")
    return slug


def known_slug(session: Session, slug_id: str) -> Slug | None:
    """Whichever app's it is."""
    return session.get(Slug, slug_id)


def layers_in_use(session: Session) -> set[str]:
    """The keys of all layers that some slug stands on."""
    keys: set[str] = set()
    for slug in session.scalars(select(Slug)):
        keys.add(slug.code)
        keys.update(slug.layers)
    return keys
