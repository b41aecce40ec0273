"""`homeport buckets`: what is in an app's buckets, and how S3's own tools reach them."""

from __future__ import annotations

import shlex
from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call

Item = dict[str, Any]

SERVICE = "bucketeer"


def info(call: Call) -> None:
    attached = call.api.all(path("apps", call.app, "addon-attachments"))
    found = [_facts(call, addon, attached) for addon in _wanted(call) if addon["state"] == "provisioned"]
    if call.has("json"):
        call.terminal.json(found)
    elif not found:
        call.terminal.out(f"No buckets on {call.app}. Create one: homeport addons:create {SERVICE} -a {call.app}")
    for facts in found if not call.has("json") else ():
        _show(call, facts)


def _wanted(call: Call) -> list[Item]:
    if call.argument is not None:
        asked = {"addon": call.argument, "app": call.app, "addon_service": SERVICE}
        found: list[Item] = call.api.post("/actions/addons/resolve", asked)
        return found
    there = call.api.all(path("apps", call.app, "addons"))
    return [addon for addon in there if addon["addon_service"]["name"] == SERVICE]


def _facts(call: Call, addon: Item, attached: list[Item]) -> Item:
    facts: Item = call.api.get(path("buckets", "v0", "buckets", addon["id"]))
    names = sorted(item["name"] for item in attached if item["addon"]["id"] == addon["id"])
    return {**facts, "app": addon["app"], "attachments": names, "commands": _commands(call.app, names, facts)}


def _commands(app: str, names: list[str], facts: Item) -> Item:
    """Lines for a shell. The keys come from the config vars when they are run: none of them is shown."""
    if not names:
        return {}
    bucket, endpoint, region = (shlex.quote(facts[key]) for key in ("bucket_name", "endpoint", "region"))
    remote = f':s3,provider=Other,env_auth=true,region={facts["region"]},endpoint="{facts["endpoint"]}"'
    keys = " ".join(
        f'{name}="$(homeport config:get {names[0]}_{name} -a {app})"'
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    )
    return {
        "keys": f"export {keys}",
        "aws": f"aws s3 ls s3://{bucket} --recursive --endpoint-url {endpoint} --region {region}",
        "rclone": f"rclone ls {shlex.quote(remote + ':' + facts['bucket_name'])}",
    }


def _show(call: Call, facts: Item) -> None:
    ink = call.terminal.ink
    known_as = f" ({', '.join(facts['attachments'])})" if facts["attachments"] else ""
    call.terminal.out(layout.header(f"{ink.name(facts['name'])}{known_as}", ink))
    call.terminal.out(layout.pairs([(fact["name"], fact["values"]) for fact in facts["info"]], ink))
    if not facts["commands"]:
        return
    call.terminal.out("\nTo reach it with the AWS CLI or rclone:\n")
    for line in facts["commands"].values():
        call.terminal.out(f"  {ink.code(line)}")
    call.terminal.out()
