"""Dynos: `ps`, `ps:restart`, `ps:stop`, `run`, `run:detached`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import dynos
from homeport.api.exchange import Call, Reply, accepted, created
from homeport.api.ranges import Keys
from homeport.api.shapes import Shape, app_ref, stamp
from homeport.state import App, Dyno

KEYS: Keys[Dyno] = {"name": lambda dyno: dyno.name, "id": lambda dyno: dyno.id}


def shape(app: App, dyno: Dyno, attach_url: str | None = None) -> Shape:
    return {
        "app": app_ref(app),
        "attach_url": attach_url,
        "command": dyno.command,
        "created_at": stamp(dyno.created_at),
        "id": dyno.id,
        "name": dyno.name,
        "release": {"id": dyno.release_id, "version": dyno.release.version},
        "size": dyno.size,
        "state": dyno.state,
        "type": dyno.type,
        "updated_at": stamp(dyno.updated_at),
    }


def index(call: Call, session: Session) -> Reply:
    return call.listing(dynos.running(session, call.app), lambda dyno: shape(call.app, dyno), KEYS)


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(call.app, dynos.find_dyno(session, call.app, call.params["dyno"])))


async def create(call: Call) -> Reply:
    body = call.body
    command = body.text("command")
    dyno, secret = await call.core.fleet.run_dyno(
        call.app.id,
        by=call.actor.user.email,
        command=command,
        size=body.reference("size"),
        type=body.optional_text("type"),
        env=body.mapping("env"),
        attach=body.flag("attach"),
        force_no_tty=body.flag("force_no_tty"),
    )
    attach_url = call.core.urls.attach_url(secret) if secret else None
    return created(shape(call.app, dyno, attach_url))


async def restart(call: Call) -> Reply:
    await call.core.fleet.restart(call.app.id, dyno=call.params.get("dyno"), type=call.params.get("type"))
    call.say(f"Restart {_what(call)}")
    return accepted()


async def stop(call: Call) -> Reply:
    await call.core.fleet.stop(call.app.id, dyno=call.params.get("dyno"), type=call.params.get("type"))
    call.say(f"Stop {_what(call)}")
    return accepted()


def _what(call: Call) -> str:
    return call.params.get("dyno") or call.params.get("type") or "all dynos"
