"""`homeport addons`."""

from __future__ import annotations

from typing import Any

from homeport.cli import layout
from homeport.cli.api import SDK, V3, path
from homeport.cli.call import Call
from homeport.cli.confirmation import confirm
from homeport.cli.errors import ApiError, UsageError
from homeport.errors import HomeportError

WAIT_SECONDS = 2.0
WHOLE = {"Accept-Expansion": "addon_service,plan"}
STATES = {"provisioning": "creating", "provisioned": "created", "deprovisioned": "errored"}

Item = dict[str, Any]


def list_addons(call: Call) -> None:
    app = None if call.has("all") else call.maybe_app
    found = _get(call, path("apps", app, "addons") if app else "/addons")
    if call.has("json"):
        call.terminal.json(found)
    elif not found:
        call.terminal.out(f"No add-ons for app {app}." if app else "No add-ons.")
    elif app:
        _list_for_app(call, app, found)
    else:
        rows = [(item["app"]["name"], item["name"], item["plan"]["name"], _state(item)) for item in found]
        call.terminal.out(layout.table(("Owning App", "Add-on", "Plan", "State"), sorted(rows)))


def _list_for_app(call: Call, app: str, found: list[Item]) -> None:
    ink = call.terminal.ink
    attachments = call.api.all("/addon-attachments")
    rows = []
    for item in sorted(found, key=lambda item: (item["app"]["name"] != app, item["plan"]["name"], item["name"])):
        service, _, plan = item["plan"]["name"].partition(":")
        rows.append((f"{service} ({ink.name(item['name'])})", plan, _state(item)))
        own = [attached for attached in attachments if attached["addon"]["id"] == item["id"]]
        for attached in sorted(own, key=lambda attached: (attached["app"]["name"] != app, attached["name"])):
            where = "" if attached["app"]["name"] == app else f" on {ink.app(attached['app']['name'])} app"
            rows.append((f" └─ as {ink.name(attached['name'])}{where}", "", ""))
    call.terminal.out(layout.table(("Add-on", "Plan", "State"), rows))


def list_services(call: Call) -> None:
    services = call.api.all("/addon-services")
    if call.has("json"):
        call.terminal.json(services)
        return
    rows = [(service["name"], service["human_name"], service["state"]) for service in services]
    call.terminal.out(layout.table(("Slug", "Name", "State"), rows))
    call.terminal.out(f"See plans with {call.terminal.ink.code('homeport addons:plans SERVICE')}")


def list_plans(call: Call) -> None:
    plans = call.api.all(path("addon-services", call.arguments[0], "plans"))
    if call.has("json"):
        call.terminal.json(plans)
        return
    rows = [("default" if plan["default"] else "", plan["name"], plan["human_name"]) for plan in plans]
    call.terminal.out(layout.table(("", "Slug", "Name"), rows))


def create(call: Call) -> None:
    plan, *words = call.arguments
    options = _options(call, words)
    if version := call.option("version"):
        options["version"] = version
    talk = call.terminal.talk_ink
    body = {
        "plan": {"name": plan},
        "name": call.option("name"),
        "attachment": {"name": call.option("as")},
        "config": options,
        "confirm": call.option("confirm"),
    }
    with call.terminal.doing(f"Creating {talk.info(plan)} on {talk.app(call.app)}"):
        made = _confirmed(call, path("apps", call.app, "addons"), body)
    ink = call.terminal.ink
    if made["state"] == "provisioning":
        if not call.has("wait"):
            call.terminal.out(f"{ink.name(made['name'])} is being created. The app restarts when it is ready.")
            call.terminal.out(f"Wait for it: {ink.code('homeport addons:wait ' + made['name'])}")
            return
        made = _wait(call, made)
    if made.get("provision_message"):
        call.terminal.out(made["provision_message"])
    names = ", ".join(ink.name(name) for name in made["config_vars"])
    call.terminal.out(f"Created {ink.name(made['name'])}{f' as {names}' if names else ''}")


def info(call: Call) -> None:
    addon = resolve(call, call.arguments[0])
    attachments = call.api.get(path("addons", addon["id"], "addon-attachments"))
    if call.has("json"):
        call.terminal.json({**addon, "attachments": attachments})
        return
    ink = call.terminal.ink
    call.terminal.out(layout.header(ink.name(addon["name"]), ink))
    facts = [
        ("Plan", addon["plan"]["name"]),
        ("Attachments", sorted(f"{item['app']['name']}::{item['name']}" for item in attachments)),
        ("Owning app", ink.app(addon["app"]["name"])),
        ("Installed at", layout.ago(addon["created_at"], call.world.now())),
        ("State", _state(addon)),
    ]
    call.terminal.out(layout.pairs(facts, ink))


def upgrade(call: Call) -> None:
    """`ADDON PLAN`, or `SERVICE:PLAN` for the app's only add-on of that service."""
    first, *rest = call.arguments
    name, _, plan = first.partition(":")
    if rest:
        name, plan = first, rest[0].rpartition(":")[2]
    if not plan:
        raise UsageError(f"Which plan is {name} to have?", command=call.command.name)
    addon = resolve(call, name)
    talk = call.terminal.talk_ink
    wanted = f"{addon['plan']['name'].partition(':')[0]}:{plan}"
    change = f"from {addon['plan']['name']} to {wanted}"
    with call.terminal.doing(f"Changing {talk.name(addon['name'])} on {talk.app(addon['app']['name'])} {change}"):
        call.api.patch(path("apps", addon["app"]["name"], "addons", addon["id"]), {"plan": {"name": wanted}})


def rename(call: Call) -> None:
    old, new = call.arguments
    addon = resolve(call, old)
    call.api.patch(path("apps", addon["app"]["name"], "addons", addon["id"]), {"name": new})
    ink = call.terminal.ink
    call.terminal.out(f"{ink.name(addon['name'])} successfully renamed to {ink.info(new)}.")


def attach(call: Call) -> None:
    addon = resolve(call, call.arguments[0])
    talk = call.terminal.talk_ink
    name = call.option("as")
    words = f"Attaching {talk.name(addon['name'])}{f' as {talk.name(name)}' if name else ''} to {talk.app(call.app)}"
    body = {"addon": addon["id"], "app": call.app, "name": name, "confirm": call.option("confirm")}
    with call.terminal.doing(words):
        made = _confirmed(call, "/addon-attachments", body)
    _say_release(call, f"Setting {talk.name(made['name'])} config vars and restarting {talk.app(call.app)}")


def detach(call: Call) -> None:
    found = call.api.get(path("apps", call.app, "addon-attachments", call.arguments[0]))
    talk = call.terminal.talk_ink
    words = f"Detaching {talk.name(found['name'])} to {talk.name(found['addon']['name'])} from {talk.app(call.app)}"
    with call.terminal.doing(words):
        call.api.delete(path("addon-attachments", found["id"]))
    _say_release(call, f"Unsetting {talk.name(found['name'])} config vars and restarting {talk.app(call.app)}")


def destroy(call: Call) -> None:
    found = [resolve(call, name) for name in call.arguments]
    for app in {addon["app"]["name"] for addon in found}:
        if call.maybe_app is not None and app != call.maybe_app:
            raise HomeportError(
                "wrong_app", f"That add-on is on {app}, not {call.maybe_app}.", fix=f"If you mean it: --app {app}"
            )
        names = ", ".join(addon["name"] for addon in found if addon["app"]["name"] == app)
        confirm(call, app, f"This will destroy {names} on {app}, with all that lies in there.")
    talk = call.terminal.talk_ink
    for addon in found:
        with call.terminal.doing(f"Destroying {talk.name(addon['name'])} on {talk.app(addon['app']['name'])}"):
            where = path("apps", addon["app"]["name"], "addons", addon["id"])
            call.api.request("DELETE", where, {"force": call.has("force")})


def open_addon(call: Call) -> None:
    _open(call, resolve(call, call.arguments[0])["web_url"])


def docs(call: Call) -> None:
    name = call.arguments[0].partition(":")[0]
    service = call.api.optional(path("addon-services", name), None)
    found: str = service["name"] if service else resolve(call, name)["plan"]["name"].partition(":")[0]
    _open(call, f"https://devcenter.heroku.com/articles/{found}")


def wait(call: Call) -> None:
    if call.argument:
        waiting = [resolve(call, call.argument)]
    else:
        waiting = _get(call, path("apps", call.maybe_app, "addons") if call.maybe_app else "/addons")
    for addon in waiting:
        if addon["state"] == "provisioning":
            made = _wait(call, addon)
            call.terminal.out(f"Created {call.terminal.ink.name(made['name'])} as {', '.join(made['config_vars'])}")


def resolve(call: Call, name: str) -> Item:
    """The add-on that a name means on the app, if there is one, or else among all. Raises `ApiError`, `UsageError`."""
    apps = [call.maybe_app, None] if call.maybe_app and "::" not in name else [None]
    found: list[Item] = []
    for app in apps:
        try:
            found = call.api.request(
                "POST", "/actions/addons/resolve", {"addon": name, "app": app}, accept=SDK, headers=WHOLE
            )[0]
            break
        except ApiError as error:
            if error.status != 404 or app is None:
                raise
    if len(found) > 1:
        listed = ", ".join(item["name"] for item in found)
        raise UsageError(f"{name} could be any of: {listed}", fix="Say which one by its name.", id="multiple_matches")
    return found[0]


def _confirmed(call: Call, url: str, body: Item) -> Item:
    """POST it; where that would overwrite something, once more after a person has agreed."""
    try:
        made: Item = call.api.post(url, body)
    except ApiError as error:
        if error.id != "confirmation_required" or not call.terminal.is_interactive:
            raise
        confirm(call, call.app, error.what)
        made = call.api.post(url, {**body, "confirm": call.app})
    return made


def _wait(call: Call, addon: Item) -> Item:
    with call.terminal.doing(f"Waiting for {call.terminal.talk_ink.name(addon['name'])}"):
        while addon["state"] == "provisioning":
            call.world.sleep(WAIT_SECONDS)
            addon = call.api.get(path("addons", addon["id"]))
    return addon


def _say_release(call: Call, words: str) -> None:
    with call.terminal.doing(words) as doing:
        newest = call.api.newest(path("apps", call.app, "releases"), 1, by="version")
        if newest:
            doing.done = f"done, v{newest[0]['version']}"


def _options(call: Call, words: list[str]) -> dict[str, str]:
    """`-- --fork DATABASE --quiet`: what a service is told beside its plan. A word alone is "true"."""
    options: dict[str, str] = {}
    name = ""
    for word in words:
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            options[name] = value if equals else "true"
            name = "" if equals else name
        elif name:
            options[name] = word
            name = ""
        else:
            raise UsageError(f"Unexpected argument: {word}", command=call.command.name)
    return options


def _open(call: Call, url: str) -> None:
    if call.has("show-url"):
        call.terminal.out(url)
        return
    import webbrowser

    call.terminal.out(f"Opening {call.terminal.ink.info(url)}...")
    if not webbrowser.open(url):
        call.terminal.warn("There is no browser here to open it with.")


def _get(call: Call, url: str) -> list[Item]:
    found: list[Item] = call.api.request("GET", url, accept=V3, headers=WHOLE)[0]
    return found


def _state(addon: Item) -> str:
    state: str = addon["state"]
    return STATES.get(state, state)
