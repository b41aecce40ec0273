"""`homeport apps:setup`: a new app with all that the app.json of this checkout asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from homeport.cli import checkout, layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.errors import UsageError
from homeport.cli.topics.apps_create import connect_checkout
from homeport.cli.topics.run import variables
from homeport.errors import HomeportError

FILE = "app.json"
WAIT_SECONDS = 0.5


def setup(call: Call) -> None:
    body = {"manifest": _text(call), "app": _app(call), "overrides": {"env": _env(call)}}
    talk = call.terminal.talk_ink
    with call.terminal.doing("Setting up the app") as doing:
        made = call.api.post("/app-setups", body)
        while made["status"] == "pending":
            call.world.sleep(WAIT_SECONDS)
            made = call.api.get(path("app-setups", made["id"]))
        if made["status"] == "failed":
            raise _failure(made)
        name = made["app"]["name"]
        doing.done = f"done, {talk.app(name)}"
    url = checkout.remote_url(call.endpoint, name)
    remote = call.option("remote") or "heroku"
    if not call.has("no-remote"):
        connect_checkout(call, remote, url)
    app = call.api.get(path("apps", name))
    if call.has("json"):
        call.terminal.json({**made, "app": app})
        return
    ink = call.terminal.ink
    found = [
        ("Add-ons", sorted(addon["plan"]["name"] for addon in call.api.all(path("apps", name, "addons")))),
        ("Config vars", sorted(call.api.get(path("apps", name, "config-vars")))),
        ("Git URL", url),
        ("Web URL", ink.info(app["web_url"])),
    ]
    call.terminal.out(layout.header(ink.app(name), ink))
    call.terminal.out(layout.pairs(found, ink))
    call.terminal.out(f"\nNow push it: {ink.code(f'git push {_target(call, remote, url)} main')}")


def _target(call: Call, remote: str, url: str) -> str:
    """What to push to. A remote that was left as it was leads to another app, which must not get this push."""
    leads = any(found.name == remote and found.url == url for found in checkout.remotes(call.git))
    return remote if leads else url


def _text(call: Call) -> str:
    """Raises `HomeportError` (`no_manifest`)."""
    file = Path(call.option("manifest") or FILE)
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = "is not text in UTF-8" if isinstance(error, UnicodeDecodeError) else (error.strerror or str(error))
        raise HomeportError(
            "no_manifest",
            f"{file} cannot be read: {reason}.",
            fix="Run this where the app.json is, or name it with --manifest. Without one: homeport create",
        ) from None


def _app(call: Call) -> dict[str, Any]:
    wanted = {"name": call.argument, "region": call.option("region"), "stack": call.option("stack")}
    return {key: value for key, value in wanted.items() if value}


def _env(call: Call) -> dict[str, str]:
    env, invalid = variables(call.option("env") or "") if call.option("env") else ({}, [])
    if invalid:
        raise UsageError(
            f"{invalid[0]!r} is no config var.",
            command=call.command.name,
            fix="Separate them by semicolons: --env 'DEBUG=0;LANG=de'",
        )
    return env


def _failure(made: dict[str, Any]) -> HomeportError:
    errors = made["manifest_errors"]
    missing = [text.split()[2] for text in errors if text.endswith("is required") and text.startswith("config var")]
    fix = "Mend app.json and try again."
    if missing and len(missing) == len(errors):
        fix = "Give it: --env '" + ";".join(f"{name}=…" for name in missing) + "'"
    return HomeportError(
        "setup_failed", f"The app was not set up: {made['failure_message']}.", why="\n".join(errors), fix=fix
    )
