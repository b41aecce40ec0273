"""The proxy follows the table while requests come in, and is there again after any crash."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from homeport.errors import HomeportError
from homeport.router import AppState, RouteTable, control
from homeport.router.control import Control
from homeport.router.paths import ADMIN_SOCKET
from homeport.router.process import Processes, exists, processes, remains
from tests.integration.router.proxy_ground import Answer, Dyno, Ground, Request, app, exchange, hello, only, proxy, up

pytestmark = pytest.mark.slow


async def worker(ground: Ground) -> int:
    """The process id of the worker that is current."""
    return (await Control(ground.home.root / ADMIN_SOCKET).running()).pid


async def master(ground: Ground) -> Processes:
    found = await processes(ground.home.root)
    assert found is not None
    return found


class Load:
    """Clients that ask on and on, on fresh connections and on kept ones; `results` counts what they got."""

    def __init__(self, ground: Ground, host: str) -> None:
        self._ground = ground
        self._host = host
        self.results: Counter[str] = Counter()

    @contextlib.asynccontextmanager
    async def running(self, clients: int = 4) -> AsyncIterator[Load]:
        loops = [self._fresh, self._kept, self._kept_tls]
        tasks = [asyncio.create_task(loops[number % 3]()) for number in range(clients)]
        await asyncio.sleep(0.1)
        yield self
        await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _fresh(self) -> None:
        while True:
            await self._note(self._ground.get(self._host, plain=True))

    async def _kept(self, *, plain: bool = True) -> None:
        while True:
            reader, writer = await self._ground.connect(self._host, "http/1.1", plain=plain)
            try:
                closing = False
                while not closing:
                    answer = await self._note(exchange(reader, writer, self._host))
                    closing = answer is None or answer.headers.get("connection") == "close"
            finally:
                writer.close()
                with contextlib.suppress(ConnectionError, ssl.SSLError):
                    await writer.wait_closed()

    async def _kept_tls(self) -> None:
        await self._kept(plain=False)

    async def _note(self, asking: Awaitable[Answer]) -> Answer | None:
        try:
            answer = await asking
            self.results[str(answer.status)] += 1
            return answer
        except (OSError, asyncio.IncompleteReadError) as error:
            self.results[repr(error)] += 1
            return None


def test_dynos_are_replaced_under_load_without_a_failed_request_or_a_reload(tmp_path: Path) -> None:
    async def story() -> None:
        async with contextlib.AsyncExitStack() as stack:
            dyno = await stack.enter_async_context(Dyno.running(hello))
            ground = await stack.enter_async_context(proxy(tmp_path, up("shop", dyno)))
            before = await worker(ground)
            load = Load(ground, "shop.localhost")
            async with load.running():
                for _ in range(15):
                    fresh = await stack.enter_async_context(Dyno.running(hello))
                    await ground.proxy.apply(up("shop", dyno, fresh))
                    await ground.proxy.apply(up("shop", fresh))
                    await dyno.stop()
                    dyno = fresh
            assert set(load.results) == {"200"}, load.results
            assert load.results["200"] > 50
            assert await worker(ground) == before

    asyncio.run(story())


def test_reloads_under_load_fail_no_request(tmp_path: Path) -> None:
    async def story() -> None:
        async with contextlib.AsyncExitStack() as stack:
            dyno = await stack.enter_async_context(Dyno.running(hello))
            ground = await stack.enter_async_context(proxy(tmp_path, up("shop", dyno)))
            load = Load(ground, "shop.localhost")
            async with load.running():
                for number in range(6):
                    fresh = await stack.enter_async_context(Dyno.running(hello))
                    shop = app("shop", AppState.UP, fresh.server)
                    new = app(f"new{number}", AppState.UP, fresh.server)  # needs a backend: a reload
                    before = await worker(ground)
                    await ground.proxy.apply(RouteTable((shop, new)))
                    assert await worker(ground) != before
                    await asyncio.sleep(0.05)
                    await dyno.stop()
                    dyno = fresh
            assert set(load.results) == {"200"}, load.results

    asyncio.run(story())


def test_a_kept_connection_follows_what_changed_after_a_reload(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as old, Dyno.running(hello) as new, proxy(tmp_path, up("shop", old)) as ground:
            reader, writer = await ground.connect("shop.localhost", "http/1.1")
            await exchange(reader, writer, "shop.localhost")
            other = app("other", AppState.UP, new.server)
            await ground.proxy.apply(RouteTable((app("shop", AppState.UP, old.server), other)))  # reloads
            await ground.proxy.apply(RouteTable((app("shop", AppState.UP, new.server), other)))
            await old.stop()
            answer = await exchange(reader, writer, "shop.localhost", headers="X-Request-Id: " + "k" * 30 + "\r\n")
            assert answer.status == 200
            seen = new.requests[-1]
            assert seen.header("x-forwarded-for") == "127.0.0.1"
            assert seen.header("x-forwarded-proto") == "https"
            assert seen.header("x-forwarded-port") == str(ground.proxy.https_port)
            assert seen.header("x-request-id") == "k" * 30
            assert "dyno=web.1 " in await ground.line("request_id=" + "k" * 30)
            writer.close()

    asyncio.run(story())


def test_requests_under_way_at_a_dyno_that_leaves_are_answered(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def patient(request: Request) -> None:
        await release.wait()
        await request.answer(b"in the end")

    async def story() -> None:
        async with Dyno.running(patient) as old, Dyno.running(hello) as new, proxy(tmp_path, up("shop", old)) as ground:
            asking = asyncio.create_task(ground.get("shop.localhost"))
            await old.asked()
            await ground.proxy.apply(up("shop", new))
            assert (await ground.get("shop.localhost")).text == "hello\n"
            assert not asking.done()
            release.set()
            assert (await asking).text == "in the end"
            for _ in range(100):  # then the old server is deleted
                servers = (await Control(ground.home.root / ADMIN_SOCKET).servers()).popitem()[1]
                if len(servers) == 1:
                    return
                await asyncio.sleep(0.05)
            pytest.fail("the drained server was not deleted")

    asyncio.run(story())


def test_a_new_app_without_dynos_needs_no_reload_to_be_known(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path) as ground:
            before = await worker(ground)
            started = asyncio.get_running_loop().time()
            await ground.proxy.apply(only("shop", AppState.NO_WEB))
            assert asyncio.get_running_loop().time() - started < 0.5
            assert await worker(ground) == before
            assert (await ground.get("shop.localhost")).status == 503  # by its own certificate

    asyncio.run(story())


def test_many_new_apps_are_made_ready_by_few_reloads(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path) as ground:
            for number in range(1, 11):
                await ground.proxy.apply(
                    RouteTable(tuple(app(f"app{each}", AppState.NO_WEB) for each in range(number)))
                )
            for _ in range(200):
                if len(await Control(ground.home.root / ADMIN_SOCKET).servers()) == 10:
                    break
                await asyncio.sleep(0.02)
            log = (ground.home.run / "haproxy.log").read_text()
            assert 1 <= log.count("Reloading HAProxy") <= 5

    asyncio.run(story())


def test_calls_that_come_together_are_answered_together(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path) as ground:
            await asyncio.gather(
                *(ground.proxy.apply(only("shop", AppState.NO_WEB)) for _ in range(20)),
                ground.proxy.apply(up("shop", dyno)),
            )
            assert (await ground.get("shop.localhost")).status == 200

    asyncio.run(story())


def test_a_renamed_app_moves_and_a_destroyed_one_is_forgotten(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            await ground.proxy.apply(up("store", dyno))
            assert (await ground.get("store.localhost")).status == 200
            assert (await ground.get("shop.localhost", plain=True)).status == 404
            await ground.proxy.apply(RouteTable())
            assert (await ground.get("store.localhost", plain=True)).status == 404

    asyncio.run(story())


def test_a_restarted_daemon_adopts_the_proxy_and_apps_are_served_meanwhile(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            ports = ground.proxy.https_port, ground.proxy.http_port
            before = await worker(ground)
            await ground.proxy.close()
            assert (await ground.get("shop.localhost")).status == 200
            ground.lines.clear()
            ground.proxy = ground.make_proxy()
            await ground.proxy.start()
            assert (ground.proxy.https_port, ground.proxy.http_port) == ports
            assert (await ground.get("shop.localhost")).status == 200, "adoption alone changes nothing"
            await ground.proxy.apply(up("shop", dyno))
            assert await worker(ground) == before
            await ground.line("method=GET")  # also those from while nobody read

    asyncio.run(story())


def test_other_ports_are_taken_by_a_reload(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            old = ground.proxy.http_port
            await ground.proxy.close()
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                free = probe.getsockname()[1]
            ground.proxy = ground.make_proxy(http_port=free)
            await ground.proxy.start()
            await ground.proxy.apply(up("shop", dyno))
            assert (await ground.get("shop.localhost", plain=True)).status == 200
            with pytest.raises(OSError):
                await asyncio.open_connection("127.0.0.1", old)

    asyncio.run(story())


@pytest.mark.parametrize("victim", ["master", "worker", "both"])
def test_a_killed_proxy_is_there_again_after_the_next_apply(tmp_path: Path, victim: str) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            found = await master(ground)
            if victim != "worker":
                os.kill(found.master, signal.SIGKILL)
            if victim != "master":
                for pid in found.workers:
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.05)
            await ground.proxy.apply(up("shop", dyno))
            assert await ground.proxy.alive()
            assert (await ground.get("shop.localhost")).status == 200

    asyncio.run(story())


def test_a_killed_proxy_is_there_again_though_nothing_changes(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            found = await master(ground)
            for pid in (found.master, *found.workers):
                os.kill(pid, signal.SIGKILL)
            async with asyncio.timeout(10):
                while True:
                    try:
                        assert (await ground.get("shop.localhost")).status == 200
                        return
                    except (OSError, asyncio.IncompleteReadError):
                        await asyncio.sleep(0.1)

    asyncio.run(story())


def test_a_proxy_that_is_only_slow_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            pid = await worker(ground)
            monkeypatch.setattr(control, "_TIMEOUT", 0.5)
            os.kill(pid, signal.SIGSTOP)
            try:
                with pytest.raises(HomeportError) as caught:
                    await ground.proxy.apply(only("shop", AppState.MAINTENANCE))
                assert caught.value.id == "haproxy_busy"
            finally:
                os.kill(pid, signal.SIGCONT)
            monkeypatch.undo()
            await ground.proxy.apply(up("shop", dyno))
            assert (await ground.get("shop.localhost")).status == 200
            assert await worker(ground) == pid

    asyncio.run(story())


def test_a_new_daemon_starts_anew_what_was_killed(tmp_path: Path) -> None:
    async def story() -> None:
        async with Dyno.running(hello) as dyno, proxy(tmp_path, up("shop", dyno)) as ground:
            port = ground.proxy.https_port
            await ground.proxy.close()
            found = await master(ground)
            os.kill(found.master, signal.SIGKILL)
            ground.proxy = ground.make_proxy(https_port=port)
            await ground.proxy.start()
            await ground.proxy.apply(up("shop", dyno))
            assert (await ground.get("shop.localhost")).status == 200

    asyncio.run(story())


def test_stop_leaves_nothing_behind_and_start_works_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path) as ground:
            found = await master(ground)
            port = ground.proxy.https_port
            await ground.proxy.stop()
            assert not any(exists(pid) for pid in (found.master, *found.workers))
            assert not await ground.proxy.alive()
            ground.proxy = ground.make_proxy(https_port=port)
            await ground.proxy.start()
            assert await ground.proxy.alive()

    asyncio.run(story())


@pytest.mark.parametrize("pause", [0.0, 0.05, 0.5, 0.52, 0.56, 0.6])
def test_stop_in_the_middle_of_a_reload_leaves_nothing_behind(tmp_path: Path, pause: float) -> None:
    async def story() -> None:
        async with proxy(tmp_path) as ground:
            await ground.proxy.apply(only("shop", AppState.NO_WEB))  # half a second later this reloads
            await asyncio.sleep(pause)
            stranger = ground.make_proxy()  # as `homeport down` does when there is no daemon any more
            await stranger.stop()
            assert remains(ground.home.root) == set()
            await ground.proxy.stop()
            assert remains(ground.home.root) == set()

    asyncio.run(story())


def test_a_taken_port_is_named_with_who_holds_it(tmp_path: Path) -> None:
    async def story() -> None:
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", 0))
            holder.listen()
            port = holder.getsockname()[1]
            with pytest.raises(HomeportError) as caught:
                async with proxy(tmp_path, https_port=port):
                    pass
            assert caught.value.id == "port_taken"
            assert str(port) in caught.value.message
            assert "--port" in caught.value.message
            assert f"process {os.getpid()}" in caught.value.message

    asyncio.run(story())


def test_a_missing_haproxy_is_told_with_its_cure(tmp_path: Path) -> None:
    async def story() -> None:
        with pytest.raises(HomeportError) as caught:
            async with proxy(tmp_path, program="haproxy-that-is-not-there"):
                pass
        assert caught.value.id == "haproxy_missing"
        assert "make setup" in caught.value.message

    asyncio.run(story())


def test_a_home_deep_down_works(tmp_path: Path) -> None:
    async def story() -> None:
        deep = tmp_path.joinpath(*["a-rather-long-folder-name"] * 6)
        async with Dyno.running(hello) as dyno, proxy(deep, up("shop", dyno)) as ground:
            assert (await ground.get("shop.localhost")).status == 200
            await ground.proxy.apply(only("shop", AppState.MAINTENANCE))
            assert (await ground.get("shop.localhost")).status == 503

    asyncio.run(story())


def test_nobody_else_may_use_the_admin_sockets(tmp_path: Path) -> None:
    async def story() -> None:
        async with proxy(tmp_path) as ground:
            for path in ground.home.run.glob("*.sock"):
                assert path.stat().st_mode & 0o777 == 0o600, path

    asyncio.run(story())
