"""Config vars: `config`, `config:set`, `config:unset`, `config:edit`. Every change is a release."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import releases
from homeport.api.exchange import Call, Reply
from homeport.api.resources.releases import say_release


def info(call: Call, session: Session) -> Reply:
    return Reply(releases.variables(session, releases.current(session, call.app)))


def of_release(call: Call, session: Session) -> Reply:
    return Reply(releases.variables(session, releases.find(session, call.app, call.params["release"])))


def update(call: Call, session: Session) -> Reply:
    """All config vars after the change; if that has to wait for a release command, as they will be."""
    before, by = releases.current(session, call.app), call.actor.user
    release = releases.set_config(session, call.app, call.body.values, by=by, attached=call.attached)
    if release.id != before.id:
        say_release(call, call.app, release)
    return Reply(releases.variables(session, release))
