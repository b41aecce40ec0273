"""Transfers of databases (backups, restores, copies) as `homeport pg` shows them."""

from __future__ import annotations

from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.errors import HomeportError

Item = dict[str, Any]

POLL_SECONDS = 1.0


def transfers_of(app: str, *rest: str) -> str:
    """Their address in the API, or that of one of them."""
    return path("client", "v11", "apps", app, "transfers", *rest)


def follow(call: Call, app: str, transfer: Item, words: str) -> None:
    """Show a transfer until it is done. Raises `HomeportError` (`transfer_failed`) with what it said last."""
    call.terminal.say("Ctrl-C stops watching; the work goes on.")
    with call.terminal.doing(words) as doing:
        while not transfer["finished_at"]:
            call.world.sleep(POLL_SECONDS)
            transfer = call.api.get(f"{transfers_of(app, transfer['uuid'])}?verbose=true")
        if not transfer["succeeded"]:
            last = "\n".join(line["message"] for line in transfer["logs"][-5:])
            raise HomeportError(
                "transfer_failed",
                last or "It failed.",
                fix=f"All it said: homeport pg:backups:info {name(transfer)} -a {app}",
            )
        doing.done = "done" if not transfer["warnings"] else f"done, with {transfer['warnings']} warnings"


def name(transfer: Item) -> str:
    """`b001`, `a002` (scheduled), `r003`, `c004`."""
    if transfer["to_type"] == "pg_restore":
        letter = "c" if transfer["from_type"] == "pg_dump" else "r"
    else:
        letter = "a" if transfer["schedule"] else "b"
    return f"{letter}{int(transfer['num']):03d}"


def status(transfer: Item) -> str:
    proof = transfer.get("proof")
    if transfer["finished_at"] is None:
        done = layout.file_size(transfer["processed_bytes"])
        return f"Running (processed {done})" if transfer["started_at"] else "Pending"
    if not transfer["succeeded"]:
        return f"{'Canceled' if transfer['canceled_at'] else 'Failed'} {transfer['finished_at']}"
    if transfer["warnings"] and not (proof and not proof["proved"]):
        return f"Finished with {transfer['warnings']} warnings"
    return f"Completed {transfer['finished_at']}"
