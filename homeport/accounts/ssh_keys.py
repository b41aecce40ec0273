"""SSH public keys of a person: https://devcenter.heroku.com/articles/keys."""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key
from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport.accounts.permissions import Actor
from homeport.errors import Invalid, NotFound, Unauthorized
from homeport.state import Key, Token, User

MAX_LENGTH = 16 * 1024


def keys(session: Session, user: User) -> list[Key]:
    """Oldest first."""
    return list(session.scalars(select(Key).where(Key.user_id == user.id).order_by(Key.created_at)))


def add_key(session: Session, user: User, public_key: str) -> Key:
    """`public_key` is one line of an id_….pub file. Raises `Invalid` for anything else and for a key that is known."""
    line = public_key.strip()
    fingerprint = _fingerprint(line)
    if session.scalar(select(Key.id).where(Key.fingerprint == fingerprint)):
        raise Invalid("Fingerprint already exists.", why="This key has been added before.")
    key = Key(user_id=user.id, public_key=line, fingerprint=fingerprint, comment=" ".join(line.split()[2:])[:255])
    key.user = user
    session.add(key)
    session.flush()
    return key


def find_key(session: Session, user: User, id_or_fingerprint: str) -> Key:
    """Raises `NotFound`."""
    wanted = (Key.id == id_or_fingerprint) | (Key.fingerprint == id_or_fingerprint)
    key = session.scalar(select(Key).where(Key.user_id == user.id, wanted))
    if key is None:
        raise NotFound("key", "Couldn't find that key.")
    return key


def authenticate_key(session: Session, public_key: str) -> Actor:
    """Who has added this key; it reaches as far as they do. Raises `Unauthorized` when nobody has."""
    key = session.scalar(select(Key).where(Key.fingerprint == _fingerprint(public_key.strip())))
    if key is None or key.public_key.split()[:2] != public_key.split()[:2]:
        raise Unauthorized("This SSH key is not known here.", fix="Add it: `heroku keys:add`.")
    return Actor(key.user, Token(user_id=key.user_id, scope=["global"], description=key.fingerprint))


def remove_key(session: Session, key: Key) -> None:
    session.delete(key)


def _fingerprint(line: str) -> str:
    """As `ssh-keygen -l` shows it."""
    try:
        if len(line) > MAX_LENGTH or len(line.splitlines()) != 1:
            raise ValueError
        load_ssh_public_key(line.encode())
        blob = base64.b64decode(line.split()[1], validate=True)
    except (ValueError, IndexError, UnsupportedAlgorithm, binascii.Error):
        raise Invalid(
            "That is not an SSH public key.",
            fix="Send the line of a file like ~/.ssh/id_ed25519.pub: `heroku keys:add ~/.ssh/id_ed25519.pub`.",
        ) from None
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
