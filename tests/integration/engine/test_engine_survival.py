"""Any process may be killed at any moment: the daemon, a shim, both."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from homeport.engine import Phase, launch
from homeport.engine.folder import Facts, Folder
from homeport.engine.processes import life
from homeport.engine.shim import wire
from homeport.engine.shim.process import start_ticks
from tests.integration.engine.engine_place import HOLD, Place, gone, lines_come, until

DAEMON = """
    import asyncio, sys
    from pathlib import Path
    from homeport.engine import LocalEngine, Spec

    async def main():
        root, code, script, then = sys.argv[1:]
        engine = LocalEngine(Path(root), sink=lambda output: None)
        env = {"PATH": "/usr/bin:/bin"}
        await engine.start(Spec("d1", "web.1", ("sh", "-c", script), Path(code), env, wants_port=True))
        while not (Path(root) / "d1" / "app" / "up").exists():
            await asyncio.sleep(0.005)
        stopping = asyncio.create_task(engine.stop("d1", 30)) if then == "stop" else None
        await asyncio.sleep(0.05)
        print("ready", flush=True)
        await asyncio.sleep(1000)

    asyncio.run(main())
"""


def killed_daemon(place: Place, script: str, then: str = "wait") -> None:
    """A daemon in a process group of its own starts a dyno, which makes a file `up`, and is killed with its group."""
    daemon = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(DAEMON), str(place.root), str(place.code), script, then],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == b"ready\n"
        os.killpg(daemon.pid, signal.SIGHUP)
        os.killpg(daemon.pid, signal.SIGINT)
        os.killpg(daemon.pid, signal.SIGKILL)


def test_a_dyno_outlives_a_killed_daemon_and_is_adopted(place: Place) -> None:
    killed_daemon(place, "mkfifo go; touch up; read x < go; echo two; exit 7")

    async def scenario() -> None:
        engine = place.engine()
        changes = engine.watch()
        [instance] = await engine.list()
        assert instance.phase is Phase.RUNNING
        assert instance.address is not None
        assert instance.started_at.timestamp() == pytest.approx(time.time(), abs=30)
        with (place.root / "d1" / "app" / "go").open("w") as fifo:
            fifo.write("\n")
        while (change := await anext(changes)).phase is Phase.RUNNING:
            pass
        assert change.exit_code == 7
        assert place.lines()[-1] == b"two"
        await engine.close()

    asyncio.run(scenario())


def test_what_a_dyno_prints_while_no_daemon_listens_is_kept(place: Place) -> None:
    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec(f"mkfifo go; echo ready; read x < go; seq 1 1000; touch over; {HOLD}"))
        await lines_come(place, 1)
        await engine.close()
        app = place.root / "d1" / "app"
        with (app / "go").open("w") as fifo:
            fifo.write("\n")
        while not (app / "over").exists():  # noqa: ASYNC110 - the dyno makes it
            await asyncio.sleep(0.005)

        successor = place.engine()
        await successor.list()
        await lines_come(place, 1001)
        assert place.lines()[1:] == [b"%d" % number for number in range(1, 1001)]
        assert not any(output.dropped for output in place.outputs)
        await successor.close()

    asyncio.run(scenario())


def test_the_end_of_a_dyno_while_no_daemon_listens_is_told_after_its_last_lines(place: Place) -> None:
    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec("mkfifo go; read x < go; echo last words; exit 4"))
        fifo = place.root / "d1" / "app" / "go"
        while not fifo.exists():  # noqa: ASYNC110 - the dyno makes it
            await asyncio.sleep(0.005)
        await engine.close()
        with fifo.open("w") as file:
            file.write("\n")
        while not (place.root / "d1" / "exited.json").exists():  # noqa: ASYNC110 - the shim writes it
            await asyncio.sleep(0.005)
        assert place.lines() == []

        successor = place.engine()
        [instance] = await successor.list()
        assert (instance.phase, instance.exit_code) == (Phase.EXITED, 4)
        assert place.lines() == [b"last words"]
        await gone(place)  # its shim has nothing left to do
        await successor.close()

    asyncio.run(scenario())


def test_a_stop_that_a_killed_daemon_began_goes_on(place: Place) -> None:
    killed_daemon(place, "trap 'sleep 0.5; exit 9' TERM; touch up; while :; do sleep 0.02; done", then="stop")

    async def scenario() -> None:
        engine = place.engine()
        assert (await until(engine, Phase.EXITED)).exit_code == 9
        await engine.close()

    asyncio.run(scenario())


def test_a_killed_shim_takes_its_dyno_with_it(place: Place) -> None:
    async def scenario() -> None:
        engine = place.engine()
        changes = engine.watch()
        await engine.start(place.spec(f"sleep 1000 & setsid sleep 1000 & echo up; {HOLD}"))
        await lines_come(place, 1)
        os.kill(place.started()["shim"][0], signal.SIGKILL)
        while (change := await anext(changes)).phase is Phase.RUNNING:
            pass
        assert change.exit_code is None
        assert place.processes() == []
        await engine.close()

        successor = place.engine()
        [instance] = await successor.list()
        assert (instance.phase, instance.exit_code) == (Phase.EXITED, None)
        await successor.close()

    asyncio.run(scenario())


def test_a_shim_that_was_killed_with_the_daemon_leaves_nothing_running(place: Place) -> None:
    killed_daemon(place, f"setsid sh -c 'sleep 1000; true' & sleep 1000 & touch up; {HOLD}")
    os.kill(place.started()["shim"][0], signal.SIGKILL)

    async def scenario() -> None:
        engine = place.engine()
        [instance] = await engine.list()
        assert (instance.phase, instance.exit_code) == (Phase.EXITED, None)
        assert place.processes() == []
        await engine.stop("d1", 1)
        assert list(place.root.iterdir()) == []
        await engine.close()

    asyncio.run(scenario())


def test_a_hung_shim_is_killed_when_its_dyno_must_go(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("homeport.engine.local.OVERDUE", 0.2)
    monkeypatch.setattr("homeport.engine.local.ADOPTION", 0.2)

    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec(HOLD))
        shim, process = place.started()["shim"][0], place.started()["process"]
        os.kill(shim, signal.SIGSTOP)
        await engine.close()
        successor = place.engine()
        assert [instance.phase for instance in await successor.list()] == [Phase.RUNNING]
        await successor.stop("d1", 0.1)
        assert await successor.list() == []
        assert start_ticks(process[0]) != process[1]
        await successor.close()

    asyncio.run(scenario())


IMPATIENT = "import sys; sys.path.append(sys.argv[1]); from shim import loop; loop.LOOK = 0.1; loop.main(sys.argv[2])"


def test_a_dyno_whose_folder_is_gone_ends(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody has removed $HOMEPORT_HOME: no daemon will ever find the dyno again."""
    monkeypatch.setattr(launch, "LAUNCH", IMPATIENT)

    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec("exit 3", "ended", attached=True))
        await engine.start(place.spec(HOLD, "alone"))
        await engine.start(place.spec(HOLD, "kept"))
        await until(engine, Phase.EXITED, "ended")
        await engine.close()
        for name in ("ended", "alone"):
            shutil.rmtree(place.root / name)
        async with asyncio.timeout(20):
            while len(place.processes()) > 2:  # noqa: ASYNC110 - the shim of the kept one, and its process
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        assert sorted(place.processes()) == sorted(place.started("kept")[who][0] for who in ("shim", "process"))

    asyncio.run(scenario())


def test_a_terminated_shim_ends_its_dyno_as_a_shutdown_of_the_machine_does(place: Place) -> None:
    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec("trap 'echo well; exit 0' TERM; echo up; while :; do sleep 0.02; done"))
        await lines_come(place, 1)
        os.kill(place.started()["shim"][0], signal.SIGTERM)
        assert (await until(engine, Phase.EXITED)).exit_code == 0
        assert b"well" in place.lines()
        await engine.close()

    asyncio.run(scenario())


# What an engine may find on disk


def folder_of_a_dyno(place: Place, **facts: object) -> Path:
    folder = place.root / "d1"
    (folder / "app").mkdir(parents=True)
    known: dict[str, object] = {"name": "web.1", "port": 20001, "attached": False, "life": life()}
    (folder / "dyno.json").write_text(json.dumps(known | facts))
    return folder


def test_after_a_reboot_dynos_are_listed_as_exited_and_no_process_is_mistaken_for_theirs(place: Place) -> None:
    folder = folder_of_a_dyno(place, life="another-boot.1")
    home = {"HOME": str(folder / "app")}
    bystander = subprocess.Popen(["sleep", "1000"], start_new_session=True, cwd=folder, env=home)
    same = [bystander.pid, start_ticks(bystander.pid)]
    (folder / "started.json").write_text(json.dumps({"shim": same, "process": same, "at": 1000.0}))

    async def scenario() -> None:
        engine = place.engine()
        [instance] = await engine.list()
        assert (instance.phase, instance.exit_code) == (Phase.EXITED, None)
        assert instance.started_at.timestamp() == 1000.0
        await engine.stop("d1", 5)
        assert list(place.root.iterdir()) == []
        await engine.close()

    with bystander:
        asyncio.run(scenario())
        assert bystander.poll() is None
        bystander.kill()


def test_a_pid_that_was_used_again_is_left_alone(place: Place) -> None:
    folder = folder_of_a_dyno(place)
    bystander = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    other = [bystander.pid, start_ticks(bystander.pid) - 1]
    (folder / "started.json").write_text(json.dumps({"shim": other, "process": other, "at": 1000.0}))

    async def scenario() -> None:
        engine = place.engine()
        assert [instance.phase for instance in await engine.list()] == [Phase.EXITED]
        await engine.stop("d1", 0)
        await engine.close()

    with bystander:
        asyncio.run(scenario())
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.parametrize("files", [{}, {"dyno.json": ""}, {"dyno.json": "{}"}, {"started.json": "half a f"}])
def test_a_dyno_that_was_never_started_is_cleared_away(place: Place, files: dict[str, str]) -> None:
    folder = folder_of_a_dyno(place)
    (folder / "app" / "half-copied").write_text("x")
    (folder / "shim.sock").touch()
    for name, text in files.items():
        (folder / name).write_text(text)
    (place.root / ".gone-1234" / "dyno" / "app").mkdir(parents=True)

    async def scenario() -> None:
        engine = place.engine()
        assert await engine.list() == []
        assert list(place.root.iterdir()) == []
        await engine.close()

    asyncio.run(scenario())


def test_a_daemon_killed_between_the_shim_and_its_order_leaves_nothing(place: Place) -> None:
    """The shim was started, and nobody will ever tell it what to run."""
    place.root.mkdir()
    folder = Folder(place.root, "d1")
    with folder.create(Facts("web.1", None, False, life())) as listener:
        shim = launch.spawn(folder, "web.1", listener, None)

    async def scenario() -> None:
        engine = place.engine()
        assert await engine.list() == []
        assert list(place.root.iterdir()) == []
        await engine.close()

    asyncio.run(scenario())
    assert os.waitpid(shim, 0)[1] == 0


def test_a_shim_ends_when_its_engine_does_before_telling_it_everything(place: Place) -> None:
    place.root.mkdir()
    folder = Folder(place.root, "d1")
    with folder.create(Facts("web.1", None, False, life())) as listener:
        shim = launch.spawn(folder, "web.1", listener, None)
    client = folder.connect()
    assert client is not None
    with client:
        client.sendall(wire.frame(wire.START, b"x" * 1000)[:500])
    assert os.waitpid(shim, 0)[1] == 0
    shutil.rmtree(folder.path)


def test_homeport_home_can_be_very_deep_and_can_be_moved(place: Place, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-folder-name"] * 8)
    place.root = deep / "dynos"

    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.02; done"))
        await lines_come(place, 1)
        await engine.close()
        deep.rename(tmp_path / "short")

        place.root = tmp_path / "short" / "dynos"
        successor = place.engine()
        changes = successor.watch()
        assert [instance.phase for instance in await successor.list()] == [Phase.RUNNING]
        await successor.stop("d1", 10)
        while (change := await anext(changes)).phase is Phase.RUNNING:
            pass
        assert change.exit_code == 3
        assert list(place.root.iterdir()) == []
        await successor.close()

    assert len(os.fsencode(place.root)) > 200
    with socket.socket(socket.AF_UNIX) as plain, pytest.raises(OSError, match="too long"):
        plain.bind(str(place.root / "shim.sock"))
    asyncio.run(scenario())


BUSY_DAEMON = """
    import asyncio, itertools, os, sys
    from pathlib import Path
    from homeport.engine import LocalEngine, Spec

    async def one(engine, code, number):
        script = "sleep 1000 & setsid sleep 1000 & echo up; exec sleep 1000" if number % 3 else "echo short; exit 3"
        id = f"d{os.getpid()}-{number}"
        await engine.start(Spec(id, "web.1", ("sh", "-c", script), code, {"PATH": "/usr/bin:/bin"}, wants_port=True))
        if number % 2:
            await engine.stop(id, number % 5)

    async def main():
        engine = LocalEngine(Path(sys.argv[1]), sink=lambda output: None)
        for start in itertools.count(step=4):
            await asyncio.gather(*(one(engine, Path(sys.argv[2]), start + n) for n in range(4)))
            if start == 0:
                print("busy", flush=True)

    asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [0.0, 0.011, 0.023, 0.037, 0.053])
def test_a_daemon_may_be_killed_in_the_middle_of_anything(place: Place, after: float) -> None:
    for file in range(50):
        (place.code / f"file{file}").write_text("x" * 1000)
    for _ in range(2):  # the second adopts what the first has left, and goes on
        program = [sys.executable, "-c", textwrap.dedent(BUSY_DAEMON), str(place.root), str(place.code)]
        with subprocess.Popen(program, stdout=subprocess.PIPE) as daemon:
            assert daemon.stdout is not None
            assert daemon.stdout.readline() == b"busy\n"
            time.sleep(after)
            daemon.kill()

    async def scenario() -> None:
        engine = place.engine()
        instances = await engine.list()
        assert instances
        for instance in instances:
            assert (instance.exit_code in (3, 143, 137, None)) or instance.phase is Phase.RUNNING
        await asyncio.gather(*(engine.stop(instance.id, 5) for instance in instances))
        assert list(place.root.iterdir()) == []
        await engine.close()
        await gone(place)

    asyncio.run(scenario())
