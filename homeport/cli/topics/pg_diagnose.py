"""`homeport pg:diagnose`: what is not well with a database."""

from __future__ import annotations

import re
from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.topics import pg

_UUID = re.compile(r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}")
_WORST_FIRST = ("red", "yellow", "green", "skipped")


def diagnose(call: Call) -> None:
    """Of a database, or an earlier report by its id."""
    word = call.argument
    if word is not None and _UUID.fullmatch(word):
        report = call.api.get(path("reports", word))
    else:
        attachment = pg.find(call, word)
        body = {"app": attachment["app"]["name"], "database": f"{attachment['name']}_URL"}
        report = call.api.post("/reports", body)
    if call.has("json"):
        call.terminal.json(report)
        return
    call.terminal.out(f"Report {report['id']} for {report['app']}::{report['database']}")
    call.terminal.out(f"available for one month after creation on {report['created_at']}")
    call.terminal.out()
    for check in sorted(report["checks"], key=lambda check: _WORST_FIRST.index(check["status"])):
        _show(call, check)


def _show(call: Call, check: dict[str, Any]) -> None:
    call.terminal.out(f"{check['status'].upper()}: {check['name']}")
    rows = check["results"]
    if rows:
        names = list(rows[0])
        cells = [[str(row[name]) for name in names] for row in rows]
        call.terminal.out(layout.table([name.replace("_", " ").capitalize() for name in names], cells))
