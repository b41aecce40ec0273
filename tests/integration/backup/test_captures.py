"""The socket between `homeport backup` and the platform: what is held, and for how long."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from homeport.addons import Resource
from homeport.daemon import doors
from homeport.daemon.captures import CaptureDoor, RunningPlatform
from homeport.errors import HomeportError
from homeport.home import Home
from tests.integration.backup.house import House

pytestmark = pytest.mark.slow


class Daemon:
    """A platform's event loop in a thread of its own."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.door = CaptureDoor(house.addons)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)

    @contextlib.contextmanager
    def running(self) -> Iterator[Daemon]:
        self._thread.start()
        opened = contextlib.AsyncExitStack()
        self.ask(opened.enter_async_context(self._serving()))
        try:
            yield self
        finally:
            self.ask(opened.aclose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @contextlib.asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        async with doors.streams(self.door.serve, self.house.home.run / CaptureDoor.SOCKET):
            yield
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    def ask(self, work: object) -> object:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)  # type: ignore[arg-type]

    def until(self, is_so: Callable[[], bool]) -> None:
        async def wait() -> None:
            async with asyncio.timeout(30):
                while not is_so():  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

        self.ask(wait())


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    # The address of a socket has room for a hundred characters, and a home may be anywhere.
    house = House(Home(tmp_path / ("deep-" * 20) / "home"))
    with Daemon(house).running() as running:
        yield running
    house.close()


def resource(house: House, addon_id: str) -> Resource:
    return house.provider.made[addon_id]


def test_data_are_captured_and_nothing_goes_meanwhile(daemon: Daemon, tmp_path: Path) -> None:
    house = daemon.house
    addon = house.add(house.shop, word="kept")
    with RunningPlatform(house.home) as platform:
        assert daemon.door.keeping.locked()
        daemon.ask(house.addons.destroy(addon, by=house.ada))
        daemon.ask(house.addons.sync())
        platform.capture(resource(house, addon.id), tmp_path)
        assert (tmp_path / "data.json").read_text() == '{"word": "kept"}'
    daemon.until(lambda: not daemon.door.keeping.locked())
    daemon.ask(house.addons.sync())
    assert house.provider.made == {}


def test_one_backup_at_a_time(daemon: Daemon) -> None:
    home = daemon.house.home
    with RunningPlatform(home):
        with pytest.raises(HomeportError) as refused, RunningPlatform(home):
            pass
        assert refused.value.id == "backup_under_way"
    daemon.until(lambda: not daemon.door.keeping.locked())
    with RunningPlatform(home):
        pass


def test_what_keeps_a_provider_from_it_is_told(daemon: Daemon, tmp_path: Path) -> None:
    house = daemon.house
    addon = house.add(house.shop)

    async def fail(*_: object) -> None:
        raise HomeportError("dump_failed", "It could not be dumped.", why="Because.", fix="Try again.")

    async def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    async def wrong(*_: object) -> None:
        raise RuntimeError("secret")

    with RunningPlatform(house.home) as platform:
        for backup, error, text in (
            (fail, "dump_failed", "It could not be dumped.\nBecause.\nTry again."),
            (full, "capture_failed", "The disk says: No space left on device."),
            (wrong, "capture_failed", "Homeport met an error of its own; the daemon's log has the details."),
        ):
            house.provider.backup = backup  # type: ignore[assignment, method-assign]
            with pytest.raises(HomeportError) as refused:
                platform.capture(resource(house, addon.id), tmp_path)
            assert (refused.value.id, refused.value.message) == (error, text)


def test_who_hangs_up_ends_what_was_asked_for(daemon: Daemon, tmp_path: Path) -> None:
    house = daemon.house
    addon = house.add(house.shop)
    begun, ended = threading.Event(), threading.Event()

    async def slow(*_: object) -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    house.provider.backup = slow  # type: ignore[assignment, method-assign]
    platform = RunningPlatform(house.home)
    platform.__enter__()
    asking = threading.Thread(target=_quietly, args=(platform, resource(house, addon.id), tmp_path))
    asking.start()
    assert begun.wait(30)
    platform._socket.shutdown(2)  # as when the process is killed
    assert ended.wait(30)
    asking.join()
    platform.__exit__()
    daemon.until(lambda: not daemon.door.keeping.locked())


def test_a_platform_that_ends_is_told_apart_from_a_failure(daemon: Daemon, tmp_path: Path) -> None:
    house = daemon.house
    addon = house.add(house.shop)

    async def dies(*_: object) -> None:
        raise asyncio.CancelledError

    house.provider.backup = dies  # type: ignore[assignment, method-assign]
    with RunningPlatform(house.home) as platform:
        with pytest.raises(HomeportError) as refused:
            platform.capture(resource(house, addon.id), tmp_path)
        assert refused.value.id == "platform_gone"


def test_a_daemon_that_is_not_ready_is_said(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.prepare()
    with pytest.raises(HomeportError) as refused, RunningPlatform(home):
        pass
    assert refused.value.id == "not_ready"


def _quietly(platform: RunningPlatform, wanted: Resource, into: Path) -> None:
    with contextlib.suppress(HomeportError):
        platform.capture(wanted, into)
