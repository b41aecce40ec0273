"""`homeport git:remote`, `git:clone`, `git:known-hosts`, `git:credentials`."""

from __future__ import annotations

from homeport.cli import checkout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.credentials import Logins
from homeport.cli.endpoint import Endpoint, Source, choose, complete
from homeport.cli.errors import UsageError
from homeport.errors import HomeportError


def remote(call: Call) -> None:
    more = list(call.arguments)
    name = call.option("app") or (more.pop(0) if more else None) or call.named_app
    if not name:
        raise UsageError("Specify an app with --app", command=call.command.name, id="app_missing")
    app = call.api.get(path("apps", name))
    wanted = call.option("remote") or checkout.default_remote(call.git) or "heroku"
    url = ssh_url(call, app["name"]) if call.has("ssh") else checkout.remote_url(call.endpoint, app["name"])
    there = call.git.output("remote").splitlines()
    verb = "set-url" if wanted in there else "add"
    call.git.output("remote", verb, wanted, url, *more)
    checkout.configure(call.git, checkout.settings_for(call.endpoint, home=call.env.get("HOMEPORT_HOME")))
    ink = call.terminal.ink
    call.terminal.out(f"set git remote {ink.name(wanted)} to {ink.name(url)}")


def ssh_url(call: Call, app: str) -> str:
    """The app's remote over SSH. Raises `ApiError` where there is none."""
    url: str = call.api.get("/ssh-host")["url"]
    return url.replace("APP", app)


def known_hosts(call: Call) -> None:
    """The host's key came over a connection that is trusted already: nobody needs to say yes to it unseen."""
    host = call.api.get("/ssh-host")
    if call.has("json"):
        call.terminal.json(host)
        return
    call.terminal.out(host["known_hosts"])
    if call.terminal.is_interactive and call.terminal.columns is not None:
        call.terminal.say(f"Fingerprint: {host['fingerprint']}")
        call.terminal.say("To trust it from now on: homeport git:known-hosts >> ~/.ssh/known_hosts")


def clone(call: Call) -> int:
    name = call.named_app
    if not name:
        raise UsageError("Missing required flag app", command=call.command.name, id="app_missing")
    app = call.api.get(path("apps", name))
    settings = checkout.settings_for(call.endpoint, home=call.env.get("HOMEPORT_HOME"))
    configuration = [word for key, value in settings for word in ("-c", f"{key}={value}")]
    url = checkout.remote_url(call.endpoint, app["name"])
    call.terminal.stdout.flush()
    return call.git.run(
        "clone", "-o", call.option("remote") or "heroku", *configuration, "--", url, call.argument or app["name"]
    )


def credentials(call: Call) -> None:
    """Git's credential helper protocol (gitcredentials(7)): answer `get` for our own host, and for no other."""
    action = call.arguments[0]
    if action in ("store", "erase"):
        return
    if action != "get":
        raise UsageError(f"unknown command: {action}", command=call.command.name)
    asked = dict(line.rstrip("\n").split("=", 1) for line in call.terminal.stdin if "=" in line)
    if asked.get("protocol") != "https":
        return
    found = _endpoint_of(call, asked.get("host", ""))
    if found is None:
        return
    if found.token is None:
        raise HomeportError("not_logged_in", "not logged in", fix="Log in: homeport login")
    for key, value in (
        ("protocol", "https"),
        ("host", asked["host"]),
        ("username", "homeport"),
        ("password", found.token),
    ):
        call.terminal.out(f"{key}={value}")


def _endpoint_of(call: Call, host: str) -> Endpoint | None:
    """The platform whose git is at `host`, among all that we have a token for: a checkout belongs to one platform,
    whichever the shell happens to be set to."""
    current, logins = Logins.of(call.env).read()
    local = call.world.local()
    known = [choose(call.env, current=current, logins=logins, local=local)]
    elsewhere = {key: value for key, value in call.env.items() if not key.endswith(("_API_KEY", "_HOST"))}
    known += [complete(Endpoint(url, Source.LOGIN), elsewhere, logins, local) for url in logins]
    if local is not None:
        known.append(complete(Endpoint(local.url, Source.LOCAL), elsewhere, {}, local))
    for found in known:
        if found is not None and host in found.git_hosts:
            return found
    return None
