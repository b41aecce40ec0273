"""`homeport labs`: experimental features, of the account and of an app."""

from __future__ import annotations

from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.errors import ApiError
from homeport.cli.topics import features


def list_labs(call: Call) -> None:
    app = call.maybe_app
    of_user = call.api.all("/account/features")
    of_app = call.api.all(path("apps", app, "features")) if app else None
    if call.has("json"):
        call.terminal.json({"app": of_app, "user": of_user})
        return
    ink = call.terminal.ink
    email = call.api.get("/account")["email"]
    call.terminal.out(layout.header(f"User Features {ink.user(email)}", ink))
    features.show(call, _experimental(of_user))
    if app and of_app is not None:
        call.terminal.out()
        call.terminal.out(layout.header(f"App Features {ink.app(app)}", ink))
        features.show(call, _experimental(of_app))


def _experimental(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return features.by_name(feature for feature in found if feature["state"] != "general")


def info(call: Call) -> None:
    features.show_one(call, _find(call)[1])


def enable(call: Call) -> None:
    _switch(call, True)


def disable(call: Call) -> None:
    _switch(call, False)


def _switch(call: Call, on: bool) -> None:
    where, _ = _find(call)
    ink = call.terminal.talk_ink
    is_account = where.startswith("/account/")
    target = ink.user(call.api.get("/account")["email"]) if is_account else ink.app(call.app)
    name = ink.name(call.arguments[0])
    with call.terminal.doing(f"{'Enabling' if on else 'Disabling'} {name} for {target}"):
        call.api.patch(where, {"enabled": on})


def _find(call: Call) -> tuple[str, dict[str, Any]]:
    """The path and the feature: the account's if it has one of that name, otherwise the app's."""
    name = call.arguments[0]
    of_account = path("account", "features", name)
    try:
        return of_account, call.api.get(of_account)
    except ApiError as error:
        if error.status != 404 or call.maybe_app is None:
            raise
    of_app = path("apps", call.app, "features", name)
    return of_app, call.api.get(of_app)
