"""Releases: `releases`, `releases:info`, `rollback`, and promotion of a slug."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import releases, slugs
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.shapes import Shape, app_ref, stamp, user_ref
from homeport.errors import Invalid
from homeport.state import App, Release

KEYS: Keys[Release] = {"version": lambda release: release.version, "id": lambda release: release.id}


def shape(app: App, release: Release) -> Shape:
    slug = {"id": release.slug_id} if release.slug_id else None
    return {
        "addon_plan_names": release.addon_plans,
        "app": app_ref(app),
        "artifacts": [{"id": release.slug_id, "type": "slug"}] if slug else [],
        "created_at": stamp(release.created_at),
        "current": release.id == app.current_release_id,
        "description": release.description,
        "eligible_for_rollback": releases.eligible_for_rollback(release),
        "id": release.id,
        "output_stream_url": None,
        "slug": slug,
        "status": release.status,
        "updated_at": stamp(release.updated_at),
        "user": user_ref(release.user),
        "version": release.version,
    }


def index(call: Call, session: Session) -> Reply:
    app = call.app
    # The CLI asks for the newest after every change of a config var; a long history shall not make that slow.
    rows = releases.history(session, app, newest=call.range.last_of("version"))
    return call.listing(rows, lambda release: shape(app, release), KEYS)


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(call.app, releases.find(session, call.app, call.params["release"])))


def create(call: Call, session: Session) -> Reply:
    """`{release}` rolls back to it, `{slug, description?}` releases a slug of this app once more."""
    app, body, by = call.app, call.body, call.actor.user
    if (old := body.reference("release")) is not None:
        release = releases.roll_back(session, app, to=releases.find(session, app, old), by=by)
    elif (slug := body.reference("slug")) is not None:
        found = slugs.find_slug(session, app, slug)
        description = body.optional_text("description") or f"Deploy {(found.commit or found.id)[:8]}"
        release = releases.create(session, app, by=by, description=description[:250], slug=found)
    elif "oci_image" in body:
        raise Invalid("Container images can't be released here.", fix="Deploy with `git push heroku main`.")
    else:
        raise Invalid("release or slug is required.", fix="Name the release to return to, or the slug to release.")
    call.say(release.description, f"Release v{release.version} created")
    return created(shape(app, release))
