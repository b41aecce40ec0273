"""Slugs as records: what a build made and what it stands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.errors import NotFound
from homeport.state import App, Slug


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
) -> Slug:
    """A new slug of this app; `code` and `layers` are keys of kept layers, `size` is in bytes."""
    slug = Slug(
        app_id=app.id,
        code=code,
        layers=list(layers),
        profile=dict(profile),
        process_types=dict(process_types),
        commit=commit,
        buildpack=buildpack,
        size=size,
    )
    session.add(slug)
    session.flush()
    return slug


def find_slug(session: Session, app: App, slug_id: str) -> Slug:
    """Raises `NotFound`."""
    slug = session.scalar(select(Slug).where(Slug.app_id == app.id, Slug.id == slug_id))
    if slug is None:
        raise NotFound("slug", "Couldn't find that slug.")
    return slug


def layers_in_use(session: Session) -> set[str]:
    """The keys of all layers that some slug stands on."""
    keys: set[str] = set()
    for slug in session.scalars(select(Slug)):
        keys.add(slug.code)
        keys.update(slug.layers)
    return keys
