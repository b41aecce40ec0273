"""`homeport maintenance`: a page in place of the app."""

from __future__ import annotations

from homeport.cli.api import path
from homeport.cli.call import Call


def show(call: Call) -> None:
    call.terminal.out("on" if call.api.get(path("apps", call.app))["maintenance"] else "off")


def on(call: Call) -> None:
    _switch(call, True)


def off(call: Call) -> None:
    _switch(call, False)


def _switch(call: Call, to: bool) -> None:
    verb = "Enabling" if to else "Disabling"
    with call.terminal.doing(f"{verb} maintenance mode for {call.terminal.talk_ink.app(call.app)}"):
        call.api.patch(path("apps", call.app), {"maintenance": to})
