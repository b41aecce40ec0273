from __future__ import annotations

import asyncio
import re

import pytest

from homeport import accounts, addons, apps, releases, slugs
from homeport.addons import State
from homeport.errors import ConfirmationRequired, Conflict, HomeportError, Invalid, NotFound
from homeport.state import Addon
from tests.unit.addons.addon_scene import Scene


def test_a_new_addon_is_there_with_its_config_var_in_a_release(scene: Scene) -> None:
    addon = scene.create(scene.shop)

    assert addon.state == State.PROVISIONED.value
    assert re.fullmatch(r"postgresql-[a-z]+-\d{5}", addon.name)
    assert scene.config(scene.shop) == {"DATABASE_URL": f"fake://u:secret-1@127.0.0.1:5432/{addon.id}"}
    assert scene.history(scene.shop)[1:] == [f"Attach DATABASE (@ref:{addon.name})"]
    with scene.database.session() as session:
        current = releases.current(session, apps.find(session, "shop"))
        assert current.addon_plans == ["heroku-postgresql:essential-0"]
        assert current.addon_vars == ["DATABASE_URL"]


def test_further_ones_get_a_colour(scene: Scene) -> None:
    first, second = scene.create(scene.shop), scene.create(scene.shop)
    attached = scene.attached(scene.shop)
    assert attached.pop("DATABASE") == first.name
    ((name, owner),) = attached.items()
    assert re.fullmatch(r"HEROKU_POSTGRESQL_[A-Z]+", name)
    assert owner == second.name
    assert f"{name}_URL" in scene.config(scene.shop)


def test_a_url_set_by_hand_keeps_its_name(scene: Scene) -> None:
    with scene.database.session() as session:
        releases.set_config(session, apps.find(session, "shop"), {"DATABASE_URL": "postgres://elsewhere"}, by=scene.ada)
    scene.create(scene.shop)
    assert scene.config(scene.shop)["DATABASE_URL"] == "postgres://elsewhere"
    assert "DATABASE" not in scene.attached(scene.shop)


def test_overwriting_wants_to_be_confirmed(scene: Scene) -> None:
    with scene.database.session() as session:
        releases.set_config(session, apps.find(session, "shop"), {"DATABASE_URL": "postgres://elsewhere"}, by=scene.ada)
    with pytest.raises(ConfirmationRequired, match="DATABASE_URL"):
        scene.create(scene.shop, attachment="DATABASE")
    assert scene.names(scene.shop) == []
    assert scene.postgres.made == {}

    scene.create(scene.shop, attachment="DATABASE", confirm="shop")
    assert scene.config(scene.shop)["DATABASE_URL"].startswith("fake://")


def test_the_same_name_twice_is_refused(scene: Scene) -> None:
    scene.create(scene.shop, name="main-db")
    with pytest.raises(Invalid, match="already taken"):
        scene.create(scene.jobs, name="main-db")
    with pytest.raises(Invalid, match="letter"):
        scene.create(scene.jobs, name="7 dwarfs")


def test_what_cannot_be_had_leaves_nothing_behind(scene: Scene) -> None:
    for plan, error in (
        ("heroku-postgresql:gigantic", Invalid),
        ("heroku-kafka", Invalid),
        ("heroku-redis:mini", NotFound),  # no provider here
    ):
        with pytest.raises(error):
            scene.create(scene.shop, plan)
    with pytest.raises(Invalid, match="no option colour"):
        scene.create(scene.shop, options={"colour": "red"})
    assert scene.names(scene.shop) == []


def test_an_app_has_one_scheduler(scene: Scene) -> None:
    scene.create(scene.shop, "scheduler")
    with pytest.raises(Invalid, match="one is all"):
        scene.create(scene.shop, "scheduler:standard")


def test_old_plan_names_are_had_under_their_name(scene: Scene) -> None:
    assert scene.create(scene.shop, "heroku-postgresql:hobby-dev").plan == "hobby-dev"


def test_a_provider_that_fails_leaves_nothing_behind_and_says_why(scene: Scene) -> None:
    scene.postgres.fails = HomeportError("disk_full", "The disk is full.")
    with pytest.raises(HomeportError, match="disk is full"):
        scene.create(scene.shop, name="main-db")
    assert scene.names(scene.shop) == []
    assert scene.config(scene.shop) == {}
    assert scene.history(scene.shop) == ["Initial release"]
    assert scene.create(scene.shop, name="main-db").name == "main-db"


def test_what_takes_long_goes_on_without_its_request(scene: Scene) -> None:
    async def slowly() -> Addon:
        scene.postgres.hold = asyncio.Event()
        platform = scene.reopened(patience=0.01)
        addon = await platform.create(scene.shop.id, addons.Wish(platform.plan("heroku-postgresql")), by=scene.ada)
        assert addon.state == State.PROVISIONING.value
        scene.postgres.hold.set()
        await platform.sync()  # waits for its turn behind the request's
        await platform.close()
        return addon

    addon = asyncio.run(slowly())
    assert scene.config(scene.shop)["DATABASE_URL"].endswith(addon.id)


def test_a_restart_finishes_what_was_begun(scene: Scene) -> None:
    """The daemon was killed after the row was written and before the provider had done its work."""

    async def killed() -> Addon:
        scene.postgres.hold = asyncio.Event()
        platform = scene.reopened(patience=0.01)
        addon = await platform.create(scene.shop.id, addons.Wish(platform.plan("heroku-postgresql")), by=scene.ada)
        await platform.close()
        return addon

    addon = asyncio.run(killed())
    assert scene.postgres.made == {}
    scene.postgres.hold = None
    scene.run(scene.reopened().sync())
    assert scene.config(scene.shop)["DATABASE_URL"].endswith(addon.id)
    expected = f"@ref:{addon.name} completed provisioning, setting DATABASE_URL."
    assert scene.history(scene.shop)[-1] == expected


def test_attached_to_another_app_and_taken_off_again(scene: Scene) -> None:
    addon = scene.create(scene.shop)
    attachment = scene.run(scene.addons.attach(addon, scene.jobs, by=scene.ada, name="primary"))
    assert scene.attached(scene.jobs) == {"PRIMARY": addon.name}
    assert scene.config(scene.jobs)["PRIMARY_URL"] == scene.config(scene.shop)["DATABASE_URL"]

    again = scene.run(scene.addons.attach(addon, scene.jobs, by=scene.ada, name="PRIMARY"))
    assert again.id == attachment.id
    scene.run(scene.addons.detach(attachment, by=scene.ada))
    assert scene.config(scene.jobs) == {}
    ref = f"PRIMARY (@ref:{addon.name})"
    assert scene.history(scene.jobs)[1:] == [f"Attach {ref}", f"Detach {ref}"]


def test_promotion_detaches_the_old_and_attaches_the_new(scene: Scene) -> None:
    old, new = scene.create(scene.shop), scene.create(scene.shop, attachment="NEXT")
    with pytest.raises(ConfirmationRequired, match=old.name):
        scene.run(scene.addons.attach(new, scene.shop, by=scene.ada, name="DATABASE"))
    scene.run(scene.addons.attach(new, scene.shop, by=scene.ada, name="DATABASE", confirm="shop"))
    assert scene.config(scene.shop)["DATABASE_URL"].endswith(new.id)
    expected = [f"Detach DATABASE (@ref:{old.name})", f"Attach DATABASE (@ref:{new.name})"]
    assert scene.history(scene.shop)[-2:] == expected


def test_a_scheduler_is_not_shared(scene: Scene) -> None:
    addon = scene.create(scene.shop, "scheduler")
    with pytest.raises(Invalid, match="can't be shared"):
        scene.run(scene.addons.attach(addon, scene.jobs, by=scene.ada))


def test_upgrading_keeps_the_password(scene: Scene) -> None:
    addon = scene.create(scene.shop)
    before = scene.config(scene.shop)
    plan = scene.addons.plan("heroku-postgresql:standard-0")
    changed = scene.run(scene.addons.change_plan(addon, plan, by=scene.ada))
    assert changed.plan == "standard-0"
    assert scene.postgres.made[addon.id].plan.name == "standard-0"
    assert scene.config(scene.shop) == before
    with scene.database.session() as session:
        assert releases.current(session, apps.find(session, "shop")).addon_plans == ["heroku-postgresql:standard-0"]
    with pytest.raises(Invalid, match="isn't a plan"):
        scene.run(scene.addons.change_plan(addon, scene.addons.plan("scheduler"), by=scene.ada))


def test_renaming(scene: Scene) -> None:
    addon, other = scene.create(scene.shop), scene.create(scene.jobs)
    assert scene.run(scene.addons.rename(addon, "main-db")).name == "main-db"
    with pytest.raises(Invalid, match="taken"):
        scene.run(scene.addons.rename(other, "main-db"))


def test_destroyed_everywhere_at_once_and_cleared_away_later(scene: Scene) -> None:
    addon = scene.create(scene.shop, name="main-db")
    scene.run(scene.addons.attach(addon, scene.jobs, by=scene.ada))
    with pytest.raises(Conflict, match="jobs"):
        scene.run(scene.addons.destroy(addon, by=scene.ada))
    scene.run(scene.addons.destroy(addon, by=scene.ada, force=True))
    assert scene.names(scene.shop) == []
    assert scene.config(scene.shop) == scene.config(scene.jobs) == {}
    assert scene.history(scene.jobs)[-1] == "Detach DATABASE (@ref:main-db)"
    assert addon.id in scene.postgres.made

    assert scene.create(scene.shop, name="main-db").id != addon.id  # the name is free at once
    scene.run(scene.reopened().sync())
    assert addon.id not in scene.postgres.made


def test_clearing_away_is_tried_again_with_patience(scene: Scene) -> None:
    addon = scene.create(scene.shop)
    scene.run(scene.addons.destroy(addon, by=scene.ada))
    scene.postgres.fails = HomeportError("server_gone", "The server is away.")
    scene.run(scene.addons.sync())
    scene.run(scene.addons.sync())  # too early
    assert addon.id in scene.postgres.made
    scene.now += 5.1
    scene.run(scene.addons.sync())
    assert scene.postgres.made == {}


def test_an_apps_end_is_the_end_of_its_addons(scene: Scene) -> None:
    addon = scene.create(scene.shop)
    scene.run(scene.addons.attach(addon, scene.jobs, by=scene.ada))
    with scene.database.session() as session:
        apps.destroy(session, apps.find(session, "shop"))
    scene.run(scene.addons.sync())
    assert scene.config(scene.jobs) == {}
    assert scene.history(scene.jobs)[-1] == f"Detach DATABASE (@ref:{addon.name})"
    scene.run(scene.addons.sync())
    assert scene.postgres.made == {}


def test_a_server_that_moved_is_followed_by_every_app(scene: Scene) -> None:
    addon = scene.create(scene.shop)
    scene.run(scene.addons.attach(addon, scene.jobs, by=scene.ada))
    scene.postgres.port = 5433
    scene.run(scene.addons.sync())
    for app in (scene.shop, scene.jobs):
        assert ":secret-1@127.0.0.1:5433/" in scene.config(app)["DATABASE_URL"]
        assert scene.history(app)[-1] == "Update DATABASE by heroku-postgresql"
    scene.run(scene.addons.sync())
    assert len(scene.history(scene.jobs)) == 3


def test_people_cannot_overwrite_what_an_addon_sets(scene: Scene) -> None:
    scene.create(scene.shop)
    with scene.database.session() as session:
        for change in ({"DATABASE_URL": "postgres://mine"}, {"DATABASE_URL": None}):
            with pytest.raises(Invalid, match="Cannot overwrite attachment values DATABASE_URL"):
                releases.set_config(session, apps.find(session, "shop"), change, by=scene.ada)
        releases.set_config(session, apps.find(session, "shop"), {"DEBUG": "1"}, by=scene.ada)
    assert set(scene.config(scene.shop)) == {"DATABASE_URL", "DEBUG"}


def test_rolling_back_leaves_addons_as_they_are(scene: Scene) -> None:
    gone = scene.create(scene.shop)
    with scene.database.session() as session:
        shop = apps.find(session, "shop")
        releases.set_config(session, shop, {"DEBUG": "1"}, by=scene.ada)
        slug = slugs.record(
            session,
            shop,
            code="c",
            layers=[],
            profile={},
            process_types={},
            commit=None,
            buildpack="Python",
            size=1,
        )
        then = releases.create(session, shop, by=scene.ada, description="Deploy", slug=slug)
    scene.run(scene.addons.destroy(gone, by=scene.ada))
    new = scene.create(scene.shop, attachment="MAIN")
    with scene.database.session() as session:
        shop = apps.find(session, "shop")
        releases.set_config(session, shop, {"DEBUG": None}, by=scene.ada)
        releases.roll_back(session, shop, to=releases.find(session, shop, str(then.version)), by=scene.ada)
    values = scene.config(scene.shop)
    assert set(values) == {"DEBUG", "MAIN_URL"}
    assert values["MAIN_URL"].endswith(new.id)


def test_secrets_are_sealed(scene: Scene) -> None:
    addon = scene.create(scene.shop)
    assert addon.secret is not None
    assert b"secret-1" not in addon.secret
    assert "secret-1" not in repr(scene.run(scene.addons.resource(addon)))


def test_resolving_what_people_call_things(scene: Scene) -> None:
    addon = scene.create(scene.shop, name="main-db")
    other = scene.create(scene.jobs, name="jobs-db")
    with scene.database.session() as session:
        for ref in ("main-db", addon.id, "DATABASE", "database", "heroku-postgresql"):
            assert [found.id for found in addons.resolve(session, scene.ada, ref, scene.shop)] == [addon.id]
        everywhere = addons.resolve(session, scene.ada, "heroku-postgresql", None)
        assert {found.id for found in everywhere} == {addon.id, other.id}
        assert addons.resolve(session, scene.ada, "jobs::DATABASE", None)[0].id == other.id
        with pytest.raises(NotFound) as missing:
            addons.resolve(session, scene.ada, "jobs-db", scene.shop)
        assert missing.value.resource == "add_on"
        stranger = accounts.create_user(session, "bob@example.com")
        with pytest.raises(NotFound):
            addons.resolve(session, stranger, "main-db", None)
        for ref in ("DATABASE", "DATABASE_URL", "main-db"):
            (found,) = addons.resolve_attachment(session, scene.ada, ref, scene.shop)
            assert (found.app_id, found.name) == (scene.shop.id, "DATABASE")


def test_a_new_password_reaches_every_app_and_the_provider(scene: Scene) -> None:
    addon = scene.create(scene.shop)
    scene.run(scene.addons.attach(addon, scene.jobs, by=scene.ada))
    scene.run(scene.addons.renew(addon, {"password": "another"}))
    for app in (scene.shop, scene.jobs):
        assert ":another@" in scene.config(app)["DATABASE_URL"]
        assert scene.history(app)[-1] == "Update DATABASE by heroku-postgresql"
        assert len(scene.history(app)) == 3
    assert scene.postgres.made[addon.id].secret["password"] == "another"


def test_a_restart_settles_a_password_that_was_only_written_down(scene: Scene) -> None:
    addon = scene.create(scene.shop)
    scene.postgres.fails = HomeportError("server_gone", "The server is away.")
    with pytest.raises(HomeportError):
        scene.run(scene.addons.renew(addon, {"password": "another"}))
    assert ":another@" in scene.config(scene.shop)["DATABASE_URL"]
    scene.run(scene.reopened().sync())
    assert scene.postgres.made[addon.id].secret["password"] == "another"
    assert len(scene.history(scene.shop)) == 3
