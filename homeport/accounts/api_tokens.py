"""API tokens: 256 random bits, of which only a SHA-256 is kept.

A slow password hash would add nothing: nobody guesses 256 random bits.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.accounts.permissions import Actor
from homeport.errors import NotFound, Unauthorized
from homeport.state import Token, User, now

PREFIX = "HRKU-"  # as Heroku's, so that secret scanners recognise a leaked one


@dataclass(frozen=True)
class IssuedToken:
    """A new token and, this once, its secret."""

    token: Token
    secret: str


def issue_token(
    session: Session,
    user: User,
    *,
    description: str = "",
    scope: tuple[str, ...] = ("global",),
    expires_in: int | None = None,
    secret: str | None = None,
) -> IssuedToken:
    """A new token for this person; `expires_in` in seconds, None for never.

    `secret` is only for the first user's token, which is written to disk before the database knows it.
    """
    secret = secret or new_secret()
    token = Token(
        user_id=user.id,
        digest=digest(secret),
        description=description[:255],
        scope=list(scope),
        expires_at=now() + timedelta(seconds=expires_in) if expires_in is not None else None,
    )
    token.user = user
    session.add(token)
    session.flush()
    return IssuedToken(token, secret)


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def authenticate(session: Session, secret: str, *, at: datetime | None = None) -> Actor:
    """Who holds this secret. Raises `Unauthorized` when nobody does, or its time is over."""
    token = session.scalar(select(Token).where(Token.digest == digest(secret)))
    if token is None or (token.expires_at is not None and token.expires_at <= (at or now())):
        raise Unauthorized(
            fix="Log in with `heroku login -i` or `homeport login`, where the password is an API token, or run "
            '`eval "$(homeport env)"` in this shell.',
        )
    return Actor(token.user, token)


def tokens(session: Session, user: User) -> list[Token]:
    """This person's tokens, oldest first."""
    return list(session.scalars(select(Token).where(Token.user_id == user.id).order_by(Token.created_at)))


def find_token(session: Session, user: User, token_id: str) -> Token:
    """One of this person's tokens by id. Raises `NotFound`."""
    token = session.scalar(select(Token).where(Token.user_id == user.id, Token.id == token_id))
    if token is None:
        raise NotFound("authorization")
    return token


def regenerate(session: Session, token: Token) -> IssuedToken:
    """The same authorization with a new secret; the old one is worth nothing from now on."""
    secret = new_secret()
    token.digest = digest(secret)
    session.flush()
    return IssuedToken(token, secret)


def revoke(session: Session, token: Token) -> None:
    session.delete(session.merge(token))
