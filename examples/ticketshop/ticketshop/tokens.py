"""Who is asking? Signed tokens in the Authorization header; nothing about them is stored."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import current_app, g, request
from itsdangerous import BadData, URLSafeTimedSerializer

from .extensions import db
from .models import Account
from .problems import Problem


def issue(account: Account) -> str:
    return _serializer().dumps([account.id, account.generation])


def bearer() -> Account:
    """The account whose token came with the request. Raises `Problem` 401."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    try:
        number, generation = _serializer().loads(token, max_age=current_app.config["TOKEN_LIFETIME"])
    except (BadData, TypeError, ValueError):
        number = generation = None
    account = db.session.get(Account, number) if number and scheme.lower() == "bearer" else None
    if account is None or account.generation != generation:
        raise Problem(401, "unauthorized", "Log in first: send Authorization: Bearer and a token of POST /api/tokens.")
    return account


def for_members(view: Callable[..., Any]) -> Callable[..., Any]:
    """Let in whoever has a valid token; `g.account` is then theirs."""

    @wraps(view)
    def guarded(**arguments: Any) -> Any:
        g.account = bearer()
        return view(**arguments)

    return guarded


def for_admins(view: Callable[..., Any]) -> Callable[..., Any]:
    @for_members
    @wraps(view)
    def guarded(**arguments: Any) -> Any:
        if not g.account.is_admin:
            raise Problem(403, "forbidden", "Only the people who run the shop can do this.")
        return view(**arguments)

    return guarded


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt="token")
