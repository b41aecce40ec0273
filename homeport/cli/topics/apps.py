"""`homeport apps`, `info`, `rename`, `destroy`, `open`."""

from __future__ import annotations

from typing import Any

from homeport.cli import checkout, layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.confirmation import confirm
from homeport.cli.errors import UsageError
from homeport.cli.inference import Remote, app_of
from homeport.cli.ink import Ink


def list_apps(call: Call) -> None:
    apps = sorted(call.api.all("/apps" if call.has("all") else "/users/~/apps"), key=lambda app: app["name"])
    if call.has("json"):
        call.terminal.json(apps)
        return
    if not apps:
        call.terminal.out("You have no apps.")
        return
    ink = call.terminal.ink
    me = call.api.get("/account")["email"]
    own = [app for app in apps if app["owner"]["email"] == me]
    others = [app for app in apps if app["owner"]["email"] != me]
    if own:
        call.terminal.out(layout.header(f"{ink.user(me)} Apps", ink))
        for app in own:
            call.terminal.out(_name_and_region(app, ink))
    if others:
        call.terminal.out("\nCollaborated Apps\n")
        rows = [(_name_and_region(app, ink), ink.user(app["owner"]["email"])) for app in others]
        call.terminal.out(layout.table(("Name", "Email"), rows))


def _name_and_region(app: dict[str, Any], ink: Ink) -> str:
    region = (app.get("region") or {}).get("name", "us")
    return ink.app(app["name"]) + (f" ({ink.info(region)})" if region != "us" else "")


def info(call: Call) -> None:
    api, name = call.api, call.app
    app = api.get(path("apps", name))
    details: dict[str, Any] = {
        "addons": api.optional(path("apps", name, "addons"), []),
        "app": app,
        "collaborators": api.optional(path("apps", name, "collaborators"), []),
        "dynos": api.optional(path("apps", name, "dynos"), []),
        "pipeline_coupling": api.optional(path("apps", name, "pipeline-couplings"), None),
    }
    if call.has("json"):
        call.terminal.json(details)
    elif call.has("shell"):
        for key, value in _shell_facts(details):
            call.terminal.out(f"{key}={value}")
    else:
        ink = call.terminal.ink
        call.terminal.out(layout.header(ink.app(app["name"]), ink))
        call.terminal.out(layout.pairs(_facts(details, ink), ink))


def _shell_facts(details: dict[str, Any]) -> list[tuple[str, str]]:
    app, coupling = details["app"], details["pipeline_coupling"]
    facts = [
        ("auto_cert_mgmt", layout.plain(bool(app.get("acm")))),
        ("addons", ",".join(_plans(details))),
        ("collaborators", ",".join(_collaborators(details))),
    ]
    if app.get("archived_at"):
        facts.append(("archived_at", app["archived_at"]))
    if app.get("create_status", "complete") != "complete":
        facts.append(("create_status", app["create_status"]))
    if coupling:
        facts.append(("pipeline", f"{coupling['pipeline']['name']}:{coupling['stage']}"))
    return [
        *facts,
        ("git_url", app["git_url"]),
        ("web_url", app["web_url"]),
        ("repo_size", layout.file_size(app.get("repo_size"))),
        ("slug_size", layout.file_size(app.get("slug_size"))),
        ("owner", app["owner"]["email"]),
        ("region", app["region"]["name"]),
        ("dynos", layout.object_literal(_dynos_by_type(details))),
        ("stack", app["stack"]["name"]),
    ]


def _facts(details: dict[str, Any], ink: Ink) -> list[tuple[str, Any]]:
    app, coupling = details["app"], details["pipeline_coupling"]
    stack, next_stack = app["stack"]["name"], app["build_stack"]["name"]
    unfinished = app.get("create_status") if app.get("create_status") != "complete" else None
    return [
        ("Addons", _plans(details)),
        ("Collaborators", _collaborators(details)),
        ("Archived At", app.get("archived_at")),
        ("Create Status", unfinished),
        ("Pipeline", f"{coupling['pipeline']['name']} - {coupling['stage']}" if coupling else None),
        ("Auto Cert Mgmt", bool(app.get("acm"))),
        ("Git URL", app["git_url"]),
        ("Web URL", ink.info(app["web_url"])),
        ("Repo Size", layout.file_size(app.get("repo_size"))),
        ("Slug Size", layout.file_size(app.get("slug_size"))),
        ("Owner", ink.user(app["owner"]["email"])),
        ("Region", app["region"]["name"]),
        ("Dynos", _dynos_by_type(details)),
        ("Stack", stack if stack == next_stack else f"{stack} (next build will use {next_stack})"),
    ]


def _plans(details: dict[str, Any]) -> list[str]:
    return sorted(addon["plan"]["name"] for addon in details["addons"])


def _collaborators(details: dict[str, Any]) -> list[str]:
    owner = details["app"]["owner"]["email"]
    return sorted(found["user"]["email"] for found in details["collaborators"] if found["user"]["email"] != owner)


def _dynos_by_type(details: dict[str, Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for dyno in details["dynos"]:
        counts[dyno["type"]] = counts.get(dyno["type"], 0) + 1
    return counts


def rename(call: Call) -> None:
    old, new = call.app, call.arguments[0]
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"Renaming {ink.app(old)} to {ink.info(new)}"):
        app = call.api.patch(path("apps", old), {"name": new})
    url = checkout.remote_url(call.endpoint, app["name"])
    call.terminal.out(f"{call.terminal.ink.info(app['web_url'])} | {call.terminal.ink.info(url)}")
    for remote in _remotes_of(call, old):
        call.git.output("remote", "set-url", remote.name, _renamed(remote.url, old, app["name"]))
        call.terminal.out(f"Git remote {call.terminal.ink.name(remote.name)} updated")
    call.terminal.warn("Don't forget to update git remotes for all other local checkouts of the app.")


def destroy(call: Call) -> None:
    app = call.app
    ink = call.terminal.talk_ink
    found = call.api.get(path("apps", app))
    confirm(call, found["name"], f"This will delete {ink.app(found['name'])} including all add-ons.")
    with call.terminal.doing(f"Destroying {ink.app(found['name'])} (including all add-ons)"):
        call.api.delete(path("apps", found["name"]))
        for remote in _remotes_of(call, found["name"]):
            call.git.output("remote", "remove", remote.name)


def _remotes_of(call: Call, app: str) -> list[Remote]:
    hosts = call.endpoint.git_hosts
    return [remote for remote in checkout.remotes(call.git) if app_of(remote.url, hosts) == app]


def _renamed(url: str, old: str, new: str) -> str:
    """The same remote, over SSH if it was, for another app."""
    head, _, tail = url.rpartition(old)
    return head + new + tail


def open_app(call: Call) -> None:
    import webbrowser
    from urllib.parse import urljoin

    url = urljoin(call.api.get(path("apps", call.app))["web_url"], call.argument or "")
    if not url.startswith(("https://", "http://")):
        raise UsageError(f"{url} is not a web address.", command=call.command.name)
    call.terminal.out(f"Opening {call.terminal.ink.info(url)}...")
    if not webbrowser.open(url):
        call.terminal.warn("There is no browser here to open it with.")
