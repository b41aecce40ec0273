"""Who has access to an app: `access`. For now that is its owner."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport.api.exchange import Call, Reply
from homeport.api.shapes import Shape, app_ref, fixed_id, stamp, user_ref
from homeport.errors import Invalid, NotFound
from homeport.state import App

_PERMISSIONS = (
    ("deploy", "Deploy code, change config vars and run commands"),
    ("manage", "Rename, share and destroy the app"),
    ("operate", "Scale, restart and put into maintenance mode"),
    ("view", "See the app, without its secrets"),
)


def _owner(app: App) -> Shape:
    return {
        "app": app_ref(app),
        "created_at": stamp(app.created_at),
        "id": fixed_id("collaborator", f"{app.id}/{app.owner_id}"),
        "permissions": [{"name": name, "description": text} for name, text in _PERMISSIONS],
        "role": "owner",
        "updated_at": stamp(app.created_at),
        "user": {**user_ref(app.owner), "federated": False},
    }


def index(call: Call, _session: Session) -> Reply:
    return Reply([_owner(call.app)])


def info(call: Call, _session: Session) -> Reply:
    _require_owner(call)
    return Reply(_owner(call.app))


def create(call: Call, _session: Session) -> Reply:
    call.body.reference("user")
    raise Invalid(
        "Apps can't be shared yet.",
        id="not_here_yet",
        why="Homeport knows one person so far: its operator.",
    )


def destroy(call: Call, _session: Session) -> Reply:
    _require_owner(call)
    raise Invalid("The owner of an app can't be removed from it.", fix="Destroy the app: `heroku apps:destroy`.")


def _require_owner(call: Call) -> None:
    owner = _owner(call.app)
    if call.params["user"].lower() not in (owner["user"]["email"], owner["user"]["id"], owner["id"]):
        raise NotFound("collaborator", "Couldn't find that collaborator.")
