"""One call of one command: what was typed, and the world that it was typed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from homeport.cli.errors import UsageError
from homeport.cli.grammar import Command, Parsed
from homeport.cli.terminal import Terminal
from homeport.errors import HomeportError

if TYPE_CHECKING:
    from datetime import datetime

    from homeport.cli.api import Api
    from homeport.cli.checkout import Checkout
    from homeport.cli.endpoint import Endpoint, Local
    from homeport.cli.transport import Transport


def _http(endpoint: Endpoint) -> Transport:
    from homeport.cli.transport import HttpTransport

    return HttpTransport(endpoint)


def _git() -> Checkout:
    from homeport.cli.checkout import GitCheckout

    return GitCheckout()


def _now() -> datetime:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def _local() -> Local | None:
    from homeport.cli.credentials import local_platform
    from homeport.home import Home

    return local_platform(Home.from_environment())


def _sleep(seconds: float) -> None:
    import time

    time.sleep(seconds)


@dataclass(frozen=True)
class World:
    """What a command touches besides its own words. The defaults are the real ones; tests bring theirs."""

    env: Mapping[str, str]
    terminal: Terminal
    connect: Callable[[Endpoint], Transport] = _http
    git: Callable[[], Checkout] = _git
    local: Callable[[], Local | None] = _local
    now: Callable[[], datetime] = _now
    sleep: Callable[[float], None] = _sleep


@dataclass
class Call:
    """What a command's function gets."""

    command: Command
    parsed: Parsed
    world: World
    words: list[str] = field(default_factory=list)

    @property
    def terminal(self) -> Terminal:
        return self.world.terminal

    @property
    def env(self) -> Mapping[str, str]:
        return self.world.env

    def has(self, switch: str) -> bool:
        return switch in self.parsed.switches

    def option(self, name: str) -> str | None:
        return self.parsed.options.get(name)

    def number(self, name: str) -> int | None:
        return self.parsed.number(name)

    @property
    def arguments(self) -> tuple[str, ...]:
        return self.parsed.arguments

    @property
    def argument(self) -> str | None:
        """The first argument, if there is one."""
        return self.parsed.arguments[0] if self.parsed.arguments else None

    @cached_property
    def endpoint(self) -> Endpoint:
        """The platform to talk to. Raises `HomeportError` (`no_platform`) when nothing says which."""
        found = find_endpoint(self.world)
        if found is None:
            raise HomeportError(
                "no_platform",
                "No Homeport runs on this machine, and none was logged in to.",
                fix="Start one here: homeport up --detach\n"
                "Or use one elsewhere: homeport login --host https://api.example.com",
            )
        return found

    @cached_property
    def api(self) -> Api:
        from homeport.cli.api import Api

        return Api(self.endpoint, self.world.connect(self.endpoint), self.terminal.warn)

    @cached_property
    def git(self) -> Checkout:
        return self.world.git()

    @property
    def named_app(self) -> str | None:
        """The app as somebody said it: --app, or the environment."""
        return self.option("app") or self.env.get("HOMEPORT_APP") or self.env.get("HEROKU_APP") or None

    @cached_property
    def maybe_app(self) -> str | None:
        """The app that the command is about, if one can be told. Raises `UsageError` when several could be meant."""
        if self.option("app") or (self.named_app and not self.option("remote")):
            return self.named_app
        from homeport.cli import inference
        from homeport.cli.checkout import default_remote, remotes

        asked = self.option("remote")
        hosts = self.endpoint.git_hosts
        found = inference.candidates(remotes(self.git), hosts, asked)
        if asked is None and len({candidate.app for candidate in found}) > 1:
            usual = default_remote(self.git)
            found = inference.candidates(remotes(self.git), hosts, usual) or found
        return inference.decide(found, asked_remote=asked)

    @cached_property
    def app(self) -> str:
        """The app that the command is about. Raises `UsageError` (`app_missing`) when none can be told."""
        if self.command.needs_app == "maybe" and self.argument and self.command.arguments[0].name == "app":
            return self.argument
        found = self.maybe_app
        if found is None:
            from homeport.cli.inference import MISSING_APP

            raise UsageError("Missing required flag app", command=self.command.name, fix=MISSING_APP, id="app_missing")
        return found


def find_endpoint(world: World) -> Endpoint | None:
    """The platform that the environment, the saved logins and this machine's own daemon point to."""
    from homeport.cli.credentials import Logins
    from homeport.cli.endpoint import choose

    current, logins = Logins.of(world.env).read()
    return choose(world.env, current=current, logins=logins, local=world.local())
