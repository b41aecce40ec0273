"""The composition root: starts the real parts in order, runs the loops in one task group, lets go at the end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import replace
from datetime import UTC, datetime

from homeport import __version__, api, backup, deploys, dynos, git, router, setups
from homeport.daemon import doors, ports, secrets, ssh
from homeport.daemon import endpoint as endpoints
from homeport.daemon.captures import CaptureDoor
from homeport.daemon.endpoint import Endpoint
from homeport.daemon.housekeeping import keep_house
from homeport.daemon.nightly import back_up_nightly
from homeport.daemon.parts import Core, Settings, make_core, urls
from homeport.daemon.work import Work, make_application, make_work
from homeport.errors import HomeportError
from homeport.home import Home


async def serve(home: Home, settings: Settings, say_ready: Callable[[Endpoint], None]) -> bool:
    """Run the platform until it gets TERM or INT; True if it was INT (^C).

    Either lets go of dynos and router without stopping them. Raises `HomeportError` when it cannot start.
    """
    check_programs()
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(doors.not_cut_off)
    for noisy in ("httpx", "alembic", "asyncssh"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    loop = asyncio.get_running_loop()
    stop: asyncio.Future[int] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _finish, stop, number)
    async with _platform(home, settings) as endpoint:
        say_ready(endpoint)
        return await stop == signal.SIGINT


def _finish(stop: asyncio.Future[int], number: int) -> None:
    if not stop.done():
        stop.set_result(number)


def check_programs() -> None:
    """Raises `HomeportError` (`program_missing`). The router looks for HAProxy itself, beyond PATH too."""
    if shutil.which("git") is None:
        raise HomeportError(
            "program_missing",
            "git is not installed.",
            why="It receives pushes.",
            fix="Run `make setup` in the checkout, or `sudo apt-get install git`.",
        )


@contextlib.asynccontextmanager
async def _platform(home: Home, settings: Settings) -> AsyncIterator[Endpoint]:
    backup.require_finished(home)
    core = make_core(home, settings)
    with core.database.session() as session:
        secrets.ensure_first_user(session, home, settings.email)
        deploys.recover(session)
        setups.recover(session)
        table = router.table(session, domain=settings.domain)
    picked = ports.read(home)
    await ports.prefer(core.proxy, settings, picked)
    await core.proxy.start(table)  # before everything else: a port that is taken must end this at once
    where = urls(settings, core.proxy.https_port)
    ssh_door = ssh.open_door(home, settings, picked.ssh)
    ssh_host = ssh_door.host if ssh_door else None
    now_picked = ports.Picked(core.proxy.https_port, core.proxy.http_port, ssh_host.port if ssh_host else 0)
    notes = ports.settle(home, settings, picked, now_picked)
    work = make_work(core, where)
    core.database.on_touch = lambda app_id: _wake(core, work, app_id)
    application = make_application(core, work, where, ssh_host)
    captures = CaptureDoor(core.addons.addons)
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(_let_go, core)
        await stack.enter_async_context(work.open())
        await stack.enter_async_context(
            _loops(
                core.fleet.run(),
                core.routing.run(),
                core.scheduler.run(),
                core.sleeper.run(),
                *core.addons.loops(),
                work.releaser.run(),
                work.promoter.run(),
                keep_house(core, work, captures.keeping),
                back_up_nightly(home),
            )
        )
        await stack.enter_async_context(doors.streams(dynos.Rendezvous(core.fleet).serve, home.run / "rendezvous.sock"))
        await stack.enter_async_context(doors.streams(captures.serve, home.run / CaptureDoor.SOCKET))
        await stack.enter_async_context(doors.http(application, home.run / "api.sock"))
        if ssh_door is not None:
            keyring = ssh.Keyring(core.database)
            serve = git.GitOverSsh(work.repositories, work.receiver, keyring, work.turns)
            await stack.enter_async_context(git.serving(ssh_door.listeners, ssh_door.key, keyring, serve))
        # First of all: who waits for the end of a push, a build or a log would keep the servers from closing.
        stack.push_async_callback(work.give_up)
        stack.callback(core.logs.hang_up)
        await core.fleet.parts.routes.changed()  # every app is reachable before anybody is told so
        endpoint = replace(_endpoint(core, settings, where, ssh_host), notes=notes)
        endpoints.write(home, endpoint)
        yield endpoint


def _wake(core: Core, work: Work, app_id: str) -> None:
    work.releaser.wake()
    core.fleet.wake(app_id)
    core.routing.wake()
    core.addons.errors.wake()
    core.scheduler.wake(app_id)


@contextlib.asynccontextmanager
async def _loops(*loops: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run these until the block ends. One that fails ends the platform: what it did, nobody else does."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(loop) for loop in loops]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()


def _endpoint(core: Core, settings: Settings, where: api.Urls, ssh_host: git.SshHost | None) -> Endpoint:
    return Endpoint(
        pid=os.getpid(),
        url=where.api,
        host=where.api.removeprefix("https://"),
        https_port=core.proxy.https_port,
        http_port=core.proxy.http_port,
        domain=settings.domain,
        ca=str(core.home.tls / "ca.pem"),
        bundle=str(core.home.tls / "bundle.pem"),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        ssh=ssh_host.url("").removesuffix(".git") if ssh_host else None,
    )


async def stop_everything(home: Home, announce: Callable[[int], None]) -> int:
    """Stop all dynos and the router of a platform whose daemon is gone; returns how many dynos there were.

    `announce` is told before: dynos may take their time.
    """
    core = make_core(home, Settings())
    try:
        count = len(await core.engine.list())
        announce(count)
        await core.fleet.halt()
        await core.proxy.stop()
        await core.addons.stop()
        return count
    finally:
        await _let_go(core)


async def _let_go(core: Core) -> None:
    """Close without stopping what runs outside this process."""
    await core.engine.close()
    await core.addons.close()
    await core.proxy.close()
    core.logs.close()
    await core.database.close()
