from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from homeport import accounts, apps
from homeport.accounts import Action
from homeport.errors import Forbidden, Invalid, NotFound, Unauthorized
from homeport.state import Database, User, now


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


@pytest.fixture
def ada(session: Session) -> User:
    return accounts.create_user(session, "ada@example.com")


def test_a_token_authenticates_and_is_kept_only_as_a_digest(session: Session, ada: User) -> None:
    issued = accounts.issue_token(session, ada)
    assert accounts.authenticate(session, issued.secret).user.id == ada.id
    assert issued.secret not in (issued.token.digest, issued.token.description)


@pytest.mark.parametrize("secret", ["", "HRKU-wrong", "undefined"])
def test_a_wrong_token_is_refused(session: Session, ada: User, secret: str) -> None:
    accounts.issue_token(session, ada)
    with pytest.raises(Unauthorized):
        accounts.authenticate(session, secret)


def test_a_token_ends(session: Session, ada: User) -> None:
    issued = accounts.issue_token(session, ada, expires_in=60)
    assert accounts.authenticate(session, issued.secret)
    with pytest.raises(Unauthorized):
        accounts.authenticate(session, issued.secret, at=now() + timedelta(seconds=61))


def test_a_revoked_token_is_refused(session: Session, ada: User) -> None:
    issued = accounts.issue_token(session, ada)
    accounts.revoke(session, issued.token)
    with pytest.raises(Unauthorized):
        accounts.authenticate(session, issued.secret)


def test_somebody_elses_app_is_not_even_told_to_exist(session: Session, ada: User) -> None:
    mallory = accounts.create_user(session, "mallory@example.com")
    app = apps.create(session, owner=ada, name="shop")
    actor = accounts.authenticate(session, accounts.issue_token(session, mallory).secret)
    with pytest.raises(NotFound):
        accounts.require(actor, Action.VIEW, app)


def test_a_read_token_does_not_deploy(session: Session, ada: User) -> None:
    app = apps.create(session, owner=ada, name="shop")
    actor = accounts.authenticate(session, accounts.issue_token(session, ada, scope=("read",)).secret)
    accounts.require(actor, Action.VIEW, app)
    with pytest.raises(Forbidden, match="scope"):
        accounts.require(actor, Action.DEPLOY, app)


@pytest.mark.parametrize(
    ("scopes", "reach"),
    [
        (("global",), set(Action)),
        (("identity",), {Action.IDENTIFY}),
        (("read",), {Action.VIEW}),
        (("write",), {Action.VIEW, Action.OPERATE, Action.MANAGE}),
        (("read-protected",), {Action.VIEW, Action.REVEAL}),
        (("write-protected",), set(Action) - {Action.IDENTIFY, Action.ACCOUNT}),
        (("identity", "read"), {Action.IDENTIFY, Action.VIEW}),
        (("nonsense",), set()),
        ((), set()),
    ],
)
def test_scopes_reach_as_far_as_herokus(
    session: Session, ada: User, scopes: tuple[str, ...], reach: set[Action]
) -> None:
    """https://devcenter.heroku.com/articles/oauth#scopes"""
    app = apps.create(session, owner=ada, name="shop")
    actor = accounts.authenticate(session, accounts.issue_token(session, ada, scope=scopes).secret)
    assert {action for action in Action if accounts.may(actor, action, app)} == reach
    assert {action for action in Action if accounts.may(actor, action)} == reach


def test_a_key_opens_what_its_owner_may_and_nothing_once_it_is_removed(session: Session, ada: User) -> None:
    line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILIsrcdBA+TOJvy7TEmyTM5WMDRlBNCtgWI6YoFm8wI3"
    app = apps.create(session, owner=ada, name="shop")
    with pytest.raises(Unauthorized):
        accounts.authenticate_key(session, line)
    key = accounts.add_key(session, ada, f"{line} me@laptop")
    actor = accounts.authenticate_key(session, line)
    assert actor.user.id == ada.id
    assert accounts.may(actor, Action.DEPLOY, app)
    assert accounts.tokens(session, ada) == []
    accounts.remove_key(session, key)
    session.flush()
    with pytest.raises(Unauthorized):
        accounts.authenticate_key(session, line)


@pytest.mark.parametrize("email", ["", "ada", "@example.com", "ada@", "a b@example.com"])
def test_what_is_no_e_mail_address_is_refused(session: Session, email: str) -> None:
    with pytest.raises(Invalid):
        accounts.create_user(session, email)
