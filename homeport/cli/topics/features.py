"""`homeport features`: what an app can have switched on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.ink import Ink
from homeport.errors import HomeportError


def list_features(call: Call) -> None:
    found = call.api.all(path("apps", call.app, "features"))
    general = by_name(feature for feature in found if feature["state"] == "general")
    if call.has("json"):
        call.terminal.json(general)
        return
    ink = call.terminal.ink
    call.terminal.out(layout.header(f"App Features {ink.app(call.app)}", ink))
    show(call, general)


def info(call: Call) -> None:
    show_one(call, call.api.get(path("apps", call.app, "features", call.arguments[0])))


def enable(call: Call) -> None:
    _switch(call, True)


def disable(call: Call) -> None:
    _switch(call, False)


def _switch(call: Call, on: bool) -> None:
    name = call.arguments[0]
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"{'Enabling' if on else 'Disabling'} {ink.name(name)} for {ink.app(call.app)}"):
        feature = path("apps", call.app, "features", name)
        if call.api.get(feature)["enabled"] == on:
            state = "enabled" if on else "disabled"
            raise HomeportError(f"feature_already_{state}", f"{name} is already {state}.")
        call.api.patch(feature, {"enabled": on})


def by_name(features: Any) -> list[dict[str, Any]]:
    return sorted(features, key=lambda feature: str(feature["name"]))


def show(call: Call, features: Sequence[dict[str, Any]]) -> None:
    """`[+] name  description`, names aligned."""
    ink = call.terminal.ink
    longest = max((len(feature["name"]) for feature in features), default=0)
    for feature in features:
        call.terminal.out(_line(feature, longest, ink))


def _line(feature: dict[str, Any], longest: int, ink: Ink) -> str:
    name = feature["name"].ljust(longest)
    marked = ink.success(f"[+] {name}") if feature["enabled"] else f"[ ] {name}"
    return f"{marked}  {feature['description']}"


def show_one(call: Call, feature: dict[str, Any]) -> None:
    if call.has("json"):
        call.terminal.json(feature)
        return
    ink = call.terminal.ink
    call.terminal.out(layout.header(feature["name"], ink))
    enabled = ink.success("true") if feature["enabled"] else ink.failure("false")
    facts = [("Description", feature["description"]), ("Docs", feature.get("doc_url")), ("Enabled", enabled)]
    call.terminal.out(layout.pairs(facts, ink))
