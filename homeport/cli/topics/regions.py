"""`homeport regions`."""

from __future__ import annotations

from homeport.cli import layout
from homeport.cli.call import Call


def list_regions(call: Call) -> None:
    regions = call.api.all("/regions")
    if call.has("private"):
        regions = [region for region in regions if region.get("private_capable")]
    elif call.has("common"):
        regions = [region for region in regions if not region.get("private_capable")]
    regions.sort(key=lambda region: (bool(region.get("private_capable")), region["name"]))
    if call.has("json"):
        call.terminal.json(regions)
        return
    rows = [
        (
            call.terminal.ink.name(region["name"]),
            region["description"],
            "Private Spaces" if region.get("private_capable") else "Common Runtime",
        )
        for region in regions
    ]
    call.terminal.out(layout.table(("ID", "Location", "Runtime"), rows))
