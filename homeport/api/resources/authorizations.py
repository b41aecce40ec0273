"""API tokens: `login -i`, `auth:token`, `auth:logout`, `authorizations*`.

A token's secret is shown once, when it is made; afterwards only its hash is known. Of the token that a request itself
came with the secret is at hand, and is shown with its middle left out: that is how `auth:logout` finds its own.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from homeport import accounts
from homeport.api.exchange import Call, Reply, created
from homeport.api.ranges import Keys
from homeport.api.shapes import Shape, moment, stamp, user_ref
from homeport.errors import Invalid, NotFound
from homeport.state import Token, now

KEYS: Keys[Token] = {"created_at": lambda token: moment(token.created_at, token.id), "id": lambda token: token.id}

_HUNDRED_YEARS = 100 * 365 * 24 * 3600
_STARS = "*" * 10  # exactly as many, or the CLI doesn't take it for a shortened secret


def shape(call: Call, token: Token, secret: str | None = None) -> Shape:
    access_token: Shape = {"id": token.id, "expires_in": _remaining(token.expires_at)}
    if secret is not None:
        access_token["token"] = secret
    elif token.id == call.actor.token.id:
        access_token["token"] = call.secret[:9] + _STARS + call.secret[-4:]
    return {
        "access_token": access_token,
        "client": None,
        "created_at": stamp(token.created_at),
        "description": token.description,
        "grant": None,
        "id": token.id,
        "refresh_token": None,
        "scope": token.scope,
        "session": None,
        "updated_at": stamp(token.updated_at),
        "user": {**user_ref(token.user), "full_name": token.user.name},
    }


def _remaining(expires_at: datetime | None) -> int | None:
    return max(int((expires_at - now()).total_seconds()), 0) if expires_at is not None else None


def index(call: Call, session: Session) -> Reply:
    valid = [token for token in accounts.tokens(session, call.actor.user) if _remaining(token.expires_at) != 0]
    return call.listing(valid, lambda token: shape(call, token), KEYS)


def create(call: Call, session: Session) -> Reply:
    """`login -i` comes here with Basic EMAIL:PASSWORD, where the password is an API token."""
    scope = call.body.texts("scope") or ["global"]
    for name in scope:
        if name not in accounts.SCOPES:
            raise Invalid(f"{name[:40]!r} is not a scope.", fix=f"Use some of: {', '.join(sorted(accounts.SCOPES))}.")
    issued = accounts.issue_token(
        session,
        call.actor.user,
        description=call.body.optional_text("description") or "Long-lived user authorization",
        scope=tuple(scope),
        expires_in=call.body.number("expires_in", least=1, most=_HUNDRED_YEARS),
    )
    return created(shape(call, issued.token, issued.secret))


def info(call: Call, session: Session) -> Reply:
    return Reply(shape(call, _find(call, session)))


def update(call: Call, session: Session) -> Reply:
    token = _find(call, session)
    description = call.body.optional_text("description")
    if description is not None:
        token.description = description[:255]
        session.flush()
    return Reply(shape(call, token))


def regenerate(call: Call, session: Session) -> Reply:
    issued = accounts.regenerate(session, _find(call, session))
    return Reply(shape(call, issued.token, issued.secret))


def destroy(call: Call, session: Session) -> Reply:
    token = _find(call, session)
    last = shape(call, token)
    accounts.revoke(session, token)
    return Reply(last)


def _find(call: Call, session: Session) -> Token:
    """`~` is the account's own key: the first token that never expires. The CLI's logout leaves that one alone."""
    wanted = call.params["id"]
    if wanted != "~":
        return accounts.find_token(session, call.actor.user, wanted)
    for token in accounts.tokens(session, call.actor.user):
        if token.expires_at is None:
            return token
    raise NotFound("authorization")
