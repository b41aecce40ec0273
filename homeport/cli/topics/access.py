"""`homeport access`."""

from __future__ import annotations

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call


def list_access(call: Call) -> None:
    found = call.api.all(path("apps", call.app, "collaborators"))
    if call.has("json"):
        call.terminal.json(found)
        return
    ink = call.terminal.ink
    with_permissions = any(person.get("permissions") is not None for person in found)
    columns = ("email", "role", "permissions") if with_permissions else ("email", "role")
    rows = []
    for person in sorted(found, key=lambda person: person["user"]["email"]):
        permissions = ", ".join(sorted(permission["name"] for permission in person.get("permissions") or []))
        row = (ink.user(person["user"]["email"]), ink.info(person.get("role") or "collaborator"), permissions)
        rows.append(row[: len(columns)])
    call.terminal.out(layout.table(columns, rows))


def add(call: Call) -> None:
    email = call.arguments[0]
    ink = call.terminal.talk_ink
    body: dict[str, object] = {"user": email}
    text = f"Adding {ink.user(email)} access to the app {ink.app(call.app)}"
    permissions = sorted({part.strip() for part in (call.option("permissions") or "").split(",") if part.strip()})
    if permissions:
        body["permissions"] = permissions
        text += f" with {ink.success(', '.join(permissions))} permissions"
    with call.terminal.doing(text):
        call.api.post(path("apps", call.app, "collaborators"), body)


def remove(call: Call) -> None:
    email = call.arguments[0]
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"Removing {ink.user(email)} access from the app {ink.app(call.app)}"):
        call.api.delete(path("apps", call.app, "collaborators", email))
