"""Config vars: `config`, `config:set`, `config:unset`, `config:edit`. Every change is a release."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import releases
from homeport.api.exchange import Call, Reply


def info(call: Call, session: Session) -> Reply:
    return Reply(releases.variables(session, releases.current(session, call.app)))


def of_release(call: Call, session: Session) -> Reply:
    return Reply(releases.variables(session, releases.find(session, call.app, call.params["release"])))


def update(call: Call, session: Session) -> Reply:
    before = releases.current(session, call.app)
    release = releases.set_config(session, call.app, call.body.values, by=call.actor.user)
    if release.id != before.id:
        call.say(release.description, f"Release v{release.version} created")
    return Reply(releases.variables(session, release))
