"""Which buildpacks an app was told to use: https://devcenter.heroku.com/articles/buildpacks."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from homeport.errors import Invalid
from homeport.state import App, BuildpackInstallation


def buildpacks(session: Session, app: App) -> list[str]:
    """URLs or names in order; empty when the build detects for itself."""
    rows = select(BuildpackInstallation).where(BuildpackInstallation.app_id == app.id)
    return [row.url for row in session.scalars(rows.order_by(BuildpackInstallation.ordinal))]


def set_buildpacks(session: Session, app: App, urls: Sequence[str]) -> list[str]:
    """Takes effect with the next build. Raises `Invalid` for something that cannot be a buildpack."""
    for url in urls:
        if not url.strip() or len(url) > 1000 or any(ord(c) < 33 for c in url):
            raise Invalid(f"{url[:80]!r} is not a buildpack.", fix="Use a name like heroku/python or a git URL.")
    if len(set(urls)) != len(urls):
        raise Invalid("The same buildpack is there twice.", fix="Name each buildpack once.")
    session.execute(delete(BuildpackInstallation).where(BuildpackInstallation.app_id == app.id))
    for ordinal, url in enumerate(urls):
        session.add(BuildpackInstallation(app_id=app.id, ordinal=ordinal, url=url))
    session.flush()
    return list(urls)
