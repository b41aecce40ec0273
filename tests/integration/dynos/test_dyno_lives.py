"""Real apps in real processes: boot, crash, rollout, restart, scale, and the death of the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from homeport import apps, dynos, releases
from homeport.state import Dyno
from tests.integration.dynos.ground import Ground, fetch, ground, server, succeed

WEB = {"web": "python3 app.py"}
IGNORES_TERM = "trap '' TERM; echo deaf; while :; do sleep 0.1; done"


def test_a_web_app_comes_up_and_says_so_in_herokus_words(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, WEB, {"app.py": server("one")})
            await g.until_ps(app, web_1="up")
            assert (await g.get(app)).startswith("one web.1")
            await g.until_said(app, "serving one")
            assert [line for line in g.lines(app) if line.startswith("heroku")] == [
                "heroku[web.1]: Starting process with command `python3 app.py`",
                "heroku[web.1]: State changed from starting to up",
            ]
            await g.until(lambda: _routed(g))

    asyncio.run(story())


def test_a_dyno_is_up_within_moments_after_it_takes_requests(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            files = {"app.py": "import time\n" + server("one").replace("print(", "print(time.time(),")}
            await g.release(app, WEB, files)
            await g.until_ps(app, web_1="up")
            up_at = time.time()
            await g.until_said(app, "serving one")
            bound_at = next(float(line.split()[1]) for line in g.lines(app) if "serving one" in line)
            assert up_at - bound_at < 2  # about 0.02 on an idle machine

    asyncio.run(story())


def test_an_app_that_crashes_at_boot_is_tried_again_after_growing_delays(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, {"web": "echo no such module; exit 7"})
            await g.until_said(app, "trying again in 5 seconds")
            assert await g.ps(app) == {"web.1": "crashed"}
            said = [line for line in g.lines(app) if line.startswith("heroku")]
            assert said == [
                "heroku[web.1]: Starting process with command `echo no such module; exit 7`",
                "heroku[web.1]: Process exited with status 7",
                "heroku[web.1]: State changed from starting to crashed",
                "heroku[web.1]: State changed from crashed to starting",
                "heroku[web.1]: Starting process with command `echo no such module; exit 7`",
                "heroku[web.1]: Process exited with status 7",
                "heroku[web.1]: State changed from starting to crashed",
                "heroku[web.1]: Crashed several times in a row: trying again in 5 seconds",
            ]
            await g.until_alone(0)
            # Who restarts does not wait.
            await g.fleet.restart(app.id)
            await g.until(lambda: _count(g, app.id, "exited with status 7", 4))

    asyncio.run(story())


async def _count(g: Ground, app_id: str, text: str, count: int) -> bool:
    return sum(text in line.text for line in g.logs.recent(app_id)) >= count


def test_a_web_app_that_never_binds_gets_r10(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports, boot=0.5) as g:
            app = await g.app()
            await g.release(app, {"web": "sleep 100"})
            await g.until_said(app, "Error R10 (Boot timeout) -> Web process failed to bind to $PORT within")
            await g.until_said(app, "State changed from starting to crashed")
            # Tried again at once, and again in vain; then nothing of it runs.
            await g.until_said(app, "trying again in 5 seconds")
            await g.until_alone(0)

    asyncio.run(story())


def test_a_worker_needs_no_port(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, {"worker": "echo port=${PORT:-none}; sleep 100"})
            await g.scale(app, worker=2)
            await g.until_ps(app, worker_1="up", worker_2="up")
            await g.until_said(app, "port=none")
            await g.scale(app, worker="-1")
            await g.until_ps(app, worker_1="up")
            await g.until_said(app, "worker.2]: Process exited with status 143")
            assert "heroku[worker.2]: Stopping all processes with SIGTERM" in g.lines(app)

    asyncio.run(story())


def test_a_dyno_that_is_killed_is_restarted(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, WEB, {"app.py": server("one")})
            await g.until_ps(app, web_1="up")
            pid = int((await g.get(app)).split()[2])
            os.kill(pid, signal.SIGKILL)
            await g.until_said(app, "heroku[web.1]: Process exited with status 137")
            await g.until_said(app, "heroku[web.1]: State changed from crashed to starting")
            await g.until_ps(app, web_1="up")
            assert int((await g.get(app)).split()[2]) != pid

    asyncio.run(story())


def test_a_dyno_that_ignores_term_is_killed_and_gets_r12(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports, grace=0.5) as g:
            app = await g.app()
            await g.release(app, {"worker": IGNORES_TERM})
            await g.scale(app, worker=1)
            await g.until_said(app, "deaf")
            await g.until_ps(app, worker_1="up")
            await g.scale(app, worker=0)
            await g.until_ps(app)
            said = g.lines(app)[-5:]
            assert said[0] == "heroku[worker.1]: State changed from up to down"
            assert said[1] == "heroku[worker.1]: Stopping all processes with SIGTERM"
            assert said[2].startswith("heroku[worker.1]: Error R12 (Exit timeout) -> At least one process failed to")
            assert said[3] == "heroku[worker.1]: Stopping remaining processes with SIGKILL"
            assert said[4] == "heroku[worker.1]: Process exited with status 137"
            await g.until_alone(0)

    asyncio.run(story())


@contextlib.contextmanager
def load(g: Ground) -> Iterator[list[str]]:
    """Requests through the router all the time. Yields the answers, in which failures say so."""
    answers: list[str] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                answers.append(g.request().split()[0])
            except OSError as error:
                answers.append(f"failed: {error!r}")

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.mark.slow
def test_a_rollout_loses_no_request(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, WEB, {"app.py": server("v0")})
            await g.until_ps(app, web_1="up")
            await g.until(lambda: _routed(g))
            with load(g) as answers:
                for number in range(1, 6):
                    release = await g.release(app, WEB, {"app.py": server(f"v{number}")}, pending=True)
                    said: list[str] = []
                    result = await g.fleet.rollout(release.id, said.append)
                    assert result.ok
                    assert len(said) == 1
                    assert said[0].startswith("       web.1 up in ")
                    await g.database.run(succeed, release)
                    await g.until_alone(1)
                changed = await g.set(app, SLOW="0.05")
                await g.until(lambda: _only(g, changed.version))
                await g.fleet.restart(app.id)
                await g.until(lambda: _twins_came_and_went(g, app.id))
            failed = [answer for answer in answers if answer.startswith("failed")]
            assert failed == []
            assert {f"v{number}" for number in range(6)} <= set(answers)

    asyncio.run(story())


async def _routed(g: Ground) -> bool:
    return bool(g.routed)


async def _only(g: Ground, version: int) -> bool:
    return len(await g.engine.list()) == 1 and await g.database.run(_versions) == {version}


async def _twins_came_and_went(g: Ground, app_id: str) -> bool:
    up = sum("starting to up" in line.text for line in g.logs.recent(app_id))
    return up == 8 and len(await g.engine.list()) == 1


def _versions(session: Session) -> set[int]:
    return {dyno.release.version for app in apps.every(session) for dyno in dynos.serving(session, app)}


def test_who_pushes_hears_of_a_server_that_listens_and_takes_nobody(tmp_path: Path, ports: range) -> None:
    """As gunicorn does whose workers end one after another. Heroku releases it too: the port is bound."""
    deaf = "import os, socket, time\ns = socket.create_server(('0.0.0.0', int(os.environ['PORT'])))\ntime.sleep(60)\n"

    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            release = await g.release(app, WEB, {"app.py": deaf}, pending=True)
            said: list[str] = []
            assert (await g.fleet.rollout(release.id, said.append)).ok
            assert any("web.1 listens, but took no connection in time" in line for line in said), said
            assert any("The web process listens, but took no connection" in line for line in g.lines(app))

    asyncio.run(story())


def test_a_release_that_does_not_boot_is_cleared_away_and_the_old_one_serves_on(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, WEB, {"app.py": server("good")})
            await g.until_ps(app, web_1="up")
            bad = await g.release(app, WEB, {"app.py": "print('Traceback!')\nimport nosuchmodule\n"}, pending=True)
            said: list[str] = []
            result = await g.fleet.rollout(bad.id, said.append)
            assert not result.ok
            assert result.reason == "web.1 exited with status 1 while it was starting"
            assert result.lines[0] == "Traceback!"
            assert result.lines[-1] == "ModuleNotFoundError: No module named 'nosuchmodule'"
            assert any("ModuleNotFoundError" in line for line in said)
            await g.database.run(releases.fail, bad)
            assert (await g.get(app)).startswith("good")
            await g.until_alone(1)
            assert await g.ps(app) == {"web.1": "up"}
            assert "heroku[web.1]: That was v3, which is not in force: what served before goes on" in g.lines(app)

    asyncio.run(story())


def test_a_health_path_is_asked_before_a_dyno_counts_as_up(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports, boot=1.0) as g:
            app = await g.app()
            await g.release(app, WEB, {"app.py": server("good")}, config={"HOMEPORT_HEALTH_PATH": "/up"})
            await g.until_ps(app, web_1="up")
            sick = {"app.py": server("sick").replace('os.environ.get("STATUS", "200")', '"500"')}
            bad = await g.release(app, WEB, sick, pending=True)
            result = await g.fleet.rollout(bad.id, lambda _line: None)
            assert not result.ok
            assert "did not pass its health check" in result.reason
            assert "status 500 for /up" in result.reason
            assert (await g.get(app)).startswith("good")
            await g.until_said(app, "Health check failed")

    asyncio.run(story())


def test_config_changes_replace_web_dynos_and_a_broken_one_leaves_the_old_serving(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            code = {"app.py": "import os\nif os.environ.get('BROKEN'): raise SystemExit(9)\n" + server("one")}
            await g.release(app, WEB, code)
            await g.until_ps(app, web_1="up")
            before = await g.get(app)
            await g.set(app, BROKEN="1")
            await g.until_said(app, "trying again in 5 seconds")
            assert await g.get(app) == before
            await g.set(app, BROKEN=None)
            await g.until(lambda: _another(g, app.id, before))
            await g.until_ps(app, web_1="up")
            await g.until_alone(1)

    asyncio.run(story())


async def _another(g: Ground, app_id: str, before: str) -> bool:
    app = await g.database.run(apps.find, app_id)
    return await g.get(app) != before


def test_restart_and_stop(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, {**WEB, "worker": "sleep 100"}, {"app.py": server("one")})
            await g.scale(app, worker=1)
            await g.until_ps(app, web_1="up", worker_1="up")
            first = {instance.id for instance in await g.engine.list()}
            await g.fleet.restart(app.id)
            await g.until(lambda: _none_of(g, first))
            await g.until_ps(app, web_1="up", worker_1="up")
            second = {instance.id for instance in await g.engine.list()}
            await g.fleet.stop(app.id, type="worker")
            await g.fleet.stop(app.id, dyno="web.1")
            await g.until(lambda: _none_of(g, second))
            await g.until_ps(app, web_1="up", worker_1="up")

    asyncio.run(story())


async def _none_of(g: Ground, ids: set[str]) -> bool:
    return not ids & {instance.id for instance in await g.engine.list()}


def test_dynos_outlive_the_daemon_and_are_adopted(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, {**WEB, "worker": "while :; do echo tick; sleep 0.1; done"}, {"app.py": server("one")})
            await g.scale(app, worker=1)
            await g.until_ps(app, web_1="up", worker_1="up")
            before = await g.get(app)
            await g.close()
            port = (await _ports(g))[0]
            assert await asyncio.to_thread(fetch, port) == before, "it serves while nobody looks after it"
            g.open()
            await g.until_ps(app, web_1="up", worker_1="up")
            assert await g.get(app) == before
            seen = len(g.lines(app))
            await g.until(lambda: _more_ticks(g, app.id, seen))
            assert not any("crashed" in line or "SIGTERM" in line for line in g.lines(app))
            await g.scale(app, web=0, worker=0)
            await g.until_alone(0)

    asyncio.run(story())


async def _ports(g: Ground) -> list[int]:
    from homeport.state import Database

    database = Database.open(f"sqlite:///{g.folder / 'state.db'}", vault=b"k" * 32)
    with database.session() as session:
        found = [dyno.port for dyno in session.query(Dyno) if dyno.port]
    await database.close()
    return found


async def _more_ticks(g: Ground, app_id: str, seen: int) -> bool:
    return len(g.logs.recent(app_id)) > seen + 1


def test_what_happened_while_the_daemon_was_away_is_put_right(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, {**WEB, "worker": IGNORES_TERM}, {"app.py": server("one")})
            await g.scale(app, worker=1)
            await g.until_ps(app, web_1="up", worker_1="up")
            pid = int((await g.get(app)).split()[2])
            await g.scale(app, worker=0)
            await g.until_ps(app, web_1="up", worker_1="down")
            await g.close()  # in the middle of stopping the worker
            os.kill(pid, signal.SIGKILL)
            g.open()
            await g.until_said(app, "heroku[web.1]: Process exited with status 137")
            await g.until_ps(app, web_1="up")
            await g.until_alone(1)

    asyncio.run(story())


def test_a_destroyed_app_leaves_nothing_running(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, {**WEB, "worker": "sleep 100"}, {"app.py": server("one")})
            await g.scale(app, worker=1)
            await g.until_ps(app, web_1="up", worker_1="up")
            await g.database.run(lambda session: apps.destroy(session, apps.find(session, app.id)))
            await g.until_alone(0)
            assert list((tmp_path / "dynos").glob("*/home")) == []

    asyncio.run(story())


def test_several_apps_do_not_wait_for_each_other(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports, grace=30.0) as g:
            deaf, other = await g.app("deaf"), await g.app("other")
            await g.release(deaf, {"worker": IGNORES_TERM})
            await g.scale(deaf, worker=1)
            await g.until_said(deaf, "deaf")
            await g.until_ps(deaf, worker_1="up")
            await g.scale(deaf, worker=0)
            await g.until_ps(deaf, worker_1="down")
            await g.release(other, {"worker": "sleep 100"})
            await g.scale(other, worker=1)
            await g.until_ps(other, worker_1="up")
            assert await g.ps(deaf) == {"worker.1": "down"}

    asyncio.run(story())


def test_a_dyno_sees_its_environment_its_profile_and_its_own_files(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            files = {
                ".profile.d/b.sh": "export ORDER=${ORDER}b",
                ".profile.d/a.sh": "export ORDER=a",
                ".profile": "export ORDER=${ORDER}-profile",
                "data.txt": "from the slug",
            }
            config = {"SECRET": "hunter2", "FORMAT": "{app}/{x}{app}"}
            command = 'echo $DYNO $ORDER $SECRET $FORMAT $WEB_CONCURRENCY "$(cat data.txt)" \'quo"ted\' $HOME; sleep 9'
            await g.release(app, {"worker": command}, files, config=config)
            await g.scale(app, worker=1)
            await g.until_said(app, ']: worker.1 ab-profile hunter2 {app}/{x}{app} 2 from the slug quo"ted /')

    asyncio.run(story())


def test_going_down_ends_everything_and_coming_up_starts_it_again(tmp_path: Path, ports: range) -> None:
    async def story() -> None:
        async with ground(tmp_path, ports) as g:
            app = await g.app()
            await g.release(app, WEB, {"app.py": server("one")})
            await g.until_ps(app, web_1="up")
            g.running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await g.running
            await g.fleet.halt()
            assert await g.engine.list() == []
            await g.reopen()
            await g.until_ps(app, web_1="up")
            assert not any("crashed" in line for line in g.lines(app))

    asyncio.run(story())
