from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from homeport import accounts, apps, releases, router, slugs
from homeport.router import AppState, Server
from homeport.router.route_table import decide, serving
from homeport.state import App, Database, Dyno, Formation, Release, User


@pytest.mark.parametrize(
    ("maintenance", "released", "wanted", "dynos", "routable", "state"),
    [
        (False, True, 1, {"up"}, 1, AppState.UP),
        (False, True, 2, {"up", "crashed"}, 1, AppState.UP),
        (False, True, 0, {"up"}, 1, AppState.UP),  # scaled down, and not yet told to go
        (True, True, 1, {"up"}, 1, AppState.MAINTENANCE),
        (True, False, 0, set(), 0, AppState.MAINTENANCE),
        (False, False, 0, set(), 0, AppState.NO_WEB),
        (False, False, 1, set(), 0, AppState.NO_WEB),
        (False, True, 0, set(), 0, AppState.NO_WEB),
        (False, True, 1, set(), 0, AppState.STARTING),  # wanted, and about to be decided on
        (False, True, 1, {"starting"}, 0, AppState.STARTING),
        (False, True, 2, {"starting", "crashed"}, 0, AppState.STARTING),
        (False, True, 1, {"crashed"}, 0, AppState.CRASHED),
    ],
)
def test_the_state_of_an_app(
    maintenance: bool, released: bool, wanted: int, dynos: set[str], routable: int, state: AppState
) -> None:
    decided = decide(maintenance=maintenance, released=released, wanted=wanted, dynos=dynos, routable=routable)
    assert decided is state


@pytest.mark.parametrize(
    ("maintenance", "wanted", "dynos", "routable", "state"),
    [
        (False, 1, {"idle"}, 0, AppState.ASLEEP),
        (False, 1, set(), 0, AppState.ASLEEP),
        (False, 1, {"crashed"}, 0, AppState.ASLEEP),  # it is not tried again before somebody asks for it
        (False, 1, {"up"}, 1, AppState.UP),  # about to be put to sleep
        (False, 0, set(), 0, AppState.NO_WEB),
        (True, 1, {"idle"}, 0, AppState.MAINTENANCE),  # whose page wakes nobody
    ],
)
def test_the_state_of_an_app_that_sleeps(
    maintenance: bool, wanted: int, dynos: set[str], routable: int, state: AppState
) -> None:
    decided = decide(maintenance=maintenance, released=True, wanted=wanted, dynos=dynos, routable=routable, asleep=True)
    assert decided is state


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


def deploy(session: Session, app: App, by: User, *, pending: bool = False) -> Release:
    slug = slugs.record(
        session, app, code="code", layers=[], profile={}, process_types={"web": "serve"}, commit=None,
        buildpack="Python", size=1,
    )  # fmt: skip
    release = releases.create(session, app, by=by, description="Deploy", slug=slug, pending=pending)
    if not session.query(Formation).filter_by(app_id=app.id, type="web").count():
        session.add(Formation(app_id=app.id, type="web", quantity=1))
    session.flush()
    return release


def start(session: Session, release: Release, number: int, *, type: str = "web", **columns: object) -> Dyno:
    dyno = Dyno(
        id=f"0000000{number}-0000-0000-0000-000000000000", app_id=release.app_id, release_id=release.id,
        type=type, name=f"{type}.{number}", command="serve",
        **{"state": "up", "host": "127.0.0.1", "port": 5000 + number} | columns,
    )  # fmt: skip
    session.add(dyno)
    session.flush()
    return dyno


def only_route(session: Session, domain: str = "localhost") -> router.AppRoute:
    (route,) = router.table(session, domain=domain).apps
    return route


def test_an_app_that_was_only_created_has_no_web(session: Session, shop: App) -> None:
    assert only_route(session) == router.AppRoute(shop.id, "shop", ("shop.localhost",), AppState.NO_WEB)


def test_web_dynos_that_are_up_are_its_servers(session: Session, shop: App, ada: User) -> None:
    release = deploy(session, shop, ada)
    one = start(session, release, 1)
    start(session, release, 2, state="starting")
    start(session, release, 3, stop_by=datetime.now(UTC))
    start(session, release, 4, host=None, port=None)
    start(session, release, 5, type="worker")
    route = only_route(session)
    assert route.state is AppState.UP
    assert route.servers == (Server(one.id, "web.1", "127.0.0.1", 5001),)


def test_dynos_of_a_release_that_is_not_out_yet_take_nothing(session: Session, shop: App, ada: User) -> None:
    old = start(session, deploy(session, shop, ada), 1)
    coming = deploy(session, shop, ada, pending=True)
    new = start(session, coming, 2)
    assert [server.dyno_id for server in only_route(session).servers] == [old.id]
    releases.succeed(session, coming)
    assert [server.dyno_id for server in only_route(session).servers] == [new.id]


def test_custom_domains_follow_the_apps_own_name(session: Session, shop: App) -> None:
    apps.add_domain(session, shop, "www.example.org")
    apps.add_domain(session, shop, "example.org")
    assert only_route(session, "apps.test").hostnames == ("shop.apps.test", "example.org", "www.example.org")


def test_maintenance_counts_whatever_runs(session: Session, shop: App, ada: User) -> None:
    start(session, deploy(session, shop, ada), 1)
    apps.set_maintenance(session, shop, True)
    assert only_route(session).state is AppState.MAINTENANCE


def test_an_app_sleeps_until_it_has_a_new_release(session: Session, shop: App, ada: User) -> None:
    start(session, deploy(session, shop, ada), 1, state="idle")
    shop.asleep_release_id = shop.current_release_id
    session.flush()
    assert only_route(session).state is AppState.ASLEEP
    deploy(session, shop, ada)
    assert only_route(session).state is AppState.STARTING


def test_equal_truths_are_equal_tables(session: Session, shop: App, ada: User) -> None:
    start(session, deploy(session, shop, ada), 1)
    assert router.table(session, domain="localhost") == router.table(session, domain="localhost")


def test_old_dynos_help_until_all_new_ones_are_up_and_answer_nobody_after_that() -> None:
    old = [Server("o1", "web.1", "127.0.0.1", 1), Server("o2", "web.2", "127.0.0.1", 2)]
    new = [Server("n1", "web.1", "127.0.0.1", 3), Server("n2", "web.2", "127.0.0.1", 4)]
    assert serving([], old, wanted=2) == tuple(old)
    assert set(serving(new[:1], old, wanted=2)) == {*old, new[0]}
    assert set(serving(new, old, wanted=2)) == set(new)
    assert serving([], old, wanted=0) == tuple(old)
