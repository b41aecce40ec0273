"""`homeport create`: all that can be known to be wrong is found before the app is made, and what was made is said when
a later step fails. Heroku leaves the app and says nothing of it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from homeport.cli import checkout
from homeport.cli.api import path
from homeport.cli.call import Call
from homeport.cli.topics.git import ssh_url
from homeport.errors import HomeportError, Unavailable

App = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """Something to do for an app that is there; `command` does the same later."""

    act: Callable[[], object]
    command: str


def create(call: Call) -> None:
    plans = [plan for part in (call.option("addons") or "").split(",") if (plan := part.strip())]
    _require(call, plans)
    app = _make(call)
    steps = [*_additions(call, app, plans), *_connection(call, app)]
    for number, step in enumerate(steps):
        with _said_if_unfinished(call, app, steps[number:]):
            step.act()
    if call.has("json"):
        call.terminal.json(app)
    else:
        call.terminal.out(f"{call.terminal.ink.info(app['web_url'])} | {call.terminal.ink.info(_url(call, app))}")


def _require(call: Call, plans: Sequence[str]) -> None:
    """Raises `ApiError` for an add-on that can't be had."""
    for wanted in plans:
        service, colon, plan = wanted.partition(":")
        call.api.get(path("addon-services", service, *(("plans", plan) if colon else ())))


def _make(call: Call) -> App:
    name = call.option("app") or call.argument or call.env.get("HOMEPORT_APP") or call.env.get("HEROKU_APP")
    wanted = {"name": name, "region": call.option("region"), "stack": call.option("stack")}
    ink = call.terminal.talk_ink
    with call.terminal.doing(f"Creating {ink.app(name) if name else 'app'}") as doing:
        app = _post(call, {key: value for key, value in wanted.items() if value})
        doing.done = "done" if name else f"done, {ink.app(app['name'])}"
        if call.option("region"):
            doing.done += f", region is {ink.info(app['region']['name'])}"
        if call.option("stack"):
            doing.done += f", stack is {ink.info(app['stack']['name'])}"
    return app


def _post(call: Call, wanted: dict[str, Any]) -> App:
    """Ask once more if the connection breaks: by the id of the request the server knows an app that it has made."""
    from uuid import uuid4

    numbered = {"Request-Id": str(uuid4())}
    try:
        made: App = call.api.request("POST", "/apps", wanted, headers=numbered)[0]
    except Unavailable as error:
        if error.id != "connection_lost":
            raise
        made = call.api.request("POST", "/apps", wanted, headers=numbered)[0]
    return made


def _additions(call: Call, app: App, plans: Sequence[str]) -> Iterator[Step]:
    def add(plan: str) -> None:
        with call.terminal.doing(f"Adding {plan}"):
            call.api.post(path("apps", app["name"], "addons"), {"plan": plan})

    def set_buildpack(buildpack: str) -> None:
        with call.terminal.doing(f"Setting buildpack to {call.terminal.talk_ink.info(buildpack)}"):
            updates = {"updates": [{"buildpack": buildpack}]}
            call.api.put(path("apps", app["name"], "buildpack-installations"), updates)

    for plan in plans:
        yield Step(partial(add, plan), f"addons:create {shlex.quote(plan)} -a {app['name']}")
    if buildpack := call.option("buildpack"):
        yield Step(partial(set_buildpack, buildpack), f"buildpacks:set {shlex.quote(buildpack)} -a {app['name']}")


def _connection(call: Call, app: App) -> Iterator[Step]:
    if call.has("no-remote") or not call.git.exists:
        return
    remote = call.option("remote") or "heroku"
    again = f"git:remote -a {app['name']} -r {shlex.quote(remote)}{' --ssh' if call.has('ssh-git') else ''}"
    yield Step(lambda: connect_checkout(call, remote, _url(call, app)), again)


def _url(call: Call, app: App) -> str:
    return ssh_url(call, app["name"]) if call.has("ssh-git") else checkout.remote_url(call.endpoint, app["name"])


@contextmanager
def _said_if_unfinished(call: Call, app: App, left: Sequence[Step]) -> Iterator[None]:
    """The app stays when one of its steps fails, as on Heroku; the person is told how to go on, and how not to."""
    advice = "\n".join(
        (
            f"The app {app['name']} was made and is there. To go on:",
            *(f"  homeport {step.command}" for step in left),
            f"Or to have it gone: homeport apps:destroy -a {app['name']} --confirm {app['name']}",
        )
    )
    try:
        yield
    except HomeportError as error:
        error.fix = "\n".join(part for part in (error.fix, advice) if part)
        raise
    except KeyboardInterrupt:
        call.terminal.warn(advice)
        raise


def connect_checkout(call: Call, remote: str, url: str) -> None:
    """Give the checkout, if we are in one, a remote for the new app; one that is there stays as it is."""
    if not call.git.exists:
        return
    there = {found.name: found.url for found in checkout.remotes(call.git)}
    if remote not in there:
        call.git.output("remote", "add", remote, url)
    elif there[remote] != url:
        call.terminal.warn(
            f"The git remote {remote} leads to {there[remote]} already and was left so.\n"
            f"To change it: homeport git:remote -a {url.rpartition('/')[2].removesuffix('.git')} -r {remote}"
        )
    checkout.configure(call.git, checkout.settings_for(call.endpoint, home=call.env.get("HOMEPORT_HOME")))
