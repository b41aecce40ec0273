from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from homeport.addons import Kind, transfer_records
from homeport.addons.postgres.transfer_records import Order, Outcome
from homeport.errors import Conflict, Invalid, NotFound
from homeport.state import Addon, Transfer
from tests.unit.addons.addon_scene import Scene


@pytest.fixture
def addon(scene: Scene) -> Addon:
    return scene.create(scene.shop, name="main-db")


@pytest.fixture
def session(scene: Scene) -> Iterator[Session]:
    with scene.database.session() as session:
        yield session


def backup(session: Session, addon: Addon, **more: object) -> Transfer:
    wanted = Order(Kind.BACKUP, addon.id, "DATABASE", "BACKUP", **more)  # type: ignore[arg-type]
    return transfer_records.order(session, wanted)


def done(session: Session, transfer: Transfer) -> Transfer:
    transfer_records.started(session, transfer.id, source_bytes=10)
    finished = transfer_records.finished(session, transfer.id, Outcome(True, [(0.0, "Done")], processed_bytes=5))
    assert finished is not None
    return finished


def test_transfers_are_numbered_per_app_and_named_by_kind(session: Session, addon: Addon) -> None:
    made = [
        backup(session, addon),
        backup(session, addon, schedule="DATABASE_URL"),
        transfer_records.order(session, Order(Kind.RESTORE, addon.id, "BACKUP", "DATABASE")),
        transfer_records.order(session, Order(Kind.COPY, addon.id, "A", "B")),
    ]
    assert [transfer_records.name(transfer) for transfer in made] == ["b001", "a002", "r003", "c004"]
    assert [transfer.num for transfer in transfer_records.of_app(session, made[0].app)] == [4, 3, 2, 1]


def test_found_by_number_and_by_id(session: Session, addon: Addon) -> None:
    made = backup(session, addon)
    for ref in ("1", made.id):
        assert transfer_records.find(session, made.app, ref).id == made.id
    for ref in ("2", "b001", "", "9" * 40):
        with pytest.raises(NotFound):
            transfer_records.find(session, made.app, ref)


def test_what_was_under_way_at_a_stop_has_failed(session: Session, addon: Addon) -> None:
    left, whole = backup(session, addon), done(session, backup(session, addon))
    transfer_records.started(session, left.id, source_bytes=10)
    assert transfer_records.interrupted(session, before=datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert left.succeeded is False
    assert "stopped" in left.logs[-1][1]
    assert whole.succeeded is True


def test_one_that_began_after_the_start_is_not_interrupted(session: Session, addon: Addon) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)
    backup(session, addon)
    assert transfer_records.interrupted(session, before) == 0


def test_an_outcome_is_written_down_once(session: Session, addon: Addon) -> None:
    transfer = done(session, backup(session, addon))
    transfer_records.finished(session, transfer.id, Outcome(False, [], canceled=True))
    assert transfer.succeeded is True
    assert transfer.canceled_at is None
    assert transfer_records.started(session, transfer.id, source_bytes=1) is False


def test_only_what_is_done_is_deleted(session: Session, addon: Addon) -> None:
    transfer = backup(session, addon)
    with pytest.raises(Conflict, match="under way"):
        transfer_records.delete(session, transfer)
    done(session, transfer)
    transfer_records.delete(session, transfer)
    assert transfer_records.file_ids(session) == set()


def test_a_failed_proof_is_a_warning(session: Session, addon: Addon) -> None:
    transfer = backup(session, addon, schedule="DATABASE_URL")
    transfer_records.finished(session, transfer.id, Outcome(True, [], counts={"public.people": 3}))
    assert [waiting.id for waiting in transfer_records.unproved(session)] == [transfer.id]
    transfer_records.proved(session, transfer.id, {"proved": False, "message": "x"}, [(0.0, "x")])
    assert transfer.warnings == 1
    assert transfer_records.unproved(session) == []


def finished_at(day: int, *, schedule: str | None = None, release: int | None = None) -> Transfer:
    """One of a series, `day` days after the first."""
    at = datetime(2026, 1, 5, 2, tzinfo=UTC) + timedelta(days=day)  # a Monday
    return Transfer(
        id=str(day), app_id="a", addon_id="d", num=day, kind=Kind.BACKUP.value, from_name="DATABASE", to_name="BACKUP",
        schedule=schedule, release=release, succeeded=True, created_at=at, finished_at=at,
    )  # fmt: skip


def test_of_a_schedule_a_week_of_days_and_some_weeks_are_kept() -> None:
    series = [finished_at(day, schedule="DATABASE_URL") for day in range(60)][::-1]
    gone = {int(transfer.id) for transfer in transfer_records.surplus(series)}
    kept = sorted(set(range(60)) - gone)
    assert kept == [41, 48, *range(53, 60)]  # Sundays of the weeks before, then every day


def test_made_by_hand_and_before_releases_the_newest_are_kept() -> None:
    by_hand = [finished_at(day) for day in range(30)]
    snapshots = [finished_at(day, release=day) for day in range(100, 110)]
    gone = [int(transfer.id) for transfer in transfer_records.surplus([*by_hand, *snapshots][::-1])]
    assert sorted(gone) == [*range(5), *range(100, 105)]


def test_a_schedule_is_due_once_at_its_hour(session: Session, addon: Addon) -> None:
    row = transfer_records.set_schedule(session, addon, name="DATABASE_URL", hour=2, timezone="Europe/Paris")
    row.last_run_at = datetime(2026, 1, 10, 1, 0, tzinfo=UTC)  # 02:00 in Paris
    assert transfer_records.due(session, datetime(2026, 1, 11, 0, 59, tzinfo=UTC)) == []
    at = datetime(2026, 1, 11, 1, 0, 5, tzinfo=UTC)
    assert transfer_records.due(session, at) == [row]
    assert transfer_records.due(session, at) == [row], "it is due until its backup is written down"
    backup(session, addon, schedule="DATABASE_URL", due_at=at)
    assert transfer_records.due(session, datetime(2026, 1, 11, 1, 0, 35, tzinfo=UTC)) == []


def test_a_scheduled_backup_that_nobody_had_started_is_due_again(session: Session, addon: Addon) -> None:
    """The platform was killed between the order and the work; what it had begun is said to have failed instead."""
    row = transfer_records.set_schedule(session, addon, name="DATABASE_URL", hour=2, timezone="UTC")
    row.created_at = row.last_run_at = datetime(2026, 1, 10, 2, tzinfo=UTC)
    at = datetime(2026, 1, 11, 2, 0, 5, tzinfo=UTC)
    for begun in (False, True):
        transfer = backup(session, addon, schedule="DATABASE_URL", due_at=at)
        if begun:
            transfer_records.started(session, transfer.id, source_bytes=10)
        transfer_records.interrupted(session, before=datetime.now(UTC) + timedelta(seconds=1))
        assert transfer_records.due(session, at) == ([] if begun else [row])
    assert [left.succeeded for left in transfer_records.of_app(session, transfer.app)] == [False]


def test_days_that_were_missed_are_made_up_for_by_one_backup(session: Session, addon: Addon) -> None:
    row = transfer_records.set_schedule(session, addon, name="DATABASE_URL", hour=2, timezone="UTC")
    row.last_run_at = datetime(2026, 1, 10, 2, tzinfo=UTC)
    at = datetime(2026, 1, 14, 9, tzinfo=UTC)
    assert transfer_records.due(session, at) == [row]
    backup(session, addon, schedule="DATABASE_URL", due_at=at)
    assert transfer_records.due(session, datetime(2026, 1, 14, 10, tzinfo=UTC)) == []


def test_a_new_schedule_waits_for_its_hour(session: Session, addon: Addon) -> None:
    transfer_records.set_schedule(session, addon, name="DATABASE_URL", hour=0, timezone="UTC")
    assert transfer_records.due(session, datetime.now(UTC)) == []


def test_another_time_replaces_the_first(session: Session, addon: Addon) -> None:
    transfer_records.set_schedule(session, addon, name="DATABASE_URL", hour=2, timezone="UTC")
    transfer_records.set_schedule(session, addon, name="DATABASE_URL", hour=4, timezone="America/New_York")
    (row,) = transfer_records.schedules(session, addon)
    assert (row.hour, row.timezone) == (4, "America/New_York")
    transfer_records.unschedule(session, addon, "DATABASE_URL")
    with pytest.raises(NotFound):
        transfer_records.unschedule(session, addon, "DATABASE_URL")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../../etc/passwd", "/etc/localtime"])
def test_unknown_time_zones_are_refused(session: Session, addon: Addon, zone: str) -> None:
    with pytest.raises(Invalid, match="time zone"):
        transfer_records.set_schedule(session, addon, name="DATABASE_URL", hour=2, timezone=zone)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        # Clocks go forward at 02:00 on 29 March 2026 in Paris: that day has no 02:30, and its 02:00 is 03:00.
        ("2026-03-29T00:30+00:00", "2026-03-28T01:00+00:00"),
        ("2026-03-29T01:30+00:00", "2026-03-29T01:00+00:00"),
        # And back at 03:00 on 25 October: 02:00 comes twice, the first one counts.
        ("2026-10-25T00:30+00:00", "2026-10-25T00:00+00:00"),
        ("2026-10-25T01:30+00:00", "2026-10-25T00:00+00:00"),
        ("2026-10-26T00:59+00:00", "2026-10-25T00:00+00:00"),
    ],
)
def test_the_hour_on_days_when_clocks_change(at: str, expected: str) -> None:
    found = transfer_records.last_occurrence(2, "Europe/Paris", datetime.fromisoformat(at))
    assert found == datetime.fromisoformat(expected)
