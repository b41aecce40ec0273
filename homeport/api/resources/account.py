"""The person behind the token: `auth:whoami`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport import accounts
from homeport.api.exchange import Call, Reply
from homeport.api.shapes import Shape, stamp
from homeport.errors import NotFound
from homeport.state import User


def shape(user: User) -> Shape:
    return {
        "allow_tracking": False,
        "beta": False,
        "country_of_residence": None,
        "created_at": stamp(user.created_at),
        "default_organization": None,
        "default_team": None,
        "delinquent_at": None,
        "email": user.email,
        "federated": False,
        "id": user.id,
        "identity_provider": None,
        "last_login": None,
        "name": user.name,
        "sms_number": None,
        "suspended_at": None,
        "two_factor_authentication": False,
        "updated_at": stamp(user.updated_at),
        "verified": True,
    }


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(oneself(call, session)))


def update(call: Call, session: Session) -> Reply:
    user = oneself(call, session)
    if "name" in call.body.values:
        user.name = call.body.optional_text("name")
        session.flush()
    return Reply(shape(user))


def oneself(call: Call, session: Session) -> User:
    """Oneself, by `~`, e-mail or id: of others nothing is told."""
    me = call.actor.user
    name = call.params.get("user", "~")
    if name != "~" and accounts.find_user(session, name).id != me.id:
        raise NotFound("user")
    return me


def rate_limit(_call: Call, _session: Session) -> Reply:
    """Nothing is limited here; the number is what Heroku starts an hour with."""
    return Reply({"remaining": 4500})


def delinquency(_call: Call, _session: Session) -> Reply:
    return Reply({"scheduled_suspension_time": None, "scheduled_deletion_time": None})
