"""POST /api/accounts · POST, DELETE /api/tokens · GET /api/account"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from werkzeug.security import check_password_hash, generate_password_hash

from . import reading, tokens
from .extensions import db
from .models import Account
from .problems import Problem

blueprint = Blueprint("accounts", __name__, url_prefix="/api")

# Checked when there is no such account, so that the time an answer takes does not tell which addresses exist.
NOBODY = generate_password_hash("")


@blueprint.post("/accounts")
def register() -> ResponseReturnValue:
    sent = reading.body()
    account = Account(name=reading.text(sent, "name", longest=60), email=address(sent))
    account.set_password(reading.text(sent, "password", shortest=8, longest=200))
    db.session.add(account)
    try:
        db.session.commit()
    except IntegrityError:  # two people may register one address at the same moment: the database decides
        db.session.rollback()
        raise Problem(409, "email_taken", "Somebody has registered this e-mail address already.") from None
    return welcome(account)


@blueprint.post("/tokens")
def log_in() -> ResponseReturnValue:
    sent = reading.body()
    password = reading.text(sent, "password", longest=200)
    account = db.session.scalar(select(Account).where(Account.email == address(sent)))
    if account is None:
        check_password_hash(NOBODY, password)
    if account is None or not account.has_password(password):
        raise Problem(401, "wrong_password", "This address and this password do not belong together.")
    return welcome(account)


@blueprint.delete("/tokens")
@tokens.for_members
def log_out_everywhere() -> ResponseReturnValue:
    g.account.generation = Account.generation + 1
    db.session.commit()
    return "", 204


@blueprint.get("/account")
@tokens.for_members
def show() -> ResponseReturnValue:
    return shown(g.account)


def address(sent: dict[str, Any]) -> str:
    email = reading.text(sent, "email", longest=254).lower()
    name, _, host = email.partition("@")
    if not name or not host or "@" in host or " " in email:
        raise Problem(422, "invalid", "email is an address like ada@example.com.")
    return email


def welcome(account: Account) -> ResponseReturnValue:
    return {"token": tokens.issue(account), "account": shown(account)}, 201


def shown(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.name,
        "email": account.email,
        "balance_cents": account.balance_cents,
        "is_admin": account.is_admin,
    }
