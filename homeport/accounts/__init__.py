"""People, their API tokens, and who may do what."""

from homeport.accounts.api_tokens import (
    IssuedToken,
    authenticate,
    find_token,
    issue_token,
    new_secret,
    regenerate,
    revoke,
    tokens,
)
from homeport.accounts.permissions import SCOPES, Action, Actor, may, require
from homeport.accounts.ssh_keys import add_key, authenticate_key, find_key, keys, remove_key
from homeport.accounts.users import create_user, find_user, first_user

__all__ = [
    "SCOPES",
    "Action",
    "Actor",
    "IssuedToken",
    "add_key",
    "authenticate",
    "authenticate_key",
    "create_user",
    "find_key",
    "find_token",
    "find_user",
    "first_user",
    "issue_token",
    "keys",
    "may",
    "new_secret",
    "regenerate",
    "remove_key",
    "require",
    "revoke",
    "tokens",
]
