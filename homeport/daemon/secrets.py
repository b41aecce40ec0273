"""The platform's own secrets: made at the first start, kept in `$HOMEPORT_HOME/secrets`, readable by this user only."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy.orm import Session

from homeport import accounts
from homeport.config import Vault
from homeport.errors import HomeportError, Unauthorized
from homeport.home import Home, write_whole
from homeport.state import User

FIRST_USER = "operator@homeport.localhost"


def config_key(home: Home, *, database_exists: bool) -> bytes:
    """The key that config vars are encrypted with.

    Raises `HomeportError` (`vault_key_missing`) when there is a database but no key: a new one could open nothing.
    """
    path = home.secrets / "config.key"
    if path.exists():
        return path.read_bytes()
    if database_exists:
        raise HomeportError(
            "vault_key_missing",
            f"{path} is missing, but there is a database.",
            why="Config vars in the database were encrypted with that key; nothing else can read them.",
            fix="Restore the file from the backup of $HOMEPORT_HOME.",
        )
    return _keep(path, Vault.new_key())


def session_key(home: Home) -> bytes:
    """The key that log-session URLs are signed with."""
    path = home.secrets / "sessions.key"
    return path.read_bytes() if path.exists() else _keep(path, os.urandom(32))


def token_path(home: Home) -> Path:
    return home.secrets / "token"


def ensure_first_user(session: Session, home: Home, email: str | None) -> User:
    """The operator's account, with the token in `secrets/token`; both are made anew if they are not there.

    The file is written before the database knows the token: a start that dies in between repeats harmlessly. But a
    token that the database no longer knows was revoked, perhaps because it leaked: it is never let in again.
    """
    known = accounts.first_user(session)
    user = known or accounts.create_user(session, email or FIRST_USER)
    path = token_path(home)
    if path.exists():
        secret = path.read_text().strip()
    else:
        secret = _keep(path, accounts.new_secret().encode() + b"\n").decode().strip()
    try:
        accounts.authenticate(session, secret)
    except Unauthorized:
        if known is not None:
            secret = _keep(path, accounts.new_secret().encode() + b"\n").decode().strip()
        accounts.issue_token(session, user, description="First token of this platform", secret=secret)
    return user


def _keep(path: Path, content: bytes) -> bytes:
    write_whole(path, content)
    return content
