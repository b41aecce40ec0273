"""The people of this platform."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.errors import Invalid, NotFound
from homeport.state import User


def create_user(session: Session, email: str, *, name: str | None = None) -> User:
    """A new person. Raises `Invalid` for something that is no e-mail address or one that is taken."""
    email = email.strip().lower()
    local, _, domain = email.partition("@")
    if not local or not domain or any(c.isspace() or ord(c) < 32 for c in email) or len(email) > 255:
        raise Invalid(f"{email!r} is not an e-mail address.", fix="Use the form name@example.com.")
    if session.scalar(select(User.id).where(User.email == email)):
        raise Invalid(f"There is already an account for {email}.")
    user = User(email=email, name=name)
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, email_or_id: str) -> User:
    """Raises `NotFound`."""
    wanted = email_or_id.strip().lower()
    user = session.scalar(select(User).where((User.id == wanted) | (User.email == wanted)))
    if user is None:
        raise NotFound("user")
    return user


def first_user(session: Session) -> User | None:
    """Who has been here longest: the operator."""
    return session.scalar(select(User).order_by(User.created_at, User.id).limit(1))
