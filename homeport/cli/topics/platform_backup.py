"""`homeport backup`, `backups`, `restore`: of the whole platform on this machine. Imported lazily: `daemon`."""

from __future__ import annotations

from typing import Any

from homeport.cli import layout
from homeport.cli.call import Call
from homeport.cli.errors import UsageError
from homeport.cli.terminal import is_terminal

Facts = dict[str, Any]

STDOUT = "-"


def back_up(call: Call) -> None:
    from homeport import daemon

    if call.option("verify") is not None:
        _verify(call)
        return
    to_stdout = call.argument == STDOUT
    if to_stdout and (call.has("json") or is_terminal(call.terminal.stdout)):
        raise UsageError("A backup on standard output needs a file or a program to go to.", command="backup")
    if call.number("keep") is not None and (call.number("keep") or 0) < 1:
        raise UsageError("--keep needs a number from 1 on.", command="backup")
    made = daemon.back_up(
        call.argument,
        passphrase_file=call.option("passphrase-file"),
        keep=call.number("keep"),
        say=lambda text: call.terminal.say(f"  {text}"),
    )
    for warning in made["warnings"]:
        call.terminal.warn(warning)
    if not made["encrypted"]:
        call.terminal.warn(
            "This backup is NOT encrypted. Whoever can read it has every config var, every password,\n"
            "all data, and the keys of this platform. Keep it where only you can read it, or use:\n"
            "homeport backup --passphrase-file FILE"
        )
    if call.has("json"):
        call.terminal.json(made)
    elif not to_stdout:
        call.terminal.say(f"Made and read back: {_contents(made)}.")
        call.terminal.out(made["file"])


def _verify(call: Call) -> None:
    from homeport import daemon

    with call.terminal.doing("Reading the backup to its end"):
        found = daemon.verify(call.option("verify"), passphrase_file=call.option("passphrase-file"))
    if call.has("json"):
        call.terminal.json(found)
        return
    encrypted = "encrypted" if found["encrypted"] else "not encrypted"
    call.terminal.out(f"It is whole: {_contents(found)}; {encrypted}; of {found['created_at']}.")
    for addon in found["addons"]:
        rows = f", {sum(addon['rows'].values())} rows in {len(addon['rows'])} tables" if addon["rows"] else ""
        call.terminal.out(f"  {addon['name']} ({addon['service']}:{addon['plan']}){rows}")


def list_backups(call: Call) -> None:
    from homeport import daemon

    found = daemon.list_backups()
    if call.has("json"):
        call.terminal.json(found)
        return
    rows = [
        (
            item["file"].rpartition("/")[2],
            layout.ago(item["created_at"], call.world.now()),
            layout.file_size(item["bytes"]),
            "yes" if item["encrypted"] else "no",
            layout.ago(item["verified_at"], call.world.now()) or "never",
        )
        for item in found["backups"]
    ]
    call.terminal.out(layout.header(f"Backups in {found['folder']}", call.terminal.ink))
    none = "No backups. Make one with homeport backup\n"
    columns = ("Name", "Made", "Size", "Encrypted", "Verified")
    call.terminal.out(layout.table(columns, rows) if rows else none)
    if found["schedule"] is not None or not found["warnings"]:
        call.terminal.out(_schedule(found["schedule"]))
    for warning in found["warnings"]:
        call.terminal.warn(warning)


def schedule(call: Call) -> None:
    from homeport import daemon

    at = call.option("at")
    if at is None:
        raise UsageError("Missing required flag at", command="backups:schedule")
    made = daemon.set_backup_schedule(
        at,
        to=call.option("to"),
        keep=call.number("keep"),
        passphrase_file=call.option("passphrase-file"),
    )
    if made["passphrase_file"] is None:
        call.terminal.warn("These backups will NOT be encrypted. Give --passphrase-file FILE to have them so.")
    if call.has("json"):
        call.terminal.json(made)
    else:
        call.terminal.out(_schedule(made))


def unschedule(call: Call) -> None:
    from homeport import daemon

    call.terminal.out("No more." if daemon.remove_backup_schedule() else _schedule(None))


def restore(call: Call) -> None:
    from homeport import daemon

    made = daemon.restore(
        call.arguments[0],
        passphrase_file=call.option("passphrase-file"),
        say=lambda text: call.terminal.say(f"  {text}"),
    )
    for name, path in made["missing_pythons"]:
        call.terminal.warn(
            f"This machine has no {name}, which apps run on: it was {path} on the old one.\n"
            f"Install one there, or push these apps again: they are then built for a Python that is here."
        )
    for warning in made["warnings"]:
        call.terminal.warn(warning)
    if call.has("json"):
        call.terminal.json(made)
    else:
        call.terminal.say(f"Restored into {made['home']}: {_contents(made)}, as of {made['created_at']}.")
        call.terminal.say("Start it: homeport up --detach")


def _contents(made: Facts) -> str:
    """`3 apps, 2 add-ons, 12 MB`"""
    size = made["bytes"] if made["bytes"] is not None else made["unpacked_bytes"]
    return f"{_count(made['apps'], 'app')}, {_count(made['addons'], 'add-on')}, {layout.file_size(size)}"


def _count(items: list[object], noun: str) -> str:
    return f"{len(items)} {noun}{'s' * (len(items) != 1)}"


def _schedule(planned: Facts | None) -> str:
    if planned is None:
        return "Nothing is backed up by itself. To have that: homeport backups:schedule --at 03:30"
    where = planned["to"] or "the usual folder"
    encrypted = "encrypted" if planned["passphrase_file"] else "not encrypted"
    return f"Every day at {planned['at']} into {where}, {encrypted}; the last {planned['keep']} are kept."
