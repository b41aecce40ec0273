"""Releases: `releases`, `releases:info`, `rollback`, and promotion of a slug."""

from __future__ import annotations

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import Response

from homeport import accounts, releases, slugs
from homeport.accounts import Action
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.resources.builds import streamed
from homeport.api.shapes import Shape, app_ref, stamp, user_ref
from homeport.errors import Invalid, NotFound
from homeport.state import App, Release, Slug

KEYS: Keys[Release] = {"version": lambda release: release.version, "id": lambda release: release.id}

_OUTPUT = "release output"


def shape(call: Call, app: App, release: Release) -> Shape:
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
        "output_stream_url": _output_url(call, release),
        "slug": slug,
        "status": release.status,
        "updated_at": stamp(release.updated_at),
        "user": user_ref(release.user),
        "version": release.version,
    }


def _output_url(call: Call, release: Release) -> str | None:
    """Where to read what its release command says, if it has one."""
    outputs = call.core.release_outputs
    if outputs is None or not outputs.has(release.id):
        return None
    return call.core.urls.stream(f"/releases/{release.id}/output/{call.core.capabilities.sign(_OUTPUT, release.id)}")


def index(call: Call, session: Session) -> Reply:
    app = call.app
    # The CLI asks for the newest after every change of a config var; a long history shall not make that slow.
    rows = releases.history(session, app, newest=call.range.last_of("version"))
    return call.listing(rows, lambda release: shape(call, app, release), KEYS)


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(call, call.app, releases.find(session, call.app, call.params["release"])))


def create(call: Call, session: Session) -> Reply:
    """`{release}` rolls back to it, `{slug, description?}` releases a slug of this app once more."""
    app, body, by = call.app, call.body, call.actor.user
    if (old := body.reference("release")) is not None:
        release = releases.roll_back(session, app, to=releases.find(session, app, old), by=by)
    elif (slug := body.reference("slug")) is not None:
        found = _slug(call, session, slug)
        description = body.optional_text("description") or f"Deploy {(found.commit or found.id)[:8]}"
        release = releases.create(session, app, by=by, description=description[:250], slug=found)
    elif "oci_image" in body:
        raise Invalid("Container images can't be released here.", fix="Deploy with `git push heroku main`.")
    else:
        raise Invalid("release or slug is required.", fix="Name the release to return to, or the slug to release.")
    call.say(release.description, f"Release v{release.version} created")
    return created(shape(call, app, release))


def _slug(call: Call, session: Session, slug_id: str) -> Slug:
    """One of this app, or of another whose code this person may have.

    https://devcenter.heroku.com/articles/platform-api-copying-slugs
    """
    found = slugs.known_slug(session, slug_id)
    if found is None or not accounts.may(call.actor, Action.REVEAL, session.get_one(App, found.app_id)):
        return slugs.find_slug(session, call.app, slug_id)
    return found


async def output(call: Call, _request: Request) -> Response:
    """What a release command has said and goes on to say. The URL is its own key: the CLI sends no token there."""
    release, key, outputs = call.params["release"], call.params["key"], call.core.release_outputs
    if outputs is None or not call.core.capabilities.allows(key, _OUTPUT, release):
        raise NotFound("release")
    return await streamed(outputs.follow(release))
