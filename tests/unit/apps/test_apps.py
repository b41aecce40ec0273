from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from homeport import accounts, apps
from homeport.apps import names
from homeport.errors import Invalid, NotFound
from homeport.state import App, Database, User


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


@pytest.fixture
def ada(session: Session) -> User:
    return accounts.create_user(session, "Ada@Example.com")


@pytest.fixture
def shop(session: Session, ada: User) -> App:
    return apps.create(session, owner=ada, name="shop")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "ab",
        "1shop",
        "Shop",
        "shop-",
        "-shop",
        "shop_1",
        "a" * 31,
        "sh op",
        "a--b",
        "../etc",
        "shop\n",
        "api",
    ],
)
def test_names_that_could_not_be_a_host_name_are_refused(session: Session, ada: User, name: str) -> None:
    with pytest.raises(Invalid):
        apps.create(session, owner=ada, name=name)


def test_a_taken_name_is_said_in_herokus_words(session: Session, ada: User, shop: App) -> None:
    with pytest.raises(Invalid, match=r"^Name shop is already taken$"):
        apps.create(session, owner=ada, name="shop")


def test_generated_names_follow_the_rule() -> None:
    for _ in range(200):
        assert names.check(names.generate())


def test_a_renamed_app_answers_to_the_new_name_only(session: Session, shop: App) -> None:
    apps.rename(session, shop, "store")
    assert apps.find(session, "store").id == apps.find(session, shop.id).id
    with pytest.raises(NotFound):
        apps.find(session, "shop")


@pytest.mark.parametrize(
    "hostname", ["", "shop", "shop.localhost", "a b.com", "x" * 64 + ".com", "-a.com", "http://a.com"]
)
def test_impossible_domains_are_refused(session: Session, shop: App, hostname: str) -> None:
    with pytest.raises(Invalid):
        apps.add_domain(session, shop, hostname)


def test_a_domain_belongs_to_one_app(session: Session, ada: User, shop: App) -> None:
    apps.add_domain(session, shop, "WWW.Example.com.")
    assert apps.hostnames(session, shop) == ["www.example.com"]
    other = apps.create(session, owner=ada, name="other")
    with pytest.raises(Invalid, match="in use"):
        apps.add_domain(session, other, "www.example.com")


def test_a_feature_keeps_its_id_when_it_is_switched(session: Session, shop: App) -> None:
    before = apps.find_feature(session, shop, "runtime-dyno-metadata")
    after = apps.set_feature(session, shop, "runtime-dyno-metadata", True)
    assert (before.enabled, after.enabled) == (False, True)
    assert before.id == after.id


def test_buildpacks_keep_their_order(session: Session, shop: App) -> None:
    apps.set_buildpacks(session, shop, ["heroku/nodejs", "heroku/python"])
    assert apps.buildpacks(session, shop) == ["heroku/nodejs", "heroku/python"]
    with pytest.raises(Invalid, match="twice"):
        apps.set_buildpacks(session, shop, ["heroku/python", "heroku/python"])
