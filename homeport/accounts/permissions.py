"""Who may do what: one pure function.

https://devcenter.heroku.com/articles/oauth#scopes and https://devcenter.heroku.com/articles/app-permissions name the
scopes and rights that this follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from homeport.errors import Forbidden, NotFound
from homeport.state import App, Token, User


class Action(Enum):
    """What a request does to its object."""

    IDENTIFY = "identify"
    """Look who somebody is."""
    ACCOUNT = "account"
    """Look at and change what belongs to a person: tokens, SSH keys, their name."""
    VIEW = "view"
    """Look at apps and what belongs to them, without secrets."""
    REVEAL = "reveal"
    """Look at secrets: config vars, code, the credentials of add-ons."""
    OPERATE = "operate"
    """Create, scale, restart, maintenance, add-ons: changes without seeing secrets."""
    DEPLOY = "deploy"
    """Push code, change config vars, run commands: changes that also show secrets."""
    MANAGE = "manage"
    """Rename, destroy, share."""


@dataclass(frozen=True)
class Actor:
    """A person with the token they came with."""

    user: User
    token: Token


_READ = frozenset({Action.VIEW})
_WRITE = _READ | {Action.OPERATE, Action.MANAGE}

_SCOPES = {
    "global": frozenset(Action),
    "identity": frozenset({Action.IDENTIFY}),
    # All apps and resources, but neither account information nor config vars.
    "read": _READ,
    "write": _WRITE,
    # All apps and resources with their config vars, but no account information.
    "read-protected": _READ | {Action.REVEAL},
    "write-protected": _WRITE | {Action.REVEAL, Action.DEPLOY},
}

SCOPES = frozenset(_SCOPES)


def may(actor: Actor, action: Action, app: App | None = None) -> bool:
    """True when the token's scope covers the action and the app, if there is one, is this person's."""
    if not any(action in _SCOPES.get(scope, frozenset()) for scope in actor.token.scope):
        return False
    return app is None or app.owner_id == actor.user.id


def require(actor: Actor, action: Action, app: App | None = None) -> None:
    """Raises `NotFound` for somebody else's app (its existence is not told), `Forbidden` for a scope too small."""
    if may(actor, action, app):
        return
    if app is not None and app.owner_id != actor.user.id:
        raise NotFound("app", "Couldn't find that app.")
    raise Forbidden(
        f"This token's scope ({', '.join(actor.token.scope)}) doesn't allow that.",
        fix="Create a token with a wider scope: `heroku authorizations:create --scope global`.",
    )
