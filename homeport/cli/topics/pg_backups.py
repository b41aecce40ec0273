"""`homeport pg:backups`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from homeport.cli import layout
from homeport.cli.call import Call
from homeport.cli.confirmation import confirm
from homeport.cli.errors import UsageError
from homeport.cli.topics.pg import database, databases, extensions, find
from homeport.cli.topics.pg_transfers import follow, name, status, transfers_of
from homeport.errors import HomeportError

Item = dict[str, Any]

_AT = re.compile(r"(\d{1,2}):00 ?(\S*)")


def list_backups(call: Call) -> None:
    transfers = call.api.get(transfers_of(call.app))
    if call.has("json"):
        call.terminal.json(transfers)
        return
    ink = call.terminal.ink
    kinds = (
        ("Backups", "b a", "No backups. Capture one with homeport pg:backups:capture", ("from_name",)),
        ("Restores", "r", "No restores found. Use homeport pg:backups:restore to restore a backup", ("to_name",)),
        (
            "Copies",
            "c",
            "No copies found. Use homeport pg:copy to copy a database to another",
            ("from_name", "to_name"),
        ),
    )
    for title, letters, none, names in kinds:
        call.terminal.out(layout.header(title, ink))
        rows = [
            (
                ink.name(name(item)),
                item["created_at"],
                status(item),
                layout.file_size(item["processed_bytes"]),
                *(item[key] for key in names),
            )
            for item in transfers
            if name(item)[0] in letters
        ]
        columns = ("ID", "Created at", "Status", "Size", *(("Database",) if len(names) == 1 else ("From", "To")))
        call.terminal.out(layout.table(columns, rows) if rows else f"{none}\n")


def capture(call: Call) -> None:
    addon = find(call, call.argument)["addon"]
    with call.terminal.doing(f"Starting backup of {call.terminal.talk_ink.name(addon['name'])}"):
        transfer = call.api.post(database(addon, "backups"))
    follow(call, addon["app"]["name"], transfer, f"Backing up {transfer['from_name']} to {name(transfer)}")


def info(call: Call) -> None:
    transfer = call.api.get(f"{transfers_of(call.app, _number(call, call.argument))}?verbose=true")
    if call.has("json"):
        call.terminal.json(transfer)
        return
    ink = call.terminal.ink
    call.terminal.out(layout.header(f"Backup {ink.name(name(transfer))}", ink))
    facts = [
        ("Database", transfer["from_name"]),
        ("Started at", transfer["started_at"]),
        ("Finished at", transfer["finished_at"]),
        ("Status", status(transfer)),
        ("Type", "Scheduled" if transfer["schedule"] else "Manual"),
        ("Original DB Size", layout.file_size(transfer["source_bytes"])),
        ("Backup Size", layout.file_size(transfer["processed_bytes"])),
    ]
    call.terminal.out(layout.pairs(facts, ink))
    call.terminal.out()
    call.terminal.out(layout.header("Backup Logs", ink))
    for line in transfer["logs"]:
        call.terminal.out(f"{line['created_at']} {line['message']}")


def url(call: Call) -> None:
    call.terminal.out(_public_url(call, call.argument))


def download(call: Call) -> None:
    target = Path(call.option("output") or _free_name())
    with call.terminal.doing(f"Getting backup from {call.terminal.talk_ink.app(call.app)}") as doing:
        draft = target.with_name(f".{target.name}.part")
        with call.api.stream(_public_url(call, call.argument)) as stream, draft.open("wb") as file:
            while chunk := stream.read():
                file.write(chunk)
        draft.replace(target)
        doing.done = f"done, {target}"


def restore(call: Call) -> None:
    """`[BACKUP [DATABASE]]`: a backup by name, of another app by `APP::b001`, or a URL; the newest by default."""
    words = call.arguments
    asked = words[0] if words else None
    addon = find(call, words[1] if len(words) > 1 else None)["addon"]
    source, shown = asked, asked
    if asked is None or not asked.startswith(("https://", "http://")):
        app, _, backup = (asked or "").rpartition("::")
        chosen = _chosen(call, app or call.app, backup or None)
        source, shown = chosen["to_url"], name(chosen)
    confirm(call, call.app, f"This replaces all data of {addon['name']} by those of the backup.")
    with call.terminal.doing(f"Starting restore of {shown} to {call.terminal.talk_ink.name(addon['name'])}"):
        body = {"backup_url": source, "extensions": extensions(call)}
        transfer = call.api.post(database(addon, "restores"), body)
    follow(call, addon["app"]["name"], transfer, "Restoring")


def delete(call: Call) -> None:
    number = _number(call, call.arguments[0])
    confirm(call, call.app, f"Backup {call.arguments[0]} will be gone.")
    with call.terminal.doing(f"Deleting backup {call.arguments[0]} on {call.terminal.talk_ink.app(call.app)}"):
        call.api.delete(transfers_of(call.app, number))


def cancel(call: Call) -> None:
    if call.argument:
        number = _number(call, call.argument)
    else:
        active = [item for item in call.api.get(transfers_of(call.app)) if not item["finished_at"]]
        if not active:
            raise HomeportError("nothing_active", "No active backups/transfers")
        number = active[0]["num"]
    with call.terminal.doing(f"Cancelling {call.argument or number}"):
        call.api.post(transfers_of(call.app, number, "actions", "cancel"))


def schedule(call: Call) -> None:
    attachment = find(call, call.argument)
    at = _AT.fullmatch(call.option("at") or "")
    if at is None:
        raise UsageError("Invalid schedule format: expected --at '[HOUR]:00 [TIMEZONE]'", command=call.command.name)
    zone = at[2] or "UTC"
    body = {"hour": int(at[1]), "timezone": zone, "schedule_name": f"{attachment['name']}_URL"}
    words = f"Scheduling automatic daily backups of {attachment['addon']['name']} at {at[1]}:00 {zone}"
    with call.terminal.doing(words):
        call.api.post(database(attachment["addon"], "transfer-schedules"), body)


def list_schedules(call: Call) -> None:
    found = _schedules(call)
    if call.has("json"):
        call.terminal.json(found)
    elif not found:
        call.terminal.warn(f"No backup schedules found on {call.app}\nUse homeport pg:backups:schedule to set one up")
    else:
        call.terminal.out(layout.header("Backup Schedules", call.terminal.ink))
        for item in found:
            call.terminal.out(f"{call.terminal.ink.name(item['name'])}: daily at {item['hour']}:00 {item['timezone']}")


def unschedule(call: Call) -> None:
    wanted = (call.argument or "").upper().removesuffix("_URL")
    for item in _schedules(call):
        if not wanted or item["name"].removesuffix("_URL") == wanted:
            with call.terminal.doing(f"Unscheduling {item['name']} daily backups"):
                call.api.delete(database(databases(call)[0], "transfer-schedules", item["uuid"]))
            return
    raise HomeportError("no_schedule", f"No daily backups found for {call.argument or call.app}")


def _schedules(call: Call) -> list[Item]:
    """Any of the app's databases knows those of all."""
    addons = [addon for addon in databases(call) if addon["app"]["name"] == call.app]
    found: list[Item] = call.api.get(database(addons[0], "transfer-schedules")) if addons else []
    return found


def _chosen(call: Call, app: str, wanted: str | None) -> Item:
    """A backup that is whole: by name, or the newest. Raises `HomeportError` (`no_backup`)."""
    backups: list[Item] = [item for item in call.api.get(transfers_of(app)) if item["to_type"] == "gof3r"]
    for item in backups:
        if (wanted is None and item["succeeded"]) or name(item) == wanted:
            if not item["succeeded"]:
                raise HomeportError("backup_incomplete", f"Backup {wanted} for {app} did not complete successfully")
            return item
    what = f"Backup {wanted} not found for {app}" if wanted else f"No backups for {app}."
    raise HomeportError("no_backup", what, fix="Capture one with homeport pg:backups:capture")


def _number(call: Call, wanted: str | None) -> str:
    if wanted is None:
        return str(_chosen(call, call.app, None)["num"])
    found = re.fullmatch(r"[abcr]?(\d+)", wanted)
    if found is None:
        raise UsageError(f"Invalid ID: {wanted}", fix="It looks like b001; see homeport pg:backups.")
    return str(int(found[1]))


def _public_url(call: Call, wanted: str | None) -> str:
    found: str = call.api.post(transfers_of(call.app, _number(call, wanted), "actions", "public-url"))["url"]
    return found


def _free_name() -> str:
    names = ["latest.dump", *(f"latest.dump.{number}" for number in range(1, 10_000))]
    return next(name for name in names if not Path(name).exists())
