"""Slugs: what a build made and a release runs."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import slugs
from homeport.api.exchange import Call, Reply
from homeport.api.shapes import Shape, named, stamp
from homeport.state import App, Slug


def shape(app: App, slug: Slug) -> Shape:
    """There is no `blob`: a slug is several layers here, none of which alone is what Heroku's tarball was."""
    return {
        "buildpack_provided_description": slug.buildpack,
        "checksum": None,
        "commit": slug.commit,
        "commit_description": None,
        "created_at": stamp(slug.created_at),
        "deleted_at": None,
        "id": slug.id,
        "process_types": slug.process_types,
        "size": slug.size,
        "stack": named("stack", app.stack),
        "updated_at": stamp(slug.updated_at),
    }


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(call.app, slugs.find_slug(session, call.app, call.params["slug"])))
