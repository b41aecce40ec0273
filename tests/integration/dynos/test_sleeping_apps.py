"""Real apps that fall asleep and wake, also around the death of the daemon."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from homeport import dynos
from homeport.dynos import idling
from homeport.state import App
from tests.integration.dynos.ground import Ground, ground, server

TYPES = {"web": "python3 app.py", "worker": "while :; do sleep 0.1; done"}


async def eco(g: Ground, *, minutes: str = "0.001") -> App:
    """An app that sleeps after a moment, and is up."""
    app = await g.app()
    await g.release(app, TYPES, {"app.py": server("one")}, config={"HOMEPORT_SLEEP_AFTER": minutes})
    wishes = [dynos.Update("web", 1, "eco"), dynos.Update("worker", 1, "eco")]
    await g.database.run(dynos.scale, app, wishes)
    await g.until_ps(app, web_1="up", worker_1="up")
    return app


@contextlib.asynccontextmanager
async def sleeper(g: Ground, asked: dict[str, datetime]) -> AsyncIterator[dynos.Sleeper]:
    async def last_requests() -> dict[str, datetime]:
        return asked

    made = dynos.Sleeper(g.database, last_requests)
    running = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_an_app_that_nobody_asks_for_sleeps_and_a_knock_wakes_it(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await eco(g)
            asked: dict[str, datetime] = {}
            async with sleeper(g, asked) as watch:
                await g.until_ps(app, web_1="idle", worker_1="idle")
                await g.until_alone(0)
                assert await g.serving(app) == []
                said = [line for line in g.lines(app) if "web.1" in line]
                after = said.index("heroku[web.1]: Idling")
                assert said[after + 1] == "heroku[web.1]: State changed from up to down"
                assert said[-1].startswith("heroku[web.1]: Process exited with status")

                asked[app.id] = datetime.max.replace(tzinfo=UTC)  # it is being asked without a pause
                watch.knock(app.id)
                await g.until_ps(app, web_1="up", worker_1="up")
                assert (await g.get(app)).startswith("one web.1")
                said = [line for line in g.lines(app) if "heroku[worker.1]" in line]
                assert "heroku[worker.1]: Unidling" in said
                assert (await g.ps(app)) == {"web.1": "up", "worker.1": "up"}

    asyncio.run(story())


def test_what_sleeps_sleeps_on_when_the_platform_comes_back(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await eco(g)
            await g.database.run(idling.fall_asleep, app.id)
            await g.until_ps(app, web_1="idle", worker_1="idle")
            await g.reopen()  # its processes may still be on their way out
            await g.until_alone(0)
            g.running.cancel()
            await asyncio.gather(g.running, return_exceptions=True)
            await g.fleet.halt()
            await g.reopen()
            await g.until_ps(app, web_1="idle", worker_1="idle")
            await g.until_alone(0)

    asyncio.run(story())


def test_somebody_who_comes_while_it_falls_asleep_is_served_by_a_new_dyno(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports, drain=20.0) as g:
            app = await g.app()
            slow = {"SLOW": "1.5"}
            await g.release(app, {"web": "python3 app.py"}, {"app.py": server("one")}, config=slow)
            await g.database.run(dynos.scale, app, [dynos.Update("web", 1, "eco")])
            await g.until_ps(app, web_1="up")
            (old,) = await g.serving(app)
            under_way = asyncio.create_task(g.get(app))
            await asyncio.sleep(0.3)
            await g.database.run(idling.fall_asleep, app.id)
            await g.until_ps(app, web_1="idle")
            await g.database.run(_rouse, app.id)
            await g.until_ps(app, web_1="up")
            (new,) = await g.serving(app)
            assert new.id != old.id
            assert (await under_way).startswith("one web.1"), "what was under way is answered to its end"
            await g.until_alone(1)

    asyncio.run(story())


def _rouse(session: Session, app_id: str) -> None:
    idling.rouse(session, session.get_one(App, app_id))
