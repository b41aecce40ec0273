"""`homeport domains`."""

from __future__ import annotations

from typing import Any

from homeport.cli import layout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.errors import HomeportError

WAIT_SECONDS = 5.0
# Second-level domains that registries sell names under: `example.co.uk` is as much an apex as `example.com`.
_REGISTRIES = frozenset("ac co com edu gob gov gouv net or org".split())


def list_domains(call: Call) -> None:
    found = call.api.all(path("apps", call.app, "domains"))
    if call.has("json"):
        call.terminal.json(found)
        return
    ink = call.terminal.ink
    own = [domain for domain in found if domain["kind"] == "heroku"]
    custom = [domain for domain in found if domain["kind"] == "custom"]
    call.terminal.out(layout.header(f"{ink.app(call.app)} Heroku Domain", ink))
    for domain in own:
        call.terminal.out(ink.info(domain["hostname"]))
    if custom:
        call.terminal.out("\n")
        call.terminal.out(layout.header(f"{ink.app(call.app)} Custom Domains", ink))
        columns = ("Domain Name", "DNS Record Type", "DNS Target", "SNI Endpoint")
        call.terminal.out(layout.table(columns, [_row(domain) for domain in custom]))


def _row(domain: dict[str, Any]) -> tuple[str, str, str, str]:
    hostname = domain["hostname"]
    record = "ALIAS or ANAME" if is_apex(hostname) else "CNAME"
    return hostname, record, domain.get("cname") or "", (domain.get("sni_endpoint") or {}).get("name", "")


def is_apex(hostname: str) -> bool:
    """Whether a name is one that a registrar sells, which cannot have a CNAME record."""
    labels = hostname.split(".")
    if labels[0] == "*":
        return False
    under_registry = len(labels) == 3 and labels[1] in _REGISTRIES and len(labels[2]) == 2
    return len(labels) <= 2 or under_registry


def add(call: Call) -> None:
    hostname = call.arguments[0]
    talk = call.terminal.talk_ink
    with call.terminal.doing(f"Adding {talk.name(hostname)} to {talk.app(call.app)}"):
        body = {"hostname": hostname, "sni_endpoint": call.option("cert")}
        domain = call.api.post(path("apps", call.app, "domains"), body)
    if call.has("json"):
        call.terminal.json(domain)
        return
    ink = call.terminal.ink
    target = ink.name(domain["cname"]) if domain.get("cname") else "of this platform"
    call.terminal.out(f"Configure your app's DNS provider to point to the DNS Target {target}.")
    if domain.get("status") != "pending":
        return
    if call.has("wait"):
        _wait(call, domain)
    else:
        call.terminal.out(f"\nThe domain {ink.name(hostname)} has been enqueued for addition")
        call.terminal.out(f"Run {ink.code(f'homeport domains:wait {hostname}')} to wait for completion")


def remove(call: Call) -> None:
    hostname = call.arguments[0]
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"Removing {ink.name(hostname)} from {ink.app(call.app)}"):
        call.api.delete(path("apps", call.app, "domains", hostname))


def info(call: Call) -> None:
    domain = call.api.get(path("apps", call.app, "domains", call.arguments[0]))
    if call.has("json"):
        call.terminal.json(domain)
        return
    domain["app"] = (domain.get("app") or {}).get("name")
    call.terminal.out(layout.pairs(domain.items(), call.terminal.ink))


def wait(call: Call) -> None:
    if call.argument:
        waiting = [call.api.get(path("apps", call.app, "domains", call.argument))]
    else:
        found = call.api.all(path("apps", call.app, "domains"))
        waiting = [domain for domain in found if domain.get("status") == "pending"]
    for domain in waiting:
        _wait(call, domain)


def clear(call: Call) -> None:
    with call.terminal.doing(f"Removing all domains from {call.terminal.talk_ink.app(call.app)}"):
        for domain in call.api.all(path("apps", call.app, "domains")):
            if domain["kind"] == "custom":
                call.api.delete(path("apps", call.app, "domains", domain["hostname"]))


def _wait(call: Call, domain: dict[str, Any]) -> None:
    with call.terminal.doing(f"Waiting for {call.terminal.talk_ink.name(domain['hostname'])}"):
        while domain.get("status") == "pending":
            call.world.sleep(WAIT_SECONDS)
            domain = call.api.get(path("apps", call.app, "domains", domain["id"]))
    if domain.get("status") not in ("succeeded", "none"):
        raise HomeportError("domain_failed", f"The domain creation finished with status {domain.get('status')}")
