"""Releases: `releases`, `releases:info`, `rollback`, and promotion of a slug."""

from __future__ import annotations

import asyncio

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

PATIENCE = 20.0
"""Seconds to wait for a release command to begin before saying that it has not: less than any client waits."""

_LOOK = 0.25
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


def say_release(call: Call, app: App, release: Release) -> None:
    """What has changed, for the app's log; and for its user, if it has to wait for a release command."""
    by = f"by user {call.actor.user.email}"
    lines = [f"{release.description} {by}"]
    if release.status == "pending":
        call.warn(
            "Release command executing: this config change will not be available until the command succeeds."
            " Use `heroku releases:output` to view the log."
        )
    else:
        lines.append(f"Release v{release.version} created {by}")
    call.after.append(lambda: call.core.logs.write(app.id, "app", "api", lines))


def _output_url(call: Call, release: Release) -> str | None:
    """Where to read what its release command says or is going to say, if it has one."""
    outputs = call.core.release_outputs
    if outputs is None or not (outputs.has(release.id) or _will_speak(release)):
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
        release = releases.roll_back(session, app, to=releases.find(session, app, old), by=by, attached=call.attached)
    elif (slug := body.reference("slug")) is not None:
        found = _slug(call, session, slug)
        description = body.optional_text("description") or f"Deploy {(found.commit or found.id)[:8]}"
        release = releases.release_slug(
            session, app, found, by=by, description=description[:250], attached=call.attached
        )
    elif "oci_image" in body:
        raise Invalid("Container images can't be released here.", fix="Deploy with `git push heroku main`.")
    else:
        raise Invalid("release or slug is required.", fix="Name the release to return to, or the slug to release.")
    call.say(release.description, *_created(release))
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
    await _until_begun(call, release)
    return await streamed(outputs.follow(release))


async def _until_begun(call: Call, release_id: str) -> None:
    """Whoever rolls back asks at once, and only once: so give its turn a moment to come."""
    outputs, tries = call.core.release_outputs, int(PATIENCE / _LOOK)
    for _ in range(tries):
        release = await call.core.database.run(lambda session: session.get(Release, release_id))
        if outputs is None or outputs.has(release_id) or release is None or not _will_speak(release):
            return
        await asyncio.sleep(_LOOK)


def _will_speak(release: Release) -> bool:
    return release.status == "pending" and releases.has_command(release.slug)


def _created(release: Release) -> list[str]:
    """One that waits for its command is not there yet."""
    return [] if release.status == "pending" else [f"Release v{release.version} created"]
