"""Backups, restores and copies: `pg:backups` and its subcommands, `pg:copy`.

The official CLI tells them apart by their types: a backup goes from `pg_dump` to `gof3r` (Heroku's store), a restore
from it to `pg_restore`, a copy from the one to the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from homeport import accounts, addons, apps
from homeport.accounts import Action
from homeport.addons import Kind, transfer_records
from homeport.api.data.databases import wanted
from homeport.api.exchange import Call, Reply, created
from homeport.api.shapes import Shape
from homeport.errors import Invalid, NotFound
from homeport.state import Addon, Transfer

URL_SECONDS = 3600
"""As long as Heroku's."""
DOWNLOAD = "backup download"
OURS = "homeport://backups/"
"""What a backup's `to_url` begins with: the CLI hands it back to us as the source of a restore."""

TYPES = {Kind.BACKUP: ("pg_dump", "gof3r"), Kind.RESTORE: ("gof3r", "pg_restore"), Kind.COPY: ("pg_dump", "pg_restore")}


def shape(call: Call, transfer: Transfer, *, verbose: bool = False) -> Shape:
    at_work = call.data.transfers.under_way.get(transfer.id)
    kind = Kind(transfer.kind)
    from_type, to_type = TYPES[kind]
    return {
        "canceled_at": _stamp(transfer.canceled_at),
        "created_at": _stamp(transfer.created_at),
        "deleted_at": None,
        "finished_at": _finished(transfer),
        "from_name": transfer.from_name,
        "from_type": from_type,
        "from_url": "",
        "from_uuid": transfer.addon_id or "",
        "logs": _lines(transfer.logs if at_work is None or transfer.finished_at else at_work.logs) if verbose else [],
        "num": str(transfer.num),
        "num_keep": 0,
        "options": {},
        "processed_bytes": transfer.processed_bytes or (at_work.processed_bytes if at_work is not None else 0),
        "proof": {name: value for name, value in (transfer.proof or {}).items() if name != "counts"} or None,
        "purged_at": None,
        "schedule": {"uuid": transfer.schedule} if transfer.schedule else None,
        "source_bytes": transfer.source_bytes,
        "started_at": _stamp(transfer.started_at),
        "succeeded": transfer.succeeded,
        "to_name": transfer.to_name,
        "to_type": to_type,
        "to_url": f"{OURS}{transfer.id}" if kind is Kind.BACKUP else "",
        "to_uuid": transfer.addon_id or "",
        "updated_at": _stamp(transfer.updated_at),
        "uuid": transfer.id,
        "warnings": transfer.warnings,
    }


def index(call: Call, session: Session) -> Reply:
    return Reply([shape(call, transfer) for transfer in transfer_records.of_app(session, call.app)])


def info(call: Call, session: Session) -> Reply:
    transfer = transfer_records.find(session, call.app, call.params["transfer"])
    return Reply(shape(call, transfer, verbose=call.query.get("verbose") == "true"))


async def capture(call: Call) -> Reply:
    addon = await wanted(call, Action.DEPLOY)
    name = await call.core.database.run(_known_as, addon)
    return created(shape(call, await call.data.transfers.capture(addon, name)))


async def restore(call: Call) -> Reply:
    """`{backup_url, extensions?}`: a backup's `to_url`, its public URL, or any URL of an archive."""
    addon = await wanted(call, Action.MANAGE)
    name = await call.core.database.run(_known_as, addon)
    url = call.body.text("backup_url")
    if not url.startswith((OURS, "https://", "http://")):
        raise Invalid("backup_url must begin with https:// or http://.")
    own = await call.core.database.run(_own, call, url)
    source = call.data.transfers.path(own) if own is not None else url
    extensions = call.body.texts("extensions") or ()
    return created(shape(call, await call.data.transfers.restore(addon, name, source, extensions)))


async def copy(call: Call) -> Reply:
    """`{from_name, from_url, to_name, to_url}`: into the database of the path, or from it to one elsewhere."""
    body = call.body
    addon = await wanted(call, Action.MANAGE)
    own = (await call.addons.resource(addon)).secret["database"]
    from_url, to_url = body.text("from_url"), body.text("to_url")
    names = body.optional_text("from_name") or "", body.optional_text("to_name") or ""
    target = None if to_url.partition("?")[0].endswith(f"/{own}") else to_url
    if target is not None and not from_url.partition("?")[0].endswith(f"/{own}"):
        raise Invalid("One of the two databases must be the one that the path names.")
    return created(shape(call, await call.data.transfers.copy(addon, names, from_url, target)))


async def cancel(call: Call) -> Reply:
    transfer = await call.core.database.run(_found, call, Action.DEPLOY)
    await call.data.transfers.cancel(transfer)
    renewed = await call.core.database.run(_found, call, Action.DEPLOY)
    return created(shape(call, renewed))


async def destroy(call: Call) -> Reply:
    transfer = await call.core.database.run(_found, call, Action.MANAGE)
    last = shape(call, transfer)
    await call.data.transfers.delete(transfer)
    return Reply(last)


async def public_url(call: Call) -> Reply:
    """A URL that is its own key, for an hour."""
    transfer = await call.core.database.run(_found, call, Action.DEPLOY)
    if Kind(transfer.kind) is not Kind.BACKUP or not transfer.succeeded:
        raise Invalid(f"{transfer_records.name(transfer)} isn't a backup that is done.")
    expires = int(time.time()) + URL_SECONDS
    key = call.core.capabilities.sign(DOWNLOAD, f"{transfer.id}:{expires}")
    url = call.core.urls.stream(f"/backups/{transfer.id}/{expires}/{key}")
    return created({"expires_at": _stamp(datetime.fromtimestamp(expires, UTC)), "url": url})


async def download(call: Call, request: Request) -> Response:  # noqa: ARG001 - it has no body
    transfer = await call.core.database.run(_by_key, call, call.params)
    path = call.data.transfers.path(transfer)
    if not await asyncio.to_thread(path.exists):
        raise NotFound("transfer", "That backup's file is gone.")
    name = f"{transfer.app.name}-{transfer_records.name(transfer)}.dump"
    return FileResponse(path, media_type="application/octet-stream", filename=name)


def _own(session: Session, call: Call, url: str) -> Transfer | None:
    """The backup of ours that a URL means, None for any other URL. Raises `NotFound`."""
    if url.startswith(OURS):
        transfer = session.get(Transfer, url.removeprefix(OURS))
        if transfer is None or not accounts.may(call.actor, Action.DEPLOY, apps.find(session, transfer.app_id)):
            raise NotFound("transfer", "Couldn't find that backup.")
        return transfer
    prefix = call.core.urls.stream("/backups/")
    if not url.startswith(prefix):
        return None
    parts = url.removeprefix(prefix).split("/")
    if len(parts) != 3:
        raise NotFound("transfer", "Couldn't find that backup.")
    return _by_key(session, call, dict(zip(("transfer", "expires", "key"), parts, strict=True)))


def _by_key(session: Session, call: Call, params: Any) -> Transfer:
    """Raises `NotFound` for a key that is wrong or too old."""
    subject = f"{params['transfer']}:{params['expires']}"
    good = call.core.capabilities.allows(params["key"], DOWNLOAD, subject)
    transfer = session.get(Transfer, params["transfer"]) if good else None
    if transfer is None or int(params["expires"]) < time.time():
        raise NotFound(
            "transfer", "This URL has expired, or never was one.", fix="Get another: `heroku pg:backups:url`."
        )
    return transfer


def _found(session: Session, call: Call, action: Action) -> Transfer:
    accounts.require(call.actor, action, call.app)
    return transfer_records.find(session, call.app, call.params["transfer"])


def _known_as(session: Session, addon: Addon) -> str:
    """DATABASE, if that is one of its names on its own app; else the first of them."""
    names = [found.name for found in addons.attachments_of(session, addon) if found.app_id == addon.app_id]
    return "DATABASE" if "DATABASE" in names else (names[0] if names else addon.name)


def _lines(logs: Iterable[Sequence[Any]]) -> list[Shape]:
    return [{"created_at": _stamp(datetime.fromtimestamp(at, UTC)), "message": text} for at, text in logs]


def _finished(transfer: Transfer) -> str | None:
    """With what the test restore found, where the CLI shows it: `Completed 2026-01-01 00:00:00 +0000 (…)`."""
    at = _stamp(transfer.finished_at)
    message = (transfer.proof or {}).get("message")
    return f"{at} ({message})" if at and message else at


def _stamp(at: datetime | None) -> str | None:
    """`2026-01-01 00:00:00 +0000`, as the Data API writes times."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000") if at is not None else None
