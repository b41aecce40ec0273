from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from homeport import accounts, apps, releases, slugs
from homeport.errors import Conflict, Invalid, NotFound
from homeport.state import App, Database, Slug, User


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


@pytest.fixture
def ada(session: Session) -> User:
    return accounts.create_user(session, "ada@example.com")


@pytest.fixture
def shop(session: Session, ada: User) -> App:
    app = apps.create(session, owner=ada, name="shop")
    releases.start(session, app, ada)
    return app


def slug(session: Session, app: App, code: str) -> Slug:
    return slugs.record(
        session,
        app,
        code=code,
        layers=["deps"],
        profile={},
        process_types={"web": "gunicorn app:app"},
        commit="c0ffee",
        buildpack="Python",
        size=1,
    )


def test_every_change_is_a_numbered_release_with_who_and_what(session: Session, shop: App, ada: User) -> None:
    releases.set_config(session, shop, {"A": "1"}, by=ada)
    releases.create(session, shop, by=ada, description="Deploy c0ffee", slug=slug(session, shop, "one"))
    releases.set_config(session, shop, {"A": None, "B": "2"}, by=ada)
    assert [(r.version, r.description, r.user.email) for r in releases.history(session, shop)] == [
        (4, "Set B config vars, remove A config vars", "ada@example.com"),
        (3, "Deploy c0ffee", "ada@example.com"),
        (2, "Set A config vars", "ada@example.com"),
        (1, "Initial release", "ada@example.com"),
    ]


def test_of_a_long_history_the_newest_are_enough(session: Session, shop: App, ada: User) -> None:
    for value in "abc":
        releases.set_config(session, shop, {"A": value}, by=ada)
    assert [release.version for release in releases.history(session, shop, newest=2)] == [4, 3]


def test_a_rollback_brings_back_code_and_config(session: Session, shop: App, ada: User) -> None:
    releases.set_config(session, shop, {"A": "old"}, by=ada)
    good = releases.create(session, shop, by=ada, description="Deploy 1", slug=slug(session, shop, "one"))
    releases.set_config(session, shop, {"A": "new"}, by=ada)
    releases.create(session, shop, by=ada, description="Deploy 2", slug=slug(session, shop, "two"))
    back = releases.roll_back(session, shop, to=good, by=ada)
    assert (back.version, back.description) == (6, "Rollback to v3")
    assert back.slug is not None
    assert back.slug.code == "one"
    assert releases.variables(session, releases.current(session, shop)) == {"A": "old"}


def test_only_a_good_release_with_a_slug_can_be_returned_to(session: Session, shop: App, ada: User) -> None:
    with pytest.raises(Invalid) as caught:
        releases.roll_back(session, shop, to=releases.find(session, shop, "v1"), by=ada)
    assert caught.value.why == "It has no slug to run."
    pending = releases.create(
        session, shop, by=ada, description="Deploy 1", slug=slug(session, shop, "one"), pending=True
    )
    releases.fail(session, pending)
    with pytest.raises(Invalid) as caught:
        releases.roll_back(session, shop, to=pending, by=ada)
    assert caught.value.why == "It failed."


def test_a_pending_release_changes_nothing_until_it_succeeds(session: Session, shop: App, ada: User) -> None:
    pending = releases.create(
        session, shop, by=ada, description="Deploy 1", slug=slug(session, shop, "one"), pending=True
    )
    assert releases.current(session, shop).version == 1
    assert releases.succeed(session, pending).version == 2
    assert releases.current(session, shop).version == 2
    with pytest.raises(Conflict):
        releases.fail(session, pending)


def test_config_set_while_a_release_was_pending_is_not_lost(session: Session, shop: App, ada: User) -> None:
    pending = releases.create(
        session, shop, by=ada, description="Deploy 1", slug=slug(session, shop, "one"), pending=True
    )
    releases.set_config(session, shop, {"A": "meanwhile"}, by=ada)
    now_current = releases.succeed(session, pending)
    assert now_current.version == 4
    assert now_current.slug is not None
    assert now_current.slug.code == "one"
    assert releases.variables(session, releases.current(session, shop)) == {"A": "meanwhile"}


def test_setting_what_is_already_set_makes_no_release(session: Session, shop: App, ada: User) -> None:
    releases.set_config(session, shop, {"A": "1"}, by=ada)
    assert releases.set_config(session, shop, {"A": "1", "GONE": None}, by=ada).version == 2


def test_config_is_not_in_the_database_in_clear(session: Session, shop: App, ada: User) -> None:
    release = releases.set_config(session, shop, {"SECRET_KEY": "correct horse battery"}, by=ada)
    assert b"correct horse" not in release.config
    assert b"SECRET_KEY" not in release.config


@pytest.mark.parametrize("ref", ["3", "v3", "V3"])
def test_a_release_is_found_by_its_number(session: Session, shop: App, ada: User, ref: str) -> None:
    releases.set_config(session, shop, {"A": "1"}, by=ada)
    newest = releases.set_config(session, shop, {"A": "2"}, by=ada)
    assert releases.find(session, shop, ref).id == newest.id
    assert releases.find(session, shop, newest.id).id == newest.id


@pytest.mark.parametrize("ref", ["v99", "", "v", "latest", "99999999999999999999"])
def test_a_release_that_is_not_there_is_not_found(session: Session, shop: App, ref: str) -> None:
    with pytest.raises(NotFound):
        releases.find(session, shop, ref)


def test_destroying_an_app_takes_everything_of_it_and_nothing_else(session: Session, ada: User, shop: App) -> None:
    other = apps.create(session, owner=ada, name="other")
    releases.start(session, other, ada)
    releases.create(session, shop, by=ada, description="Deploy 1", slug=slug(session, shop, "one"))
    apps.add_domain(session, shop, "www.example.com")
    apps.destroy(session, shop)
    with pytest.raises(NotFound):
        apps.find(session, "shop")
    assert releases.current(session, other).version == 1
    assert slugs.layers_in_use(session) == set()
    apps.add_domain(session, other, "www.example.com")
