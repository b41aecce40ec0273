"""The scheduler's loop with real dynos: what is due runs by itself, and what it said is kept."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from homeport import scheduler
from homeport.addons import State
from homeport.scheduler import Scheduler, Wish
from homeport.state import Addon, App, JobRun, ScheduledJob, now
from tests.integration.dynos.ground import Ground, ground

JOB = """
import sys, time
print("working", flush=True)
time.sleep(float(sys.argv[1]))
sys.exit(int(sys.argv[2]))
"""
FILES = {"job.py": JOB}
TYPES = {"job": "python3 job.py"}
SECONDS = 60.0


class Clock:
    """Goes like a real one, from whatever it is set to."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def set(self, to: datetime) -> None:
        self._ahead = to - now()

    def __call__(self) -> datetime:
        return now() + self._ahead


@contextlib.asynccontextmanager
async def at_work(ground: Ground, clock: Callable[[], datetime]) -> AsyncIterator[Scheduler]:
    """As the composition root does it."""
    working = Scheduler(ground.database, ground.logs, clock=clock)

    def wake(app_id: str) -> None:
        ground.fleet.wake(app_id)
        working.wake(app_id)

    ground.database.on_touch = wake
    task = asyncio.create_task(working.run())
    try:
        yield working
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def due_soon(ground: Ground, app: App, command: str) -> tuple[ScheduledJob, Clock]:
    """A job of every year, and a clock by which the next one begins in a moment."""
    job, clock = await ground.database.run(_add, app, command), Clock()
    clock.set(job.next_at - timedelta(seconds=0.3))
    return job, clock


def _add(session: Session, app: App, command: str) -> ScheduledJob:
    addon = Addon(
        app_id=app.id, name="scheduler-1", service="scheduler", plan="standard", state=State.PROVISIONED.value
    )
    session.add(addon)
    session.flush()
    return scheduler.add(session, app, Wish(command, scheduler.schedule("@yearly"), name="job"), now=now())


async def runs(ground: Ground, app: App) -> list[JobRun]:
    return await ground.database.run(scheduler.history, app)


async def ended(ground: Ground, app: App) -> JobRun:
    """The only run, once it has ended and what it said is kept."""

    async def kept() -> bool:
        found = await runs(ground, app)
        return bool(found and found[0].finished_at) and (await _found(ground, app, found[0].id)).output is not None

    await ground.until(kept, SECONDS)
    (run,) = await runs(ground, app)
    return await _found(ground, app, run.id)


async def _found(ground: Ground, app: App, run_id: str) -> JobRun:
    return await ground.database.run(scheduler.find_run, app, run_id)


@pytest.mark.parametrize("code", [0, 7])
def test_a_job_runs_at_its_time(tmp_path: Path, ports: range, code: int) -> None:
    async def scenario() -> None:
        async with ground(tmp_path, ports, on_end=scheduler.ended) as here:
            app = await here.app()
            await here.release(app, TYPES, FILES)
            job, clock = await due_soon(here, app, f"job 0 {code}")
            async with at_work(here, clock):
                run = await ended(here, app)
            assert (run.status, run.exit_code) == ("failed" if code else "succeeded", code)
            assert run.due_at == job.next_at
            assert run.output is not None
            assert {line.partition(" ")[2] for line in run.output.splitlines()} == {
                f"heroku[{run.dyno}]: Starting process with command `python3 job.py 0 {code}`",
                f"heroku[{run.dyno}]: State changed from starting to up",
                f"app[{run.dyno}]: working",
                f"heroku[{run.dyno}]: Process exited with status {code}",
                f"heroku[{run.dyno}]: State changed from up to complete",
            }

    asyncio.run(scenario())


def test_a_run_outlives_the_process_that_began_it(tmp_path: Path, ports: range) -> None:
    async def scenario() -> None:
        async with ground(tmp_path, ports, on_end=scheduler.ended) as here:
            app = await here.app()
            await here.release(app, TYPES, FILES)
            _, clock = await due_soon(here, app, "job 2 5")
            async with at_work(here, clock):
                await here.until_said(app, "working", SECONDS)
            await here.reopen()
            async with at_work(here, clock):
                run = await ended(here, app)
            assert (run.status, run.exit_code) == ("failed", 5)
            assert sum("working" in line for line in here.lines(app)) == 1

    asyncio.run(scenario())


def test_a_run_whose_dynos_were_all_stopped_is_lost(tmp_path: Path, ports: range) -> None:
    async def scenario() -> None:
        async with ground(tmp_path, ports, on_end=scheduler.ended) as here:
            app = await here.app()
            await here.release(app, TYPES, FILES)
            _, clock = await due_soon(here, app, "job 600 0")
            async with at_work(here, clock):
                await here.until_said(app, "working", SECONDS)
            here.running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await here.running
            await here.fleet.halt()  # `homeport down`
            await here.reopen()
            async with at_work(here, clock):
                run = await ended(here, app)
            assert (run.status, run.exit_code) == ("lost", None)

    asyncio.run(scenario())


def test_a_run_by_hand_can_be_stopped(tmp_path: Path, ports: range) -> None:
    async def scenario() -> None:
        async with ground(tmp_path, ports, on_end=scheduler.ended) as here:
            app = await here.app()
            await here.release(app, TYPES, FILES)
            job, clock = await due_soon(here, app, "job 600 0")
            clock.set(job.next_at - timedelta(hours=1))
            async with at_work(here, clock) as working:
                begun = await working.run_now(app.id, "job")
                await here.until_said(app, "working", SECONDS)
                await here.fleet.stop(app.id, dyno=begun.dyno)
                run = await ended(here, app)
            assert run.id == begun.id
            assert run.status == "stopped"

    asyncio.run(scenario())


def test_the_dyno_knows_its_name_and_size(tmp_path: Path, ports: range) -> None:
    async def scenario() -> None:
        async with ground(tmp_path, ports, on_end=scheduler.ended) as here:
            app = await here.app()
            await here.release(app, {"web": "sleep 1000"}, {"x": ""})
            job, clock = await due_soon(here, app, 'echo "$DYNO" "$WEB_CONCURRENCY" "${PORT:-none}"')
            clock.set(job.next_at - timedelta(hours=1))
            async with at_work(here, clock) as working:
                begun = await working.run_now(app.id, "job")
                run = await ended(here, app)
            assert run.exit_code == 0
            assert f"app[{begun.dyno}]: {begun.dyno} 2 none" in (run.output or "")

    asyncio.run(scenario())
