"""Daily backups: `pg:backups:schedule`, `schedules`, `unschedule`."""

from __future__ import annotations

from sqlalchemy.orm import Session

from homeport.accounts import Action
from homeport.addons import transfer_records
from homeport.api.data.databases import wanted
from homeport.api.exchange import Call, Reply, created
from homeport.api.shapes import Shape
from homeport.errors import Invalid
from homeport.state import Addon, TransferSchedule

DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]


def _shape(row: TransferSchedule) -> Shape:
    return {
        "callback_url": "",
        "days": DAYS,
        "hour": row.hour,
        "name": row.name,
        "retain_months": 0,
        "retain_weeks": transfer_records.KEPT_WEEKLY,
        "timezone": row.timezone,
        "uuid": row.id,
    }


async def index(call: Call) -> Reply:
    addon = await wanted(call, Action.VIEW)
    return Reply(await call.core.database.run(_listed, addon))


async def create(call: Call) -> Reply:
    addon = await wanted(call, Action.OPERATE)
    hour = call.body.number("hour", least=0, most=23)
    if hour is None:
        raise Invalid("hour is required.")
    row = await call.core.database.run(
        transfer_records.set_schedule,
        addon,
        name=call.body.optional_text("schedule_name") or "DATABASE_URL",
        hour=hour,
        timezone=call.body.optional_text("timezone") or "UTC",
    )
    return created(_shape(row))


async def destroy(call: Call) -> Reply:
    addon = await wanted(call, Action.OPERATE)
    row = await call.core.database.run(transfer_records.unschedule, addon, call.params["schedule"])
    return Reply(_shape(row))


def _listed(session: Session, addon: Addon) -> list[Shape]:
    return [_shape(row) for row in transfer_records.schedules(session, addon)]
