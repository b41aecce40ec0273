"""`homeport ps:scale`, `ps:type`: how many dynos of which size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.errors import UsageError
from homeport.errors import HomeportError

_CHANGE = re.compile(r"([\w-]+?)(=|\+|-)(\d+)(?::([\w.-]+))?")
_RESIZE = re.compile(r"([\w-]+)=([\w.-]+)")


def changes(words: Sequence[str]) -> list[dict[str, str]]:
    """`web=2:standard-1x`, `worker+1` as the API takes them: quantities as strings, relative ones with their sign.

    Raises `UsageError`.
    """
    found = []
    for word in words:
        change = _CHANGE.fullmatch(word)
        if change is None:
            raise UsageError(
                f"{word} is no change of a formation.",
                fix="Give a process type and how many dynos: web=2, worker+1 or web=2:standard-1x",
                id="invalid_scale",
            )
        kind, sign, count, size = change.groups()
        update = {"quantity": count if sign == "=" else sign + count, "type": kind}
        found.append({**update, "size": size} if size else update)
    return found


def scale(call: Call) -> None:
    updates = changes(call.arguments)
    if not updates:
        formation = _formation(call)
        if call.has("json"):
            call.terminal.json(formation)
        else:
            call.terminal.out(
                " ".join(sorted(f"{part['type']}={part['quantity']}:{part['size']}" for part in formation))
            )
        return
    with call.terminal.doing("Scaling dynos") as doing:
        formation = call.api.patch(path("apps", call.app, "formation"), {"updates": updates})
        ink = call.terminal.talk_ink
        changed = {update["type"] for update in updates}
        running = [
            f"{ink.success(part['type'])} at {part['quantity']}:{part['size']}"
            for part in formation
            if part["type"] in changed
        ]
        doing.done = f"done, now running {', '.join(running)}"
    if call.has("json"):
        call.terminal.json(formation)


def resize(call: Call) -> None:
    if call.arguments:
        updates = _sizes(call.arguments, _formation(call))
        with call.terminal.doing(f"Scaling dynos on {call.terminal.talk_ink.app(call.app)}"):
            call.api.patch(path("apps", call.app, "formation"), {"updates": updates})
    formation = sorted(_formation(call), key=lambda part: str(part["type"]))
    if call.has("json"):
        call.terminal.json(formation)
        return
    ink = call.terminal.ink
    totals: dict[str, int] = {}
    for part in formation:
        totals[part["size"]] = totals.get(part["size"], 0) + part["quantity"]
    rows = [(ink.name(part["type"]), ink.info(part["size"]), ink.info(str(part["quantity"]))) for part in formation]
    call.terminal.out(layout.header("Process Types", ink))
    call.terminal.out(layout.table(("type", "size", "qty"), rows))
    call.terminal.out()
    call.terminal.out(layout.header("Dyno Totals", ink))
    call.terminal.out(layout.table(("type", "total"), [(ink.name(size), str(count)) for size, count in totals.items()]))


def _sizes(words: Sequence[str], formation: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """`web=standard-2x …`, or one size for every type."""
    types = [part["type"] for part in formation]
    if len(words) == 1 and "=" not in words[0]:
        return [{"type": kind, "size": words[0]} for kind in types]
    updates = []
    for word in words:
        change = _RESIZE.fullmatch(word)
        if change is None or change[1] not in types:
            name = change[1] if change else word
            raise UsageError(
                f"Type {name} not found in process formation.\nTypes: {', '.join(types)}", id="unknown_process_type"
            )
        updates.append({"type": change[1], "size": change[2]})
    return updates


def _formation(call: Call) -> list[dict[str, Any]]:
    formation = call.api.all(path("apps", call.app, "formation"))
    if not formation:
        raise HomeportError(
            "no_process_types",
            f"No process types on {call.app}.",
            fix="Upload a Procfile to add process types.",
        )
    return formation
