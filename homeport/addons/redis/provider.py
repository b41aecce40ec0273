"""Heroku Key-Value Store on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from homeport.addons import accounts, servers
from homeport.addons.catalog import Plan
from homeport.addons.provider import UNSETTLED, Resource
from homeport.addons.redis import configuration, copies, facts, ports, tuning, versions
from homeport.addons.redis.configuration import Access, Limits, Listening, Sync, fingerprint
from homeport.addons.redis.facts import Facts
from homeport.addons.redis.instance import Instance
from homeport.addons.redis.tuning import Tuning
from homeport.addons.redis.wire import Connection
from homeport.addons.site import Site
from homeport.errors import HomeportError, Invalid, Unavailable

DUMP = "redis.rdb"
LOOPBACK = "127.0.0.1"
PORT_ATTEMPTS = 5

_log = logging.getLogger("homeport.addons.redis")


@dataclass(frozen=True)
class Login:
    """The URL that says how apps connect."""

    url: str = field(repr=False)
    requires_tls: bool


class Redis:
    """The provider of `heroku-redis`."""

    service = "heroku-redis"

    def __init__(self, site: Site) -> None:
        self._site = site
        self._folder = site.home.addons / "redis"
        self._account = accounts.unprivileged("redis")
        self._instances: dict[str, Instance] = {}
        self._complaints: dict[str, str] = {}

    def check(self, plan: Plan, options: Mapping[str, str]) -> None:  # noqa: ARG002 - every plan can be had
        if unknown := set(options) - {"version", *tuning.OPTIONS}:
            raise Invalid(
                f"heroku-redis doesn't know the option {min(unknown)[:50]} here.",
                fix=f"It knows --version, {', '.join(f'--{name}' for name in tuning.OPTIONS)}.",
            )
        Tuning.asked(options)
        versions.require(options.get("version"))

    async def provision(self, resource: Resource) -> Mapping[str, str]:
        instance = self._instance(resource.id)
        if instance.is_running:
            await self._require_room(instance, resource)
        password = resource.secret.get("password") or self.new_password()
        tuned = Tuning.of(resource.secret) if resource.secret else Tuning.asked(resource.options)
        async with instance.turn:
            instance.prepare()
            if known := resource.secret.get("port"):
                ports.reclaim(instance.folder, int(known))
            port = await self._run(instance, resource.plan, tuned, password)
        return {"password": password, "host": self._site.host, "port": str(port), **tuned.remembered()}

    def config_vars(self, resource: Resource, name: str) -> dict[str, str]:
        if not speaks_plainly(resource.plan):
            return {f"{name}_URL": tls_url(resource)}
        return {f"{name}_URL": plain_url(resource), f"{name}_TLS_URL": tls_url(resource)}

    async def deprovision(self, resource: Resource) -> None:
        instance = self._instance(resource.id)
        if instance.folder.exists():
            await self._scratch(resource.id).remove()
            await instance.remove()
        self._instances.pop(resource.id, None)
        self._complaints.pop(resource.id, None)

    async def tend(self, resources: list[Resource]) -> list[Resource]:
        await asyncio.gather(*(self._keep(resource) for resource in resources))
        return [resource for resource in resources if UNSETTLED in resource.secret or self._has_moved(resource)]

    async def backup(self, resource: Resource, into: Path) -> None:
        await copies.save(await self._running(resource), into / DUMP)

    async def restore(self, resource: Resource, source: Path) -> None:
        instance = await self._running(resource)
        try:
            await copies.load(instance, self._scratch(resource.id), source / DUMP)
        finally:
            await self._running(resource)

    async def examine(self, resource: Resource, source: Path) -> None:  # noqa: ARG002 - any Redis reads it
        await copies.examine(self._site.servers, self._account, source / DUMP)

    async def stop(self) -> None:
        names = [folder.name for folder in self._folder.iterdir()] if self._folder.is_dir() else []
        there = [server for name in names for server in (self._instance(name), self._scratch(name)) if server.exists]
        await servers.each(*(server.stop() for server in there))

    async def close(self) -> None:
        return

    @staticmethod
    def new_password() -> str:
        """Letters and digits only: it stands in URLs and shells."""
        return "p" + secrets.token_hex(32)

    @staticmethod
    def login(resource: Resource) -> Login:
        """How apps get in: what REDIS_URL says."""
        is_plain = speaks_plainly(resource.plan)
        url = plain_url(resource) if is_plain else tls_url(resource)
        return Login(url, requires_tls=not is_plain)

    async def facts(self, resource: Resource) -> Facts:
        """Raises `Unavailable` while its server doesn't answer."""
        return await facts.gather(self._instance(resource.id))

    async def reset_statistics(self, resource: Resource) -> None:
        """Raises `Unavailable`."""
        await facts.reset_statistics(self._instance(resource.id))

    def _instance(self, id: str) -> Instance:
        known = self._instances.get(id)
        if known is None:
            known = Instance(self._site.servers, f"redis-{id}", self._folder / id, self._account)
            self._instances[id] = known
        return known

    def _scratch(self, id: str) -> Instance:
        """A server beside the add-on's, to read a backup."""
        return Instance(self._site.servers, f"redis-{id}-restore", self._folder / id / "restore", self._account)

    async def _running(self, resource: Resource) -> Instance:
        instance = self._instance(resource.id)
        async with instance.turn:
            if not instance.is_running:  # else it may know more than this resource does
                await self._run(instance, resource.plan, Tuning.of(resource.secret), resource.secret["password"])
        return instance

    async def _run(self, instance: Instance, plan: Plan, tuned: Tuning, password: str) -> int:
        """Have the server run as it should; returns the first of its ports. What differs is changed while it runs, if
        that is possible."""
        access = Access(fingerprint(password), fingerprint(instance.password))
        for attempt in range(PORT_ATTEMPTS):
            port = self._port(instance)
            listening, limits = self._listening(plan, port), _limits(plan)
            instance.configure(configuration.redis_conf(listening, limits, tuned, access))
            self._certify(instance)
            if instance.is_running:
                if await _adapt(instance, listening, limits, tuned, access):
                    return port
                await instance.stop()
            try:
                await instance.start()
            except HomeportError as error:
                lost_race = error.id == "server_not_started" and not ports.are_free(port)
                if not lost_race or attempt == PORT_ATTEMPTS - 1:
                    raise
            else:
                return port
        raise AssertionError("the last attempt returns or raises")

    def _port(self, instance: Instance) -> int:
        """The port that it has, or a new one if somebody else listens there. Apps follow a change by a release."""
        port = ports.held(instance.folder)
        if port is None or not (instance.is_running or ports.are_free(port)):
            port = ports.claim(instance.folder)
        return port

    def _listening(self, plan: Plan, port: int) -> Listening:
        """Clear text never leaves the machine: a server that speaks it listens nowhere else."""
        if speaks_plainly(plan):
            return Listening((LOOPBACK,), tls=port + 1, plain=port)
        return Listening(self._site.addresses, tls=port + 1)

    def _certify(self, instance: Instance) -> bool:
        """A certificate for today's host that lasts; True if it was (re)issued now."""
        if instance.is_certified(self._site.host):
            return False
        instance.certify(self._site.host, self._site.certificate(self._site.host))
        return True

    async def _keep(self, resource: Resource) -> None:
        """Look after one server. What fails is tried again the next time; the others are tended all the same."""
        if self._instance(resource.id).turn.locked():  # somebody is at it
            return
        try:
            if self._scratch(resource.id).folder.exists():  # whoever restored is gone
                await self._scratch(resource.id).remove()
            instance = await self._running(resource)
            instance.tidy()
            if self._certify(instance):
                async with instance.connect() as connection:
                    await connection.ask("CONFIG", "SET", "tls-cert-file", configuration.CERTIFICATE)
        except (HomeportError, OSError) as error:  # OSError: the disk is full, say
            said = error.message if isinstance(error, HomeportError) else str(error)
            if self._complaints.get(resource.id) != said:
                self._complaints[resource.id] = said
                _log.error("%s: %s", resource.name, said)
        else:
            self._complaints.pop(resource.id, None)

    def _has_moved(self, resource: Resource) -> bool:
        now = (str(ports.held(self._folder / resource.id)), self._site.host)
        return now != (resource.secret["port"], resource.secret["host"])

    async def _require_room(self, instance: Instance, resource: Resource) -> None:
        """Raises `Invalid` if there is more in it than the plan holds."""
        holds = resource.plan.limits["memory"]
        try:
            async with instance.connect() as connection:
                limit = int((await connection.settings("maxmemory"))["maxmemory"])
                has = int((await connection.info("memory"))["used_memory"])
        except Unavailable:  # the app has taken all connections, say: a larger plan is just what it needs
            return
        if holds < limit and has > holds:
            raise Invalid(
                f"{resource.name} uses {has / 1024**2:.0f} MB, more than {resource.plan.full_name} holds.",
                fix="Remove keys, or choose a larger plan: `heroku addons:plans heroku-redis`.",
            )


def speaks_plainly(plan: Plan) -> bool:
    """Mini plans take connections with and without TLS, all others with TLS only: see docs/decisions/0110."""
    return plan.name == "mini"


def plain_url(resource: Resource) -> str:
    return f"redis://:{resource.secret['password']}@{LOOPBACK}:{resource.secret['port']}"


def tls_url(resource: Resource) -> str:
    secret = resource.secret
    host = LOOPBACK if speaks_plainly(resource.plan) else secret["host"]
    return f"rediss://:{secret['password']}@{host}:{int(secret['port']) + 1}"


def _limits(plan: Plan) -> Limits:
    sync = Sync.WHEN_THE_SYSTEM_LIKES if plan.name == "mini" else Sync.BEFORE_REPLY
    return Limits(plan.limits["memory"], plan.limits["connections"], sync)


async def _adapt(instance: Instance, listening: Listening, limits: Limits, tuned: Tuning, access: Access) -> bool:
    """Tell a running server what differs; False if it has to be started anew for that."""
    with contextlib.suppress(HomeportError):
        async with instance.connect() as connection:
            wanted = listening.settings()
            if await connection.settings(*wanted) != wanted:
                return False
            for name, value in {**limits.settings(), **configuration.tuned(tuned)}.items():
                await connection.ask("CONFIG", "SET", name, value)
            await _admit(connection, access)
            return True
    return False


async def _admit(connection: Connection, access: Access) -> None:
    """Let in who has the password; whoever came in by another one is put out."""
    answer = await connection.ask("ACL", "GETUSER", "default")
    fields = answer if isinstance(answer, list) else []
    known = dict(zip(map(str, fields[::2]), fields[1::2], strict=False)).get("passwords")
    if known != [access.app]:
        await connection.ask("ACL", "SETUSER", "default", "reset", *configuration.rules(access.app))
        await connection.ask("CLIENT", "KILL", "USER", "default", "SKIPME", "yes")
