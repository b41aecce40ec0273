"""https://devcenter.heroku.com/articles/release-phase: the command of an app runs before each of its releases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from homeport import addons, apps, releases
from homeport.deploys import Launch
from homeport.engine import Spec
from homeport.engine.fake import Behaviour
from homeport.errors import Invalid
from homeport.state import App, Attachment, Database, Release
from tests.integration.deploys.release_ground import Ground, fails_with, is_command, never_ends


@pytest.fixture
def ground(database: Database, tmp_path: Path) -> Ground:
    return Ground(database, tmp_path)


def test_a_config_var_is_set_when_the_release_command_has_succeeded_with_it(ground: Ground) -> None:
    made = ground.set(GREETING="hello")
    assert (made.version, made.status, ground.variables(made)) == (3, "pending", {"GREETING": "hello"})
    assert (ground.current().version, ground.variables()) == (2, {})
    ground.carried_out()
    assert (ground.current().version, ground.variables()) == (3, {"GREETING": "hello"})
    assert [env["GREETING"] for env in ground.commands()] == ["hello"]
    assert ground.output(made) == "migrating\n"
    by = "by user ada@example.com"
    assert ground.said == [f"Running release v3 commands {by}", f"Release v3 created {by}"]


def test_it_is_not_set_when_the_release_command_fails(ground: Ground) -> None:
    made = ground.set(BROKEN="1")
    ground.carried_out()
    assert ground.states() == [(3, "failed")]
    assert (ground.current().version, ground.variables()) == (2, {})
    assert (
        ground.output(made) == "migrating\n !     The release command failed with exit code 1: v2 goes on as it was.\n"
    )
    assert ground.said[-1] == "Release v3 failed: The release command of v3 failed with exit code 1."


def test_changes_that_wait_build_upon_each_other(ground: Ground) -> None:
    ground.set(A="1", GONE="x")
    ground.set(B="2", GONE=None)
    third = ground.set(A="3")
    assert ground.variables(third) == {"A": "3", "B": "2"}
    ground.carried_out()
    assert ground.states() == [(3, "succeeded"), (4, "succeeded"), (5, "succeeded")]
    assert ground.variables() == {"A": "3", "B": "2"}


def test_they_have_nothing_of_one_that_failed(ground: Ground) -> None:
    ground.set(BROKEN="1", SHARED="of both")
    ground.set(GOOD="2", SHARED="of both")
    ground.carried_out()
    assert ground.states() == [(3, "failed"), (4, "succeeded")]
    assert ground.variables() == {"GOOD": "2", "SHARED": "of both"}


def test_what_waits_already_is_no_change(ground: Ground) -> None:
    first = ground.set(A="1")
    assert ground.set(A="1").id == first.id
    assert ground.states() == [(3, "pending")]


def test_a_snapshot_is_taken_before_each_command(ground: Ground) -> None:
    ground.set(A="1")
    ground.set(B="2")
    ground.carried_out()
    assert ground.snapshots.taken == [3, 4]


def test_without_a_release_command_all_is_current_at_once(ground: Ground) -> None:
    ground.deploy("plain", command=False)
    assert ground.set(A="1").status == "succeeded"
    assert (ground.current().version, ground.variables()) == (4, {"A": "1"})
    assert ground.roll_back(3).status == "succeeded"
    assert ground.variables() == {}


def test_a_rollback_runs_the_command_of_the_code_that_it_returns_to(ground: Ground) -> None:
    ground.set(A="1")
    ground.carried_out()
    ground.deploy("plain", command=False)
    ground.set(A="2")
    made = ground.roll_back(3)
    assert (made.version, made.status) == (6, "pending")
    ground.carried_out()
    assert (ground.current().version, ground.variables()) == (6, {"A": "1"})
    assert ground.commands()[-1]["A"] == "1"


def test_a_rollback_whose_command_fails_changes_nothing(ground: Ground) -> None:
    ground.set(A="1")
    ground.carried_out()
    ground.behaviour = lambda spec: Behaviour(exit_code=7 if is_command(spec) else None)
    ground.roll_back(2)
    ground.carried_out()
    assert ground.states() == [(3, "succeeded"), (4, "failed")]
    assert (ground.current().version, ground.variables()) == (3, {"A": "1"})


def test_a_rollback_beneath_a_migration_says_what_to_do(ground: Ground) -> None:
    """Alembic in older code does not know the migration that newer code has made."""
    ground.deploy("two")
    missed = b"Error: Can't locate revision identified by '0002'"
    ground.behaviour = lambda spec: Behaviour(exit_code=1, lines=(missed,)) if is_command(spec) else Behaviour()
    made = ground.roll_back(2)
    ground.carried_out()
    assert ground.current().version == 3
    output = ground.output(made)
    assert "The database is at migration 0002, which this code does not have" in output
    assert 'heroku run --app shop "flask db downgrade"' in output


def test_a_rollback_to_code_without_a_command_needs_none_but_its_turn(ground: Ground) -> None:
    ground.deploy("plain", command=False)
    ground.deploy("two")
    ground.set(A="1")
    ground.roll_back(3)
    ground.carried_out()
    assert ground.states()[2:] == [(5, "succeeded"), (6, "succeeded")]
    assert (ground.current().version, ground.variables()) == (6, {})
    assert len(ground.commands()) == 1


def test_a_retry_tries_the_same_change_again(ground: Ground) -> None:
    ground.set(BROKEN="1")
    ground.carried_out()
    ground.behaviour = fails_with("NOTHING")
    assert ground.retry().description == "Retry of v3: Set BROKEN config vars"
    ground.carried_out()
    assert ground.states() == [(3, "failed"), (4, "succeeded")]
    assert ground.variables() == {"BROKEN": "1"}


def test_a_retry_of_a_rollback_is_a_rollback(ground: Ground) -> None:
    ground.set(A="1")
    ground.carried_out()
    ground.behaviour = lambda spec: Behaviour(exit_code=7 if is_command(spec) else None)
    ground.roll_back(2)
    ground.carried_out()
    ground.behaviour = fails_with("NOTHING")
    ground.retry()
    ground.carried_out()
    assert (ground.current().version, ground.variables()) == (5, {})


def test_a_retry_of_what_succeeded_runs_its_command_once_more(ground: Ground) -> None:
    ground.set(A="1")
    ground.carried_out()
    ground.retry()
    ground.carried_out()
    assert (ground.current().version, ground.variables()) == (4, {"A": "1"})
    assert len(ground.commands()) == 2


def test_a_killed_platform_takes_up_what_it_has_left(ground: Ground) -> None:
    ground.behaviour = never_ends
    ground.set(A="1")
    ground.set(B="2")

    async def die_in_between() -> None:
        async with ground.running():
            await ground.until(lambda: len(ground.commands()) == 1)

    asyncio.run(die_in_between())
    assert ground.states() == [(3, "pending"), (4, "pending")]
    ground.behaviour = fails_with("NOTHING")
    ground.carried_out()
    assert ground.states() == [(3, "succeeded"), (4, "succeeded")]
    assert ground.variables() == {"A": "1", "B": "2"}


def test_what_a_killed_platform_has_left_running_is_gone_before_it_runs_again(ground: Ground) -> None:
    ground.behaviour = never_ends
    ground.set(A="1")

    async def die_in_between() -> None:
        async with ground.running():
            await ground.until(lambda: len(ground.commands()) == 1)

    asyncio.run(die_in_between())
    (left,) = [spec for spec in ground.world.started if is_command(spec)]
    seen: list[bool] = []

    def behaviour(spec: Spec) -> Behaviour:
        if is_command(spec):
            seen.append(left.id in ground.world.dynos)
            return Behaviour(exit_code=0)
        return Behaviour()

    ground.behaviour = behaviour
    ground.carried_out()
    assert seen == [False]


def test_a_command_that_always_kills_the_platform_is_given_up(ground: Ground) -> None:
    ground.behaviour = never_ends
    ground.set(A="1")

    async def die(attempt: int) -> None:
        async with ground.running():
            await ground.until(lambda: len(ground.commands()) == attempt)

    for attempt in range(1, releases.MOST_ATTEMPTS + 1):
        asyncio.run(die(attempt))
    ground.carried_out()
    assert ground.states() == [(3, "failed")]
    assert "stopped 3 times" in ground.said[-1]
    assert ground.current().version == 2


def test_an_app_that_is_destroyed_meanwhile_is_no_trouble(ground: Ground, caplog: pytest.LogCaptureFixture) -> None:
    ground.behaviour = never_ends
    ground.set(A="1")

    async def destroy_in_between() -> None:
        async with ground.running() as releaser:
            await ground.until(lambda: len(ground.commands()) == 1)
            with ground.database.session() as session:
                apps.destroy(session, session.get_one(App, ground.shop.id))
            await ground.until(lambda: not releaser.busy)

    asyncio.run(destroy_in_between())
    assert not caplog.records


# Deploys and changes take turns


def launched(ground: Ground, release: Release, previous: Release) -> Launch:
    return Launch(ground.shop, ground.ada, release, previous, again="push again")


def test_a_change_waits_for_the_deploy_that_has_the_turn_and_has_its_code(ground: Ground) -> None:
    async def change_in_between() -> None:
        async with ground.running():
            async with ground.launcher.turns.take(ground.shop.id, lambda _line: None):
                ground.set(A="1")
                pushed = ground.deploy("two", pending=True)
                await ground.launcher.launch(
                    launched(ground, pushed, ground.current()), lambda _line: None,
                    lambda session: releases.succeed(session, pushed, attached=ground.addons.attached),
                )  # fmt: skip
                assert (ground.current().version, ground.variables()) == (4, {})
            await ground.until_over()

    asyncio.run(change_in_between())
    current = ground.current()
    # v4 came before v3, and numbers grow: what v3 changes is v5, whose command has run as v3's.
    assert ground.states() == [(3, "succeeded"), (4, "succeeded"), (5, "succeeded")]
    assert (current.version, current.description, ground.variables()) == (5, "Set A config vars", {"A": "1"})
    assert current.slug is not None
    assert current.slug.code == "two"
    assert ["A" in env for env in ground.commands()] == [False, True], "the deploy has nothing of what waits"


# Add-ons


def test_the_config_vars_of_an_add_on_come_when_the_command_has_succeeded_with_them(ground: Ground) -> None:
    made = asyncio.run(ground.create())
    assert made.state == "provisioned"
    assert ground.states() == [(3, "pending")]
    assert ground.variables() == {}
    ground.carried_out()
    assert set(ground.variables()) == {"DATABASE_URL"}
    assert ground.commands()[0]["DATABASE_URL"] == ground.variables()["DATABASE_URL"]
    assert ground.current().description == f"Attach DATABASE (@ref:{made.name})"
    assert ground.current().addon_plans == ["heroku-postgresql:essential-0"]


def test_an_add_on_stays_when_the_command_fails_and_its_config_vars_come_with_the_next_release(ground: Ground) -> None:
    ground.behaviour = fails_with("DATABASE_URL")
    made = asyncio.run(ground.create())
    ground.carried_out()
    assert ground.states() == [(3, "failed")]
    assert ground.variables() == {}
    with ground.database.session() as session:
        assert [found.name for found in addons.of_app(session, ground.shop)] == [made.name]
        assert [found.name for found in addons.attachments(session, ground.shop)] == ["DATABASE"]
    ground.behaviour = fails_with("NOTHING")
    ground.set(A="1")
    ground.carried_out()
    assert set(ground.variables()) == {"A", "DATABASE_URL"}


def test_they_come_with_the_next_deploy_too(ground: Ground) -> None:
    ground.behaviour = fails_with("DATABASE_URL")
    asyncio.run(ground.create())
    ground.carried_out()
    pushed = ground.deploy("plain", command=False, pending=True)

    async def push() -> None:
        async with ground.running():
            previous = ground.current()
            # The platform begins with failing what was pending; so this push is another.
            again = ground.deploy("plain", command=False, pending=True)
            await ground.launcher.launch(
                launched(ground, again, previous), lambda _line: None,
                lambda session: releases.succeed(session, again, attached=ground.addons.attached),
            )  # fmt: skip

    asyncio.run(push())
    assert ground.states() == [(3, "failed"), (pushed.version, "failed"), (5, "succeeded")]
    assert set(ground.variables()) == {"DATABASE_URL"}


def test_what_is_attached_cannot_be_set_by_hand_though_it_waits(ground: Ground) -> None:
    asyncio.run(ground.create())
    with pytest.raises(Invalid, match="Cannot overwrite attachment values DATABASE_URL"):
        ground.set(DATABASE_URL="mine")


def test_what_is_attached_no_more_can_be_set_by_hand_though_the_app_still_runs_with_it(ground: Ground) -> None:
    """An app that cannot be released without a database gets one of elsewhere instead."""
    made = asyncio.run(ground.create())
    ground.carried_out()
    old = ground.variables()["DATABASE_URL"]

    def needs_a_database(spec: Spec) -> Behaviour:
        return Behaviour(exit_code=int("DATABASE_URL" not in spec.env)) if is_command(spec) else Behaviour()

    ground.behaviour = needs_a_database
    asyncio.run(ground.addons.destroy(made, by=ground.ada))
    ground.carried_out()
    assert ground.states() == [(3, "succeeded"), (4, "failed")]
    assert ground.variables() == {"DATABASE_URL": old}, "what runs goes on as it was"
    ground.set(DATABASE_URL="postgres://elsewhere")
    ground.carried_out()
    assert ground.variables() == {"DATABASE_URL": "postgres://elsewhere"}
    assert ground.current().addon_vars == []


def test_a_new_password_is_in_force_at_once(ground: Ground) -> None:
    made = asyncio.run(ground.create())
    ground.carried_out()
    ran = len(ground.commands())
    asyncio.run(ground.addons.renew(made, {"password": "new"}))
    assert ":new@" in ground.variables()["DATABASE_URL"]
    assert ground.current().description == "Update DATABASE by heroku-postgresql"
    ground.carried_out()
    assert len(ground.commands()) == ran


def test_it_brings_nothing_that_waits_or_has_failed(ground: Ground) -> None:
    first = asyncio.run(ground.create())
    ground.carried_out()
    second = asyncio.run(ground.create())
    asyncio.run(ground.addons.renew(first, {"password": "new"}))
    assert set(ground.variables()) == {"DATABASE_URL"}
    assert ground.states() == [(3, "succeeded"), (4, "pending"), (5, "succeeded")]
    ground.carried_out()
    (name,) = set(ground.variables()) - {"DATABASE_URL"}
    assert second.id in ground.variables()[name]
    assert ":new@" in ground.variables()["DATABASE_URL"], "v4 builds upon v5"
    assert ground.current().version == 6


def test_a_new_password_counts_for_the_database_that_runs_though_another_is_being_promoted(ground: Ground) -> None:
    first = asyncio.run(ground.create())
    second = asyncio.run(ground.create())
    ground.carried_out()
    asyncio.run(ground.addons.attach(first, ground.shop, by=ground.ada, name="OLD"))
    ground.carried_out()
    asyncio.run(ground.addons.attach(second, ground.shop, by=ground.ada, name="DATABASE", confirm="shop"))
    asyncio.run(ground.addons.renew(first, {"password": "new"}))
    running = ground.variables()["DATABASE_URL"]
    assert first.id in running
    assert ":new@" in running
    ground.carried_out()
    assert second.id in ground.variables()["DATABASE_URL"]


def test_what_promotes_a_database_runs_the_command_once(ground: Ground) -> None:
    first = asyncio.run(ground.create())
    second = asyncio.run(ground.create())
    ground.carried_out()
    assert first.id in ground.variables()["DATABASE_URL"]
    ran = len(ground.commands())
    asyncio.run(ground.addons.attach(second, ground.shop, by=ground.ada, name="DATABASE", confirm="shop"))
    descriptions = {release.description: release.status for release in _newest(ground, 2)}
    assert descriptions == {
        f"Attach DATABASE (@ref:{second.name})": "pending",
        f"Detach DATABASE (@ref:{first.name})": "pending",
    }
    ground.carried_out()
    assert {release.status for release in _newest(ground, 2)} == {"succeeded"}
    assert second.id in ground.variables()["DATABASE_URL"]
    assert len(ground.commands()) == ran + 1


def test_a_promotion_of_a_database_that_fails_keeps_the_old_one(ground: Ground) -> None:
    first = asyncio.run(ground.create())
    second = asyncio.run(ground.create())
    ground.carried_out()
    ground.behaviour = lambda spec: Behaviour(exit_code=7 if is_command(spec) else None)
    asyncio.run(ground.addons.attach(second, ground.shop, by=ground.ada, name="DATABASE", confirm="shop"))
    ground.carried_out()
    # As the official CLI reads it: the new one is not attached, and the old one still is.
    assert {release.status for release in _newest(ground, 2)} == {"failed"}
    assert first.id in ground.variables()["DATABASE_URL"]


def test_a_detached_add_on_is_in_force_until_the_command_has_succeeded_without_it(ground: Ground) -> None:
    asyncio.run(ground.create())
    ground.carried_out()
    with ground.database.session() as session:
        (attachment,) = addons.attachments(session, ground.shop)
        found = session.get_one(Attachment, attachment.id)
    asyncio.run(ground.addons.detach(found, by=ground.ada))
    assert set(ground.variables()) == {"DATABASE_URL"}
    ground.carried_out()
    assert ground.variables() == {}
    assert "DATABASE_URL" not in ground.commands()[-1]


def _newest(ground: Ground, count: int) -> list[Release]:
    with ground.database.session() as session:
        return releases.history(session, ground.shop, newest=count)
