"""Changes that wait for a release command: what each is made of when its turn comes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from homeport import accounts, apps, releases, slugs
from homeport.errors import Invalid
from homeport.releases.making import Attached, Content
from homeport.releases.waiting import Change, Kind, applied, has_command
from homeport.state import App, Database, Release, ReleaseChange, Slug, User

OLD, NEW = Slug(id="old", process_types={"web": "serve"}), Slug(id="new", process_types={"release": "migrate"})
BEFORE = Content(OLD, {"A": "1", "B": "2"}, Attached({"DATABASE_URL": "one"}, ("pg:mini",)))
NOW = Attached({"REDIS_URL": "two"}, ("redis:mini",))


@pytest.mark.parametrize(
    ("change", "slug", "own"),
    [
        (Change(Kind.CONFIG, {"A": None, "C": "3"}), OLD, {"B": "2", "C": "3"}),
        (Change(Kind.ADDONS), OLD, BEFORE.own),
        (Change(Kind.SLUG, slug=NEW), NEW, BEFORE.own),
        (Change(Kind.ROLLBACK, slug=NEW, source=Content(NEW, {"X": "9"}, BEFORE.attached)), NEW, {"X": "9"}),
    ],
)
def test_a_change_is_applied_to_what_is_there_and_add_ons_are_those_of_now(
    change: Change, slug: Slug, own: dict[str, str]
) -> None:
    assert applied(BEFORE, change, NOW) == Content(slug, own, NOW)


def test_config_vars_of_add_ons_are_theirs() -> None:
    with pytest.raises(Invalid, match="Cannot overwrite attachment values REDIS_URL"):
        applied(BEFORE, Change(Kind.CONFIG, {"REDIS_URL": "mine"}), NOW)
    after = applied(BEFORE, Change(Kind.CONFIG, {"DATABASE_URL": "mine"}), NOW)  # that add-on is gone
    assert after.variables == {"A": "1", "B": "2", "DATABASE_URL": "mine", "REDIS_URL": "two"}


def test_who_has_a_command() -> None:
    assert has_command(NEW)
    assert not has_command(OLD)
    assert not has_command(None)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


@pytest.fixture
def ada(session: Session) -> User:
    return accounts.create_user(session, "ada@example.com")


@pytest.fixture
def shop(session: Session, ada: User) -> App:
    """Runs v2, which has a release command."""
    app = apps.create(session, owner=ada, name="shop")
    releases.start(session, app, ada)
    slug = slugs.record(
        session, app, code="one", layers=[], profile={}, process_types={"web": "serve", "release": "migrate"},
        commit=None, buildpack="Python", size=1,
    )  # fmt: skip
    releases.create(session, app, by=ada, description="Deploy", slug=slug)
    return app


def changes(session: Session) -> list[str]:
    return [row.kind for row in session.scalars(select(ReleaseChange))]


def test_the_turn_is_the_oldest_ones_and_add_ons_that_wait_together_are_one(
    session: Session, shop: App, ada: User
) -> None:
    def attach(name: str) -> Release:
        values = {f"{name}_URL": "x"}
        return releases.set_addon_vars(session, shop, values, plans=[], by=ada, description=f"Attach {name}")

    order = [attach("ONE"), attach("TWO"), releases.set_config(session, shop, {"A": "1"}, by=ada), attach("THREE")]
    turns = []
    while (turn := releases.next_turn(session, shop)) is not None:
        turns.append([release.version for release in turn.all])
        for release in turn.beside:
            releases.supersede(session, release)
        releases.succeed(session, releases.renew(session, turn.release, None))
    assert turns == [[order[0].version, order[1].version], [order[2].version], [order[3].version]]
    assert releases.apps_that_wait(session) == []
    assert changes(session) == []


def test_add_ons_that_change_no_config_var_have_nothing_to_wait_for(session: Session, shop: App, ada: User) -> None:
    made = releases.set_addon_vars(session, shop, {}, plans=["scheduler:standard"], by=ada, description="Attach")
    assert (made.status, made.addon_plans) == ("succeeded", ["scheduler:standard"])


def test_a_removed_config_var_stays_removed_when_its_turn_comes(session: Session, shop: App, ada: User) -> None:
    releases.set_config(session, shop, {"A": "1", "B": "2"}, by=ada)
    made = releases.set_config(session, shop, {"A": None, "B": ""}, by=ada)
    assert made.description == "Remove A, B config vars"
    for release in releases.history(session, shop, newest=2)[::-1]:
        releases.succeed(session, releases.renew(session, release, None))
    assert releases.variables(session, releases.current(session, shop)) == {}


def test_too_much_for_what_is_current_then_is_refused(session: Session, shop: App, ada: User) -> None:
    first = releases.set_config(session, shop, {"A": "x" * 40_000}, by=ada)
    with pytest.raises(Invalid, match="64 KB"):
        releases.set_config(session, shop, {"B": "x" * 40_000}, by=ada)
    releases.fail(session, first)
    assert releases.set_config(session, shop, {"B": "x" * 40_000}, by=ada).version == 4


def test_only_the_last_that_failed_is_remembered(session: Session, shop: App, ada: User) -> None:
    for value in "123":
        releases.fail(session, releases.set_config(session, shop, {"A": value}, by=ada))
    assert [row.release.version for row in session.scalars(select(ReleaseChange))] == [5]


def test_a_retry_is_known_by_its_name_its_code_and_its_end(session: Session, shop: App, ada: User) -> None:
    failed = releases.set_config(session, shop, {"A": "1"}, by=ada)
    releases.fail(session, failed)
    assert failed.slug is not None

    def released(description: str) -> dict[str, str]:
        assert failed.slug is not None
        made = releases.release_slug(session, shop, failed.slug, by=ada, description=description)
        return releases.variables(session, made)

    assert released("Deploy again") == {}
    assert released("Retry of v99: Set A config vars") == {}
    assert released("Retry of v2: Deploy") == {}
    assert released("Retry of v3: Set A config vars") == {"A": "1"}


def test_an_app_that_is_destroyed_takes_what_waits_along(session: Session, shop: App, ada: User) -> None:
    releases.set_config(session, shop, {"A": "1"}, by=ada)
    releases.roll_back(session, shop, to=releases.find(session, shop, "2"), by=ada)
    apps.destroy(session, shop)
    assert changes(session) == []
