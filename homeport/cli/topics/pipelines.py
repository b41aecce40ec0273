"""`homeport pipelines`: apps that share one code, and promotions from one to the next."""

from __future__ import annotations

import re
from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.errors import UsageError
from homeport.cli.ink import Ink
from homeport.cli.passthrough import copy
from homeport.errors import HomeportError

STAGES = ("development", "review", "staging", "production")
"""In the order in which apps are listed."""

_DOWNSTREAM = {"development": "staging", "staging": "production"}
_GUESSES = (
    (re.compile(r"-(dev|development|uat|tst|test|qa)$"), "development"),
    (re.compile(r"-(stg|staging)$"), "staging"),
    (re.compile(r"-(prd|prod|production|admin|demo)$"), "production"),
)
_LOOK_SECONDS = 1.0


def guess(app: str) -> tuple[str, str]:
    """The name of a pipeline and the stage that an app's name suggests."""
    for pattern, stage in _GUESSES:
        if pattern.search(app):
            return pattern.sub("", app), stage
    return app, "production"


def list_pipelines(call: Call) -> None:
    found = call.api.all("/pipelines")
    if call.has("json"):
        call.terminal.json(found)
        return
    call.terminal.out(layout.header("My Pipelines", call.terminal.ink))
    for pipeline in found:
        call.terminal.out(call.terminal.ink.name(pipeline["name"]))


def create(call: Call) -> None:
    name, stage = guess(call.app)
    name, stage = call.argument or name, call.option("stage") or stage
    with call.terminal.doing(f"Creating {call.terminal.talk_ink.name(name)} pipeline"):
        owner = {"id": "~", "type": "user"}
        pipeline = call.api.post("/pipelines", {"name": name, "owner": owner})
    _couple(call, pipeline, stage)


def add(call: Call) -> None:
    pipeline = _pipeline(call, call.arguments[0])
    _couple(call, pipeline, call.option("stage") or guess(call.app)[1])


def _couple(call: Call, pipeline: dict[str, Any], stage: str) -> None:
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"Adding {ink.app(call.app)} to {ink.name(pipeline['name'])} pipeline as {stage}"):
        call.api.post("/pipeline-couplings", {"app": call.app, "pipeline": pipeline["id"], "stage": stage})


def info(call: Call) -> None:
    pipeline = _pipeline(call, call.arguments[0])
    apps = _apps(call, pipeline["id"])
    if call.has("json"):
        call.terminal.json({"pipeline": pipeline, "apps": apps})
        return
    ink = call.terminal.ink
    call.terminal.out(layout.header(ink.name(pipeline["name"]), ink))
    owners = {app["owner"]["id"]: app["owner"]["email"] for app in apps}
    owner = pipeline["owner"]["id"]
    call.terminal.out(f"owner: {ink.user(owners.get(owner, owner))}\n")
    rows = [(ink.app(app["name"]), app["pipelineCoupling"]["stage"]) for app in apps]
    call.terminal.out(layout.table(("App name", "Stage"), rows))


def update(call: Call) -> None:
    stage = call.option("stage")
    if not stage:
        raise UsageError("Missing required flag stage", command=call.command.name)
    with call.terminal.doing(f"Changing {call.terminal.talk_ink.app(call.app)} to {stage}"):
        call.api.patch(path("pipeline-couplings", _coupling(call)["id"]), {"stage": stage})


def remove(call: Call) -> None:
    with call.terminal.doing(f"Removing {call.terminal.talk_ink.app(call.app)}"):
        call.api.delete(path("pipeline-couplings", _coupling(call)["id"]))


def rename(call: Call) -> None:
    pipeline, name = _pipeline(call, call.arguments[0]), call.arguments[1]
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"Renaming {ink.name(pipeline['name'])} pipeline to {ink.info(name)}"):
        call.api.patch(path("pipelines", pipeline["id"]), {"name": name})


def destroy(call: Call) -> None:
    pipeline = _pipeline(call, call.arguments[0])
    with call.terminal.doing(f"Destroying {call.terminal.talk_ink.name(pipeline['name'])} pipeline"):
        call.api.delete(path("pipelines", pipeline["id"]))


def open_pipeline(call: Call) -> None:
    """There is no page of a pipeline here: its apps are what there is to see."""
    import webbrowser

    for app in _apps(call, _pipeline(call, call.arguments[0])["id"]):
        call.terminal.out(f"Opening {call.terminal.ink.info(app['web_url'])}...")
        if not webbrowser.open(app["web_url"]):
            call.terminal.warn("There is no browser here to open it with.")
            return


def transfer(call: Call) -> None:
    name = call.option("pipeline")
    if not name:
        raise UsageError("Missing required flag pipeline", command=call.command.name)
    pipeline = _pipeline(call, name)
    owner = call.api.get(path("users", call.arguments[0]))
    new_owner = {"id": owner["id"], "type": "user"}
    with call.terminal.doing(f"Transferring {call.terminal.talk_ink.name(pipeline['name'])} pipeline"):
        call.api.post("/pipeline-transfers", {"pipeline": {"id": pipeline["id"]}, "new_owner": new_owner})


def promote(call: Call) -> int:
    coupling = _coupling(call)
    apps = _apps(call, coupling["pipeline"]["id"])
    targets = _targets(call, coupling, apps)
    ink = call.terminal.talk_ink
    names = ", ".join(ink.app(app["name"]) for app in targets)
    with call.terminal.doing(f"Promoting {ink.app(call.app)} to {names}") as doing:
        promotion = call.api.post(
            "/pipeline-promotions",
            {
                "pipeline": {"id": coupling["pipeline"]["id"]},
                "source": {"app": {"id": coupling["app"]["id"]}},
                "targets": [{"app": {"id": app["id"]}} for app in targets],
            },
        )
        doing.done = "begun"
    call.terminal.say("Waiting for promotion to complete...")
    found = _wait(call, promotion["id"])
    return _show_promotion(call, found, {app["id"]: app["name"] for app in apps})


def _targets(call: Call, coupling: dict[str, Any], apps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if call.option("to"):
        wanted = [name for name in (call.option("to") or "").split(",") if name]
        by_name = {key: app for app in apps for key in (app["name"], app["id"])}
        for name in wanted:
            if name in (call.app, coupling["app"]["id"]):
                raise UsageError(
                    f"Cannot promote from an app to itself: {name}. Specify a different target app.",
                    command=call.command.name,
                )
            if name not in by_name:
                raise UsageError(f"Cannot find app {name}", command=call.command.name)
        return [by_name[name] for name in wanted]
    stage = _DOWNSTREAM.get(coupling["stage"])
    if stage is None:
        raise UsageError(f"Cannot promote {call.app} from '{coupling['stage']}' stage", command=call.command.name)
    found = [app for app in apps if app["pipelineCoupling"]["stage"] == stage]
    if not found:
        raise HomeportError(
            "no_downstream_apps",
            f"Cannot promote from {call.app} as there are no downstream apps in {stage} stage",
            fix=f"Add one: homeport pipelines:add {coupling['pipeline']['name']} -a APP --stage {stage}",
        )
    return found


def _wait(call: Call, promotion: str) -> list[dict[str, Any]]:
    """Until nothing is pending; what the release command of a single target says is shown meanwhile."""
    shown = False
    while True:
        found: list[dict[str, Any]] = call.api.all(path("pipeline-promotions", promotion, "promotion-targets"))
        if all(target["status"] != "pending" for target in found):
            return found
        if len(found) == 1 and found[0]["release"] and not shown:
            shown = _copy_output(call, found[0])
        call.world.sleep(_LOOK_SECONDS)


def _copy_output(call: Call, target: dict[str, Any]) -> bool:
    release = call.api.get(path("apps", target["app"]["id"], "releases", target["release"]["id"]))
    if not release["output_stream_url"]:
        return False
    call.terminal.say("Running release command...")
    copy(call, release["output_stream_url"])
    return True


def _show_promotion(call: Call, targets: list[dict[str, Any]], names: dict[str, str]) -> int:
    failed = [target for target in targets if target["status"] != "succeeded"]
    if call.has("json"):
        call.terminal.json(targets)
        return 1 if failed else 0
    if failed:
        call.terminal.warn("Promotion to some apps failed")
    else:
        call.terminal.out("\nPromotion successful")
    ink = call.terminal.ink
    painters = {"succeeded": ink.success, "failed": ink.failure}
    rows: list[tuple[str, Any]] = []
    for target in targets:
        words = [painters.get(target["status"], str)(target["status"])]
        words += (target["error_message"] or "").splitlines()
        rows.append((names.get(target["app"]["id"], target["app"]["id"]), words))
    call.terminal.out(layout.pairs(rows, ink))
    return 1 if failed else 0


def diff(call: Call) -> None:
    found = call.api.get(path("apps", call.app, "pipeline-differences"))
    if call.has("json"):
        call.terminal.json(found)
        return
    for difference in found:
        _show_difference(call, difference, call.terminal.ink)


def _show_difference(call: Call, found: dict[str, Any], ink: Ink) -> None:
    source, target = ink.app(found["source"]["app"]["name"]), ink.app(found["target"]["app"]["name"])
    if found["target"]["commit"] is None:
        text = f"{source} was not compared to {target} as {target} does not have any releases"
    elif found["ahead_by"] is None:
        text = f"{source} was not compared to {target}: their commits are not in their repositories"
    elif found["ahead_by"] == 0 and not found["behind_by"]:
        text = f"{source} is up to date with {target}"
    else:
        count = found["ahead_by"]
        behind = f", and behind by {found['behind_by']}" if found["behind_by"] else ""
        title = f"{source} is ahead of {target} by {count} commit{'s' * (count != 1)}{behind}"
        rows = [
            (ink.name(commit["sha"][:7]), commit["date"], commit["author"], commit["message"])
            for commit in found["commits"]
        ]
        call.terminal.out(f"\n{layout.header(title, ink)}")
        if rows:
            call.terminal.out(layout.table(("SHA", "Date", "Author", "Message"), rows))
        if count > len(rows):
            call.terminal.out(f"… and {count - len(rows)} more")
        return
    call.terminal.out(f"\n{text}")


def _pipeline(call: Call, name_or_id: str) -> dict[str, Any]:
    found: dict[str, Any] = call.api.get(path("pipelines", name_or_id))
    return found


def _coupling(call: Call) -> dict[str, Any]:
    found: dict[str, Any] = call.api.get(path("apps", call.app, "pipeline-couplings"))
    return found


def _apps(call: Call, pipeline: str) -> list[dict[str, Any]]:
    """The apps of a pipeline with their couplings, in the order of their stages."""
    couplings = {row["app"]["id"]: row for row in call.api.all(path("pipelines", pipeline, "pipeline-couplings"))}
    if not couplings:
        return []
    apps = call.api.post("/filters/apps", {"in": {"id": list(couplings)}})
    whole = [{**app, "pipelineCoupling": couplings[app["id"]]} for app in apps if app["id"] in couplings]
    order = {stage: place for place, stage in enumerate(STAGES)}
    return sorted(whole, key=lambda app: (order.get(app["pipelineCoupling"]["stage"], -1), app["name"]))
