from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from homeport import accounts, apps, dynos, releases, slugs
from homeport.dynos import sizes
from homeport.dynos.formations import LIMIT, Scale, align
from homeport.errors import Invalid, NotFound
from homeport.state import App, Crash, Database


def deploy(session: Session, app: App, **process_types: str) -> None:
    slug = slugs.record(
        session,
        app,
        code="c",
        layers=[],
        profile={},
        process_types=process_types,
        commit=None,
        buildpack="Python",
        size=1,
    )
    releases.create(session, app, by=app.owner, description="Deploy", slug=slug)
    dynos.align_formation(session, app, slug)


def new_app(session: Session, **process_types: str) -> App:
    user = accounts.create_user(session, "ada@example.com")
    app = apps.create(session, owner=user, name="demo")
    releases.start(session, app, user)
    if process_types:
        deploy(session, app, **process_types)
    return app


def shown(session: Session, app: App) -> dict[str, str]:
    return {row.type: f"{row.quantity}:{row.size}" for row in dynos.formation(session, app)}


def test_before_the_first_deploy_there_is_none(database: Database) -> None:
    with database.session() as session:
        assert dynos.formation(session, new_app(session)) == []


def test_a_first_web_gets_one_dyno_and_all_others_none(database: Database) -> None:
    with database.session() as session:
        app = new_app(session, worker="w", web="s", release="r")
        assert shown(session, app) == {"web": "1:Basic", "release": "0:Basic", "worker": "0:Basic"}


def test_a_new_slug_keeps_what_was_set_adds_what_is_new_and_drops_what_is_gone(database: Database) -> None:
    with database.session() as session:
        app = new_app(session, web="s", worker="w")
        dynos.scale(session, app, [dynos.Update("web", 3, "standard-2x"), dynos.Update("worker", 2)])
        deploy(session, app, web="s2", clock="c")
        assert shown(session, app) == {"web": "3:Standard-2X", "clock": "0:Basic"}
        deploy(session, app, web="s2", worker="w")
        assert shown(session, app) == {"web": "3:Standard-2X", "worker": "0:Basic"}


def test_a_rollback_to_a_slug_without_a_worker_hides_it_and_forgets_nothing(database: Database) -> None:
    with database.session() as session:
        app = new_app(session, web="s")
        old = releases.current(session, app)
        deploy(session, app, web="s", worker="w")
        dynos.scale(session, app, [dynos.Update("worker", 2)])
        new = releases.current(session, app)
        releases.roll_back(session, app, to=old, by=app.owner)
        assert shown(session, app) == {"web": "1:Basic"}
        releases.roll_back(session, app, to=new, by=app.owner)
        assert shown(session, app) == {"web": "1:Basic", "worker": "2:Basic"}


@pytest.mark.parametrize(
    ("start", "quantity", "expected"),
    [
        (1, "2", 2),
        (1, 2, 2),
        (1, "+1", 2),
        (3, "-1", 2),
        (3, "-3", 0),
        (1, " 4 ", 4),
        (5, None, 5),
        (1, "0", 0),
        (0, "+100", 100),
    ],
)
def test_quantities(database: Database, start: int, quantity: str | int | None, expected: int) -> None:
    with database.session() as session:
        app = new_app(session, web="s")
        dynos.scale(session, app, [dynos.Update("web", start)])
        (row,) = dynos.scale(session, app, [dynos.Update("web", quantity)])
        assert row.quantity == expected


@pytest.mark.parametrize(
    "quantity", ["", "two", "1.5", "+", "--1", "1e3", "0x1", "٣", "101", -1, "-2", "+100", True, "9999999"]
)
def test_quantities_that_cannot_be(database: Database, quantity: str | int) -> None:
    with database.session() as session:
        app = new_app(session, web="s")
        with pytest.raises(Invalid) as caught:
            dynos.scale(session, app, [dynos.Update("web", quantity)])
        assert "web" in caught.value.what
        assert shown(session, app) == {"web": "1:Basic"}


def test_several_updates_are_carried_out_together_or_not_at_all(database: Database) -> None:
    with database.session() as session:
        app = new_app(session, web="s", worker="w")
        with pytest.raises(Invalid):
            dynos.scale(session, app, [dynos.Update("web", 2), dynos.Update("worker", 1, "Gigantic")])
        assert shown(session, app) == {"web": "1:Basic", "worker": "0:Basic"}
        more = dynos.Update("worker", "+1")
        rows = dynos.scale(session, app, [more, dynos.Update("web", 2), more])
        assert [(row.type, row.quantity) for row in rows] == [("worker", 2), ("web", 2)]


def test_a_process_type_that_is_not_there_is_told_with_those_that_are(database: Database) -> None:
    with database.session() as session:
        app = new_app(session, web="s", worker="w")
        with pytest.raises(NotFound) as caught:
            dynos.scale(session, app, [dynos.Update("wroker", 1)])
        assert caught.value.resource == "formation"
        assert caught.value.what == "Couldn't find that process type (wroker)."
        assert "web, worker" in caught.value.fix


def test_before_the_first_deploy_scaling_says_what_to_do(database: Database) -> None:
    with database.session() as session:
        app = new_app(session)
        with pytest.raises(NotFound) as caught:
            dynos.scale(session, app, [dynos.Update("web", 1)])
        assert "git push heroku main" in caught.value.fix


def test_the_release_process_cannot_be_scaled(database: Database) -> None:
    with database.session() as session:
        app = new_app(session, web="s", release="r")
        with pytest.raises(Invalid):
            dynos.scale(session, app, [dynos.Update("release", 1)])
        dynos.scale(session, app, [dynos.Update("release", 0)])


def test_scaling_forgets_the_crashes_of_that_type_only(database: Database) -> None:
    with database.session() as session:
        app = new_app(session, web="s", worker="w")
        for slot in ("web.1", "worker.1"):
            session.add(Crash(app_id=app.id, slot=slot, count=5))
        dynos.scale(session, app, [dynos.Update("web", 2)])
        assert session.get(Crash, (app.id, "web.1")) is None
        assert session.get(Crash, (app.id, "worker.1")) is not None
        dynos.scale(session, app, [dynos.Update("worker", 0)])
        assert session.get(Crash, (app.id, "worker.1")) is not None, "nothing was changed"


@given(
    st.dictionaries(st.sampled_from(["web", "worker", "clock", "release"]), st.integers(0, LIMIT)),
    st.sets(st.sampled_from(["web", "worker", "clock", "release"])),
)
def test_alignment_has_exactly_the_process_types_and_keeps_what_was_set(
    present: dict[str, int], types: set[str]
) -> None:
    aligned = align({name: Scale(quantity) for name, quantity in present.items()}, types)
    assert set(aligned) == types
    for name, scale in aligned.items():
        assert scale.quantity == present.get(name, 1 if name == "web" else 0)
    assert list(aligned)[:1] == (["web"] if "web" in types else list(aligned)[:1])


@pytest.mark.parametrize(
    ("name", "concurrency"),
    [
        # https://devcenter.heroku.com/articles/python-concurrency
        ("Eco", 2),
        ("Basic", 2),
        ("Standard-1X", 2),
        ("Standard-2X", 4),
        ("Performance-M", 5),
        ("Performance-L", 17),
        ("Performance-L-RAM", 9),
        ("Performance-XL", 17),
        ("Performance-2XL", 33),
        ("Private-S", 4),
        ("Private-M", 5),
        ("Private-L", 17),
    ],
)
def test_web_concurrency_is_the_one_of_herokus_buildpack(name: str, concurrency: int) -> None:
    assert sizes.find(name).web_concurrency == concurrency


def test_sizes_are_found_in_any_case_and_by_old_names() -> None:
    assert sizes.find("STANDARD-2x").name == "Standard-2X"
    assert sizes.find("2X").name == "Standard-2X"
    assert sizes.find("px").name == "Performance-L"
    with pytest.raises(Invalid) as caught:
        sizes.find("huge")
    assert "Standard-1X" in caught.value.fix
