"""The rows of backups, restores and copies, and of their schedules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from homeport.errors import Conflict, Invalid, NotFound
from homeport.state import Addon, App, Transfer, TransferSchedule, now

KEPT_BY_HAND = 25
KEPT_DAILY = 7
KEPT_WEEKLY = 4
KEPT_SNAPSHOTS = 5
"""How many backups an app keeps: those made by hand, of each schedule (days, then weeks), and before releases."""


class Kind(Enum):
    BACKUP = "backup"
    """A database into a file of ours."""
    RESTORE = "restore"
    """A file into a database."""
    COPY = "copy"
    """A database into a database."""


@dataclass(frozen=True)
class Order:
    """What is to be done. `schedule` and `release` say what asked for it, if nobody did; `due_at` when that was."""

    kind: Kind
    addon_id: str
    from_name: str
    to_name: str
    schedule: str | None = None
    release: int | None = None
    due_at: datetime | None = None


def order(session: Session, wanted: Order) -> Transfer:
    """Write it down, to be done: with the next number of the app that owns the database.

    In the same step a schedule that asked for it has run: not before, or the day's backup might be forgotten.
    """
    addon = session.get_one(Addon, wanted.addon_id)
    if addon.app is None:
        raise NotFound("add_on")
    last = session.scalar(select(func.max(Transfer.num)).where(Transfer.app_id == addon.app.id)) or 0
    transfer = Transfer(
        app_id=addon.app.id,
        addon_id=addon.id,
        num=last + 1,
        kind=wanted.kind.value,
        from_name=wanted.from_name,
        to_name=wanted.to_name,
        schedule=wanted.schedule,
        release=wanted.release,
    )
    transfer.app = addon.app
    session.add(transfer)
    if wanted.schedule is not None and wanted.due_at is not None:
        ran(session, addon.id, wanted.schedule, wanted.due_at)
    session.flush()
    return transfer


def name(transfer: Transfer) -> str:
    """`b001`, `a002` (scheduled), `r003`, `c004`: what people call it."""
    letter = {Kind.RESTORE.value: "r", Kind.COPY.value: "c"}.get(transfer.kind, "a" if transfer.schedule else "b")
    return f"{letter}{transfer.num:03d}"


def of_app(session: Session, app: App) -> list[Transfer]:
    """Newest first. Their logs, a thousand lines each, are read only where somebody asks for them."""
    wanted = select(Transfer).where(Transfer.app_id == app.id).options(defer(Transfer.logs))
    return list(session.scalars(wanted.order_by(Transfer.num.desc())))


def find(session: Session, app: App, ref: str) -> Transfer:
    """By number or id. Raises `NotFound`."""
    wanted = Transfer.num == int(ref) if ref.isascii() and ref.isdigit() and len(ref) < 10 else Transfer.id == ref
    transfer = session.scalar(select(Transfer).where(Transfer.app_id == app.id, wanted))
    if transfer is None:
        raise NotFound("transfer", "Couldn't find that backup.", fix="See those that there are: `heroku pg:backups`.")
    return transfer


def started(session: Session, transfer_id: str, *, source_bytes: int) -> bool:
    """Whether it is still to be done."""
    transfer = session.get(Transfer, transfer_id)
    if transfer is None or transfer.finished_at is not None:
        return False
    transfer.started_at = now()
    transfer.source_bytes = source_bytes
    return True


@dataclass(frozen=True)
class Outcome:
    """How a transfer ended. `counts` are rows by table at the moment of a backup that is to be proved."""

    succeeded: bool
    logs: Sequence[Sequence[Any]]
    warnings: int = 0
    processed_bytes: int = 0
    counts: dict[str, int] | None = None
    canceled: bool = False


def finished(session: Session, transfer_id: str, outcome: Outcome) -> Transfer | None:
    transfer = session.get(Transfer, transfer_id)
    if transfer is None or transfer.finished_at is not None:
        return transfer
    transfer.finished_at = now()
    transfer.succeeded = outcome.succeeded
    transfer.warnings = outcome.warnings
    transfer.processed_bytes = outcome.processed_bytes
    transfer.logs = [list(line) for line in outcome.logs]
    transfer.proof = {"counts": outcome.counts} if outcome.counts is not None else None
    if outcome.canceled:
        transfer.canceled_at = transfer.finished_at
    return transfer


def proved(session: Session, transfer_id: str, proof: dict[str, Any], lines: Sequence[Sequence[Any]]) -> bool:
    """A test restore has said what the backup is worth; a failed one counts as a warning. False if it is gone now."""
    transfer = session.get(Transfer, transfer_id)
    if transfer is None:
        return False
    transfer.proof = proof
    transfer.logs = [*transfer.logs, *(list(line) for line in lines)]
    if not proof["proved"]:
        transfer.warnings += 1
    return True


def unproved(session: Session) -> list[Transfer]:
    """Backups that wait for their test restore."""
    wanted = select(Transfer).where(Transfer.kind == Kind.BACKUP.value, Transfer.succeeded.is_(True))
    wanted = wanted.options(defer(Transfer.logs))
    return [found for found in session.scalars(wanted.order_by(Transfer.created_at)) if "counts" in (found.proof or {})]


def interrupted(session: Session, before: datetime) -> int:
    """Give up what was under way when an earlier process ended; returns how many there were.

    What a schedule had asked for and nobody had started is due once more.
    """
    left = list(session.scalars(select(Transfer).where(Transfer.finished_at.is_(None), Transfer.created_at < before)))
    for transfer in left:
        if transfer.schedule is not None and transfer.addon_id is not None and transfer.started_at is None:
            ran(session, transfer.addon_id, transfer.schedule, None)
            session.delete(transfer)
            continue
        said = "The platform was stopped while this was under way. Nothing was changed; start it again."
        transfer.finished_at = now()
        transfer.succeeded = False
        transfer.logs = [*transfer.logs, [transfer.finished_at.timestamp(), said]]
    return len(left)


def delete(session: Session, transfer: Transfer) -> Transfer:
    """Raises `Conflict` while it is under way."""
    transfer = session.get_one(Transfer, transfer.id)
    if transfer.finished_at is None:
        raise Conflict(
            f"{name(transfer)} is under way.", fix=f"Cancel it first: `heroku pg:backups:cancel {name(transfer)}`."
        )
    session.delete(transfer)
    return transfer


def prune(session: Session) -> None:
    """Remove the backups that are older than what is kept."""
    for app_id in session.scalars(select(Transfer.app_id).distinct()):
        found = select(Transfer).where(Transfer.app_id == app_id, Transfer.finished_at.is_not(None))
        found = found.options(defer(Transfer.logs))
        for transfer in surplus(list(session.scalars(found.order_by(Transfer.num.desc())))):
            session.delete(transfer)


def surplus(newest_first: Sequence[Transfer]) -> list[Transfer]:
    """Of one app's finished transfers, those not to be kept. Of a schedule, a week's newest stays for some weeks."""
    groups: dict[tuple[str, str | None, str | None], list[Transfer]] = {}
    for transfer in newest_first:
        kind = "snapshot" if transfer.release is not None else transfer.kind
        groups.setdefault((kind, transfer.schedule, transfer.addon_id if transfer.schedule else None), []).append(
            transfer
        )
    gone: list[Transfer] = []
    for rows in groups.values():
        if rows[0].schedule is not None:
            kept = set(_kept_of_schedule(rows))
            gone += [row for row in rows if row.id not in kept]
        else:
            gone += rows[KEPT_BY_HAND if rows[0].release is None else KEPT_SNAPSHOTS :]
    return gone


def _kept_of_schedule(newest_first: Sequence[Transfer]) -> list[str]:
    kept = [row.id for row in newest_first[:KEPT_DAILY]]
    weeks: dict[tuple[int, int], str] = {}
    for row in newest_first:
        if row.succeeded:
            weeks.setdefault(row.created_at.isocalendar()[:2], row.id)
    return kept + list(weeks.values())[:KEPT_WEEKLY]


def file_ids(session: Session) -> set[str]:
    """Ids of all backups whose file is to be there."""
    return set(session.scalars(select(Transfer.id).where(Transfer.kind == Kind.BACKUP.value)))


def schedules(session: Session, addon: Addon) -> list[TransferSchedule]:
    """Those of all databases of its app: the official CLI asks any one of them for the app's schedules."""
    wanted = select(TransferSchedule).join(TransferSchedule.addon).where(Addon.app_id == addon.app_id)
    return list(session.scalars(wanted.order_by(TransferSchedule.name, TransferSchedule.created_at)))


def set_schedule(session: Session, addon: Addon, *, name: str, hour: int, timezone: str) -> TransferSchedule:
    """A daily backup at this hour; one schedule per name, so another time replaces it. Raises `Invalid`."""
    zone(timezone)
    row = session.scalar(
        select(TransferSchedule).where(TransferSchedule.addon_id == addon.id, TransferSchedule.name == name)
    )
    if row is None:
        row = TransferSchedule(addon_id=addon.id, name=name)
        session.add(row)
    row.hour, row.timezone, row.last_run_at = hour, timezone, now()
    session.flush()
    return row


def unschedule(session: Session, addon: Addon, id_or_name: str) -> TransferSchedule:
    """Raises `NotFound`."""
    for row in schedules(session, addon):
        if id_or_name in (row.id, row.name):
            session.delete(row)
            return row
    raise NotFound("schedule", "Couldn't find that schedule.")


def due(session: Session, at: datetime) -> list[TransferSchedule]:
    """Schedules whose hour has come since they last ran: one backup is to be made for all that was missed."""
    return [
        row
        for row in session.scalars(select(TransferSchedule))
        if last_occurrence(row.hour, row.timezone, at) > (row.last_run_at or row.created_at)
    ]


def ran(session: Session, addon_id: str, schedule: str, at: datetime | None) -> None:
    """That was the last time the schedule of that name ran. None: it is as if it never had."""
    wanted = select(TransferSchedule).where(TransferSchedule.addon_id == addon_id, TransferSchedule.name == schedule)
    for row in session.scalars(wanted):
        row.last_run_at = at


def last_occurrence(hour: int, timezone: str, at: datetime) -> datetime:
    """When it was last this hour in that time zone. On a day that skips the hour, it is the one after."""
    local = at.astimezone(zone(timezone))
    today = local.replace(hour=hour, minute=0, second=0, microsecond=0, fold=0)
    if today.astimezone(UTC) > at:
        today = (today - timedelta(days=1)).replace(fold=0)
    return today.astimezone(UTC)


def zone(name: str) -> ZoneInfo:
    """Raises `Invalid`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(
            f"The time zone {name[:50]!r} isn't known.", fix="Use a name such as UTC, Europe/Paris, America/New_York."
        ) from None
