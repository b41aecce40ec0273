"""Apps: `create`, `apps`, `apps:info`, `rename`, `destroy`, `maintenance`, `stack:set`, `open`, `git:remote`."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from homeport import addons, apps, releases
from homeport.accounts import Action
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.resources.account import oneself
from homeport.api.shapes import GENERATION, Shape, fixed_id, moment, named, stamp, user_ref
from homeport.errors import Invalid
from homeport.state import App

KEYS: Keys[App] = {
    "name": lambda app: app.name,
    "id": lambda app: app.id,
    "created_at": lambda app: moment(app.created_at, app.id),
    "updated_at": lambda app: moment(app.updated_at, app.id),
}


def shape(call: Call, app: App) -> Shape:
    slug = app.current_release.slug if app.current_release else None
    urls = call.core.urls
    return {
        "acm": False,
        "archived_at": None,
        "build_stack": named("stack", app.stack),
        "buildpack_provided_description": app.build_description,
        "create_status": "complete",
        "created_at": stamp(app.created_at),
        "generation": GENERATION,
        "git_url": urls.git_url(app.name),
        "id": app.id,
        "internal_routing": None,
        "maintenance": app.maintenance,
        "name": app.name,
        "organization": None,
        "owner": user_ref(app.owner),
        "process_tier": "production",
        "region": named("region", app.region),
        "released_at": stamp(app.released_at),
        "repo_size": app.repo_size or 0,
        "slug_size": slug.size if slug else 0,
        "space": None,
        "stack": named("stack", app.stack),
        "team": None,
        "updated_at": stamp(app.updated_at),
        "web_url": urls.app_url(app.name),
    }


def create(call: Call, session: Session) -> Reply:
    owner = call.actor.user
    for unknown in ("team", "organization", "space"):
        if unknown in call.body:
            raise Invalid(f"There are no {unknown}s here.", fix=f"Leave {unknown} out: the app will be yours.")
    if (made := _made_before(call, session)) is not None:
        return created(shape(call, made))
    app = apps.create(
        session,
        id=_id_for_this_request(call),
        owner=owner,
        name=call.body.optional_text("name"),
        region=call.body.reference("region"),
        stack=_stack(call.body.reference("stack")),
    )
    release = releases.start(session, app, owner)
    call.known_app = app
    call.say(release.description, f"Release v{release.version} created")
    return created(shape(call, app))


def _made_before(call: Call, session: Session) -> App | None:
    """The app that this very request has made already: the CLI sends one again, under the same Request-Id, when its
    connection breaks before the answer is there."""
    known_id = _id_for_this_request(call)
    return session.get(App, known_id) if known_id is not None else None


def _id_for_this_request(call: Call) -> str | None:
    """An id that only the same request of the same person leads to; None for clients that don't number requests."""
    newest = call.headers.get("request-id", "").partition(",")[0].strip()
    try:
        return fixed_id("app", f"{call.actor.user.id}/{uuid.UUID(newest)}/{call.body.optional_text('name') or ''}")
    except ValueError:
        return None


def _stack(name: str | None) -> str | None:
    """heroku3 asks for "cedar" unless told otherwise, which has long meant the default."""
    return None if name == "cedar" else name


def index(call: Call, session: Session) -> Reply:
    return call.listing(apps.owned_by(session, call.actor.user), lambda app: shape(call, app), KEYS)


def of_user(call: Call, session: Session) -> Reply:
    return call.listing(apps.owned_by(session, oneself(call, session)), lambda app: shape(call, app), KEYS)


def matching(call: Call, session: Session) -> Reply:
    """`POST /filters/apps`: those of one's apps whose id or name is in a list."""
    wanted = call.body.nested("in")
    ids, names = wanted.texts("id"), wanted.texts("name")
    chosen = [
        app
        for app in apps.owned_by(session, call.actor.user)
        if (ids is None or app.id in ids) and (names is None or app.name in names)
    ]
    return call.listing(chosen, lambda app: {**shape(call, app), "joined": True, "locked": False}, KEYS)


def info(call: Call, _session: Session) -> Reply:
    return Reply(shape(call, call.app))


def update(call: Call, session: Session) -> Reply:
    app, body = call.app, call.body
    if (name := body.optional_text("name")) is not None and name != app.name:
        call.require(Action.MANAGE)
        old = app.name
        apps.rename(session, app, name)
        call.reroutes = True
        call.say(f"Rename {old} to {name}")
    if (stack := body.reference("build_stack") or body.reference("stack")) is not None:
        apps.set_stack(session, app, stack)
        call.say(f"Set stack to {stack}")
    if "maintenance" in body:
        on = body.flag("maintenance")
        apps.set_maintenance(session, app, on)
        call.reroutes = True
        call.say(f"{'Enable' if on else 'Disable'} maintenance mode")
    session.flush()
    return Reply(shape(call, app))


def destroy(call: Call, session: Session) -> Reply:
    """Its add-ons go with it, as on Heroku, but none that another app uses. Raises `Invalid` (`addon_in_use`)."""
    app = call.app
    addons.require_unshared(session, app)
    last = shape(call, app)
    apps.destroy(session, app)
    call.after.append(lambda: call.core.logs.forget(app.id))
    return Reply(last)
