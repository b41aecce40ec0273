"""Redis servers in bad times: killed under load, in each other's way, interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis.asyncio
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, RedisError

from homeport import router
from homeport.addons import Redis, Resource, Servers, Site, catalog
from homeport.addons.accounts import unprivileged
from homeport.addons.provider import UNSETTLED
from homeport.errors import Invalid
from homeport.home import Home

pytestmark = pytest.mark.slow

SERVICE = "heroku-redis"


class Ground:
    """A machine with one add-on."""

    def __init__(self, folder: Path, plan: str) -> None:
        self.home = Home(folder / "home")
        self.home.prepare()
        authority = router.Authority(self.home.tls)
        self.site = Site(
            home=self.home,
            servers=Servers(self.home.run / "servers", self.home.logs / "addons"),
            certificate=lambda host: authority.leaf(host).read_bytes(),
        )
        self.provider = Redis(self.site)
        self.resource = Resource(str(uuid.uuid4()), "redis-1", catalog.plan(f"{SERVICE}:{plan}"))

    @property
    def folder(self) -> Path:
        return self.home.addons / "redis" / self.resource.id

    @property
    def url(self) -> str:
        return self.provider.config_vars(self.resource, "REDIS")["REDIS_URL"]

    async def provision(self, **secret: str) -> None:
        wanted = replace(self.resource, secret={**self.resource.secret, **secret})
        self.resource = replace(self.resource, secret=await self.provider.provision(wanted))

    def pid(self) -> int:
        pid = self.site.servers.pid(f"redis-{self.resource.id}")
        assert pid is not None
        return pid

    def kill(self) -> None:
        os.kill(self.pid(), signal.SIGKILL)
        while self.site.servers.pid(f"redis-{self.resource.id}") is not None:
            time.sleep(0.002)

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[redis.asyncio.Redis]:
        trust = {"ssl_cert_reqs": None} if self.url.startswith("rediss:") else {}
        async with redis.asyncio.from_url(self.url, decode_responses=True, **trust) as client:
            yield client


async def ask(client: redis.asyncio.Redis, words: str) -> None:
    await client.execute_command(*words.split())  # type: ignore[no-untyped-call]


def bind_when_free(listener: socket.socket, port: int) -> None:
    """A killed server's port is its own for as long as the kernel is busy with taking the process apart."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return listener.bind(("127.0.0.1", port))
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.01)


Scenario = Callable[[Ground], Awaitable[None]]
Play = Callable[..., None]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    grounds = []

    def run(scenario: Scenario, plan: str = "mini") -> None:
        ground = Ground(tmp_path, plan)
        grounds.append(ground)

        async def whole() -> None:
            await ground.provision()
            await scenario(ground)

        asyncio.run(whole())

    yield run
    for ground in grounds:
        asyncio.run(ground.provider.stop())


@pytest.mark.parametrize("plan", ["mini", "premium-0"])
def test_no_acknowledged_write_is_lost_when_the_server_is_killed_under_load(play: Play, plan: str) -> None:
    async def scenario(ground: Ground) -> None:
        acknowledged: set[str] = set()
        many = asyncio.Event()

        async def write(writer: int) -> None:
            with contextlib.suppress(RedisError, OSError):
                async with ground.client() as client:
                    for number in range(1_000_000):
                        await client.set(f"{writer}:{number}", "x" * 100)
                        acknowledged.add(f"{writer}:{number}")

                        if len(acknowledged) > 2000:
                            many.set()

        writers = [asyncio.create_task(write(writer)) for writer in range(8)]
        await many.wait()
        ground.kill()
        await asyncio.gather(*writers)
        assert await ground.provider.tend([ground.resource]) == []
        async with ground.client() as client:
            there = set(await client.keys("*"))
        assert acknowledged - there == set()

    play(scenario, plan)


def test_a_server_whose_port_was_taken_while_it_was_down_gets_another(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        async with ground.client() as client:
            await client.set("key", "kept")
        old = ground.url
        ground.kill()
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bind_when_free(thief, int(ground.resource.secret["port"]))
            thief.listen()
            assert await ground.provider.tend([ground.resource]) == [ground.resource]
            await ground.provision()
            assert ground.url != old
            async with ground.client() as client:
                assert await client.get("key") == "kept"

    play(scenario)


def test_another_password_puts_out_whoever_has_the_old_one(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        old, pid = ground.url, ground.pid()
        async with redis.asyncio.from_url(old, retry_on_error=[]) as inside:
            await inside.set("key", "kept")
            await ground.provision(password=ground.provider.new_password())
            with pytest.raises((AuthenticationError, ConnectionError, RedisError)):
                await inside.get("key")
        async with ground.client() as client:
            assert await client.get("key") == "kept"
        assert ground.pid() == pid, "apps that are let in go on undisturbed"

    play(scenario)


def test_a_change_that_was_written_down_but_not_made_is_made_later(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        secret = {**ground.resource.secret, "password": ground.provider.new_password(), UNSETTLED: "true"}
        ground.resource = replace(ground.resource, secret=secret)
        assert await ground.provider.tend([ground.resource]) == [ground.resource]
        await ground.provision()
        assert UNSETTLED not in ground.resource.secret
        async with ground.client() as client:
            await client.set("key", "value")

    play(scenario)


def test_settings_are_changed_while_it_runs_and_outlive_it(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        pid = ground.pid()
        await ground.provision(policy="allkeys-lru", timeout="77", events="KEA")
        assert ground.pid() == pid
        for _ in range(2):
            async with ground.provider._instance(ground.resource.id).connect() as connection:
                now = await connection.settings("maxmemory-policy", "timeout", "notify-keyspace-events")
            assert (now["maxmemory-policy"], now["timeout"]) == ("allkeys-lru", "77")
            assert set(now["notify-keyspace-events"]) == set("KEA")
            ground.kill()
            await ground.provider.tend([ground.resource])

    play(scenario)


def test_an_app_is_not_its_servers_master(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        async with ground.client() as client:
            for words in ("CONFIG GET dir", "SHUTDOWN", "ACL LIST", "REPLICAOF 127.0.0.1 1", "SAVE"):
                with pytest.raises(NoPermissionError):
                    await ask(client, words)
            for words in (
                "INFO",
                "KEYS *",
                "FLUSHALL",
                "CLIENT LIST",
                "EVAL return(1) 0",
                "PUBLISH c m",
                "SLOWLOG GET",
            ):
                await ask(client, words)

    play(scenario)


def test_what_the_disk_says_of_a_backup_is_not_taken_for_redis_own(play: Play, tmp_path: Path) -> None:
    async def scenario(ground: Ground) -> None:
        with pytest.raises(FileNotFoundError):
            await ground.provider.backup(ground.resource, tmp_path / "no such folder")

    play(scenario)


def test_a_full_store_refuses_or_evicts_as_was_chosen(play: Play) -> None:
    async def fill(client: redis.asyncio.Redis) -> None:
        for number in range(300):
            await client.set(f"big:{number}", "x" * 100_000)

    async def scenario(ground: Ground) -> None:
        async with ground.client() as client:
            with pytest.raises(OutOfMemoryError):
                await fill(client)
            await ground.provision(policy="allkeys-lru")
            await fill(client)
            assert 0 < await client.dbsize() < 300

    play(scenario)


def test_a_plan_that_is_too_small_is_refused(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        async with ground.client() as client:
            for number in range(300):
                await client.set(f"big:{number}", "x" * 100_000)
            ground.resource = replace(ground.resource, plan=catalog.plan(f"{SERVICE}:mini"))
            with pytest.raises(Invalid):
                await ground.provision()
            ground.resource = replace(ground.resource, plan=catalog.plan(f"{SERVICE}:premium-0"))
            assert await client.dbsize() == 300

    play(scenario, "premium-0")


def test_a_plan_with_tls_only_does_not_answer_in_clear(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        assert ground.url.startswith("rediss://")
        clear = ground.url.replace("rediss://", "redis://")
        async with redis.asyncio.from_url(clear, socket_timeout=5) as client:
            with pytest.raises(RedisError):
                await client.get("key")

    play(scenario, "premium-0")


def test_its_certificate_is_for_its_host_and_by_the_platforms_authority(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        authority = str(ground.home.tls / "ca.pem")
        async with redis.asyncio.from_url(
            ground.url, ssl_ca_certs=authority, ssl_cert_reqs="required", ssl_check_hostname=True
        ) as client:
            await client.set("key", "value")

    play(scenario, "premium-0")


def test_another_certificate_is_shown_without_a_restart(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        address, pid = ("127.0.0.1", int(ground.resource.secret["port"]) + 1), ground.pid()
        before = await asyncio.to_thread(ssl.get_server_certificate, address)
        for leaf in ground.home.tls.rglob("127.0.0.1*"):
            leaf.unlink()
        (ground.folder / "server.pem").unlink()
        authority = router.Authority(ground.home.tls)
        ground.provider = Redis(replace(ground.site, certificate=lambda host: authority.leaf(host).read_bytes()))
        await ground.provider.tend([ground.resource])
        assert await asyncio.to_thread(ssl.get_server_certificate, address) != before
        assert ground.pid() == pid

    play(scenario)


def test_whoever_takes_all_connections_can_still_get_a_larger_plan(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        async with contextlib.AsyncExitStack() as stack:
            taken = 0
            with contextlib.suppress(RedisError):
                for _ in range(40):
                    client = await stack.enter_async_context(ground.client())
                    await client.get("key")
                    taken += 1
            assert 20 <= taken < 40
            ground.resource = replace(ground.resource, plan=catalog.plan(f"{SERVICE}:premium-4"))
            await ground.provision()
        async with ground.client() as client:
            assert (await client.info("clients"))["maxclients"] > 1000

    play(scenario)


def test_a_restore_that_was_cut_short_loses_nothing(play: Play) -> None:
    """Between the two renames that exchange the data, and while the scratch server reads."""

    async def scenario(ground: Ground) -> None:
        async with ground.client() as client:
            await client.set("key", "kept")
        await ground.provider.stop()
        (ground.folder / "data").rename(ground.folder / "data.old")
        (ground.folder / "restore" / "data").mkdir(parents=True)
        assert await ground.provider.tend([ground.resource]) == []
        async with ground.client() as client:
            assert await client.get("key") == "kept"
        assert not (ground.folder / "data.old").exists()
        assert not (ground.folder / "restore").exists()

    play(scenario)


def test_a_backup_is_of_one_moment_while_the_app_goes_on(play: Play, tmp_path: Path) -> None:
    async def scenario(ground: Ground) -> None:
        async with ground.client() as client:
            stop = asyncio.Event()

            async def count() -> None:
                while not stop.is_set():
                    await client.mset({"one": (now := time.monotonic()), "two": now})

            await client.mset({"one": 0, "two": 0})
            counting = asyncio.create_task(count())
            backups = [tmp_path / str(number) for number in range(2)]
            for backup in backups:
                backup.mkdir()
            await asyncio.gather(*(ground.provider.backup(ground.resource, backup) for backup in backups))
            stop.set()
            await counting
            latest = await client.get("one")
            await ground.provider.restore(ground.resource, backups[0])
        async with ground.client() as client:
            one, two = await client.mget("one", "two")
            assert one == two
            assert float(str(one)) <= float(str(latest))

    play(scenario)


def test_a_server_that_cannot_start_keeps_no_other_from_being_tended(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        other = Resource(str(uuid.uuid4()), "redis-2", ground.resource.plan)
        other = replace(other, secret=await ground.provider.provision(other))
        await ground.provider.stop()
        damaged = ground.folder.parent / other.id / "data" / "appendonlydir"
        for file in damaged.glob("*.manifest"):
            file.write_text("nonsense\n")
        await ground.provider.tend([other, ground.resource])
        async with ground.client() as client:
            await client.set("key", "value")

    play(scenario)


def test_what_is_written_survives_the_backup_of_another_kind_of_file(play: Play, tmp_path: Path) -> None:
    async def scenario(ground: Ground) -> None:
        async with ground.client() as client:
            await client.set("key", "kept")
        (tmp_path / "redis.rdb").write_bytes(b"PGDMP is something else")
        with pytest.raises(Invalid):
            await ground.provider.restore(ground.resource, tmp_path)
        async with ground.client() as client:
            assert await client.get("key") == "kept"

    play(scenario)


@pytest.mark.skipif(os.geteuid() != 0, reason="servers run as another account only when we are root")
def test_the_server_is_nobody_and_cannot_read_our_password(play: Play) -> None:
    async def scenario(ground: Ground) -> None:
        owner = os.stat(f"/proc/{ground.pid()}").st_uid  # noqa: PTH116
        assert owner != 0
        assert shutil.which("setpriv")
        reading = ("setpriv", f"--reuid={owner}", "--clear-groups", "cat", str(ground.folder / "admin"))
        done = await asyncio.to_thread(subprocess.run, reading, capture_output=True, check=False)
        assert done.returncode != 0
        assert (ground.folder / "redis.conf").stat().st_mode & 0o007 == 0

    play(scenario)


def tell_who_checks(programs: Path) -> None:
    """A checker that finds fault with everything, and says as whom it has read what."""
    programs.chmod(0o755)
    checker = programs / "redis-check-rdb"
    checker.write_text('#!/bin/sh\necho "as $(id -u): $(head -c 5 "$1")"; exit 1\n')
    checker.chmod(0o755)


def test_a_backup_is_read_without_rights(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Apps shape what is in it."""

    async def scenario(ground: Ground) -> None:
        backup = tmp_path / "backup"
        backup.mkdir()
        async with ground.client() as client:
            await client.set("key", "kept")
        await ground.provider.backup(ground.resource, backup)
        await ground.provider.examine(ground.resource, backup)
        assert [path.name for path in backup.iterdir()] == ["redis.rdb"]
        with tempfile.TemporaryDirectory() as programs:  # that any account reaches
            tell_who_checks(Path(programs))
            monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
            with pytest.raises(Invalid) as caught:
                await ground.provider.examine(ground.resource, backup)
        account = unprivileged("redis")
        assert f"as {account.uid if account else os.getuid()}: REDIS" in caught.value.why

    play(scenario)
