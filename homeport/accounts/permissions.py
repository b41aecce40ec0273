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

    VIEW = "view"
    """Look, without secrets."""
    DEPLOY = "deploy"
    """Push code, change config vars, run commands: all that also shows secrets."""
    OPERATE = "operate"
    """Scale, restart, maintenance."""
    MANAGE = "manage"
    """Rename, destroy, share."""


@dataclass(frozen=True)
class Actor:
    """A person with the token they came with."""

    user: User
    token: Token


_SCOPES = {
    "global": frozenset(Action),
    "write": frozenset({Action.VIEW, Action.OPERATE}),
    "write-protected": frozenset({Action.VIEW, Action.OPERATE, Action.DEPLOY}),
    "read": frozenset({Action.VIEW}),
    "read-protected": frozenset({Action.VIEW}),
    "identity": frozenset[Action](),
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
