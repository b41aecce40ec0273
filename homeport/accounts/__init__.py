"""People, their API tokens, and who may do what."""

from homeport.accounts.permissions import Action, Actor, may, require
from homeport.accounts.tokens import (
    IssuedToken,
    authenticate,
    find_token,
    issue_token,
    revoke,
    tokens,
)
from homeport.accounts.users import create_user, find_user, first_user

__all__ = [
    "Action",
    "Actor",
    "IssuedToken",
    "authenticate",
    "create_user",
    "find_token",
    "find_user",
    "first_user",
    "issue_token",
    "may",
    "require",
    "revoke",
    "tokens",
]
