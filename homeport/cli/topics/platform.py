"""`homeport up`, `down`, `status`, `env`: the platform on this machine. The daemon is imported when it is needed."""

from __future__ import annotations

from typing import Any

from homeport.cli.call import Call


def up(call: Call) -> None:
    from homeport import daemon

    given: dict[str, Any] = {"detach": call.has("detach")}
    for flag in ("port", "http-port", "ssh-port"):
        if call.number(flag) is not None:
            given[flag.replace("-", "_")] = call.number(flag)
    for flag in ("domain", "email", "bind"):
        if call.option(flag) is not None:
            given[flag] = call.option(flag)
    daemon.up(**given)


def down(call: Call) -> None:
    from homeport import daemon

    daemon.down(keep_dynos=call.has("keep-dynos"))


def status(call: Call) -> None:
    from homeport import daemon

    daemon.status(as_json=call.has("json"))


def env(_: Call) -> None:
    from homeport import daemon

    daemon.env()
