"""Nothing is left behind, nothing leaks, nothing can be seen that must not be, and floods slow nobody."""

# Reading /proc does not block.
# ruff: noqa: ASYNC240

from __future__ import annotations

import asyncio
import os
import resource
import socket
import time
from pathlib import Path

import pytest

from homeport.engine import LocalEngine, Phase
from homeport.engine.ports import Ports
from homeport.engine.shim.process import stat
from homeport.errors import HomeportError
from tests.integration.engine.engine_place import HOLD, Place, gone, lines_come, until

# Every process of the dyno goes


def test_term_reaches_every_process_of_the_dyno(place: Place) -> None:
    child = 'trap "echo $1 ends; exit 0" TERM; echo $1 up; while :; do sleep 0.02; done'
    script = f"""
        cat > child.sh <<'X'
{child}
X
        sh child.sh same-group &
        setsid sh child.sh other-session &
        ( setsid sh child.sh orphan & )
        trap '' TERM
        wait; wait; wait; wait
        sleep 0.2
    """

    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec(script))
        await lines_come(place, 3)
        await engine.stop("d1", 15)
        for name in (b"same-group", b"other-session", b"orphan"):
            assert place.lines().count(name + b" ends") == 1  # TERM, and only once
        assert place.processes() == []
        await engine.close()

    asyncio.run(scenario())


def test_whatever_the_first_process_leaves_behind_is_killed(place: Place) -> None:
    script = "trap '' TERM HUP; for i in 1 2 3; do (setsid setsid sleep 1000 &) ; sleep 1000 & done; exit 6"

    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec(script))
        assert (await until(engine, Phase.EXITED)).exit_code == 6
        await gone(place)
        await engine.close()

    asyncio.run(scenario())


def test_a_child_that_ignores_term_is_killed_after_the_grace_of_the_dyno(place: Place) -> None:
    async def scenario() -> None:
        engine = place.engine()
        changes = engine.watch()
        await engine.start(place.spec("sh -c 'trap \"\" TERM; echo deaf; while :; do sleep 0.02; done' & wait"))
        await lines_come(place, 1)
        began = time.monotonic()
        await engine.stop("d1", 0.5)
        assert 0.5 <= time.monotonic() - began < 10
        assert [(await anext(changes)).exit_code, (await anext(changes)).exit_code] == [None, 143]
        assert place.processes() == []
        await engine.close()

    asyncio.run(scenario())


def test_a_second_stop_shortens_the_grace_of_the_first(place: Place) -> None:
    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec(f"trap '' TERM; echo deaf; {HOLD}"))
        await lines_come(place, 1)
        began = time.monotonic()
        await asyncio.gather(engine.stop("d1", 300), engine.stop("d1", 0.1))
        assert time.monotonic() - began < 15
        await engine.close()

    asyncio.run(scenario())


def test_orphans_of_a_running_dyno_are_collected(place: Place) -> None:
    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec(f"for i in 1 2 3 4 5; do (setsid true &); done; sleep 0.1; echo up; {HOLD}"))
        await lines_come(place, 1)
        shim = place.started()["shim"][0]
        zombies = [
            path.name
            for path in Path("/proc").iterdir()
            if path.name.isdigit() and (fields := stat(path.name)) and fields[0] == b"Z" and int(fields[1]) == shim
        ]
        assert zombies == []
        await engine.close()

    asyncio.run(scenario())


def test_folders_that_nobody_may_enter_are_removed_too(place: Place) -> None:
    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec("mkdir -p a/b/c; touch a/b/c/f; ln -s / a/b/root; chmod 0 a/b/c a/b a"))
        await until(engine, Phase.EXITED)
        await engine.stop("d1", 1)
        assert list(place.root.iterdir()) == []
        await engine.close()

    asyncio.run(scenario())


# Secrets and surroundings


def test_no_config_var_is_in_any_argument_or_file_of_ours(place: Place) -> None:
    secret = "s3cret-value-of-a-config-var"

    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec(f"echo up; {HOLD}", env={"PATH": os.defpath, "SECRET": secret}))
        await lines_come(place, 1)
        started = place.started()
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                assert secret.encode() not in path.read_bytes()
            except OSError:
                continue
        assert secret.encode() in Path(f"/proc/{started['process'][0]}/environ").read_bytes()
        assert secret.encode() not in Path(f"/proc/{started['shim'][0]}/environ").read_bytes()
        for path in place.root.rglob("*"):
            assert not path.is_file() or secret not in path.read_text()
        assert place.root.stat().st_mode & 0o077 == 0
        await engine.close()

    asyncio.run(scenario())


def test_a_dyno_inherits_nothing(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LEAK", "1")
    script = "env; ls -l /proc/self/fd; umask; ps -o ignored= -p $$; tty; cat"

    async def scenario() -> None:
        with (tmp_path / "daemon-file").open("w") as leak:
            os.set_inheritable(leak.fileno(), True)
            engine = place.engine()
            await engine.start(place.spec(script, wants_port=True))
            assert (await until(engine, Phase.EXITED)).exit_code == 0  # cat has found its input empty
            await engine.close()
        output = b"\n".join(place.lines()).decode()
        assert "LEAK" not in output
        assert "daemon-file" not in output
        assert [line.split()[-3] for line in output.splitlines() if "->" in line] == ["0", "1", "2", "3"]
        assert "0022" in output
        ignored = int(next(line for line in output.splitlines() if len(line) == 16), 16)
        assert ignored & (1 << 31) - 1 == 0  # the C library keeps two real-time signals for itself
        assert "not a tty" in output

    asyncio.run(scenario())


def test_links_and_layers_appear_below_home(place: Place, tmp_path: Path) -> None:
    layer = tmp_path / "layer"
    layer.mkdir()
    (layer / "tool").write_text("a tool")
    (place.code / ".heroku" / "python").mkdir(parents=True)
    (place.code / ".heroku" / "python" / "tool").write_text("not this one")

    async def scenario() -> None:
        engine = place.engine()
        await engine.start(place.spec("cat .heroku/python/tool", links={".heroku/python": layer}))
        await until(engine, Phase.EXITED)
        assert place.lines() == [b"a tool"]
        await engine.stop("d1", 1)
        assert (layer / "tool").read_text() == "a tool"
        with pytest.raises(HomeportError):
            await engine.start(place.spec(HOLD, links={"../outside": layer}))
        assert not list(place.root.iterdir())
        await engine.close()

    asyncio.run(scenario())


# Floods


def test_a_flood_is_counted_and_slows_nobody(place: Place) -> None:
    """A dyno writes 4 million lines: all but the newest are dropped, every one is counted, and the daemon lives on."""
    script = "seq 4000000; date +%s%N > done"

    async def scenario() -> None:
        alone = time.monotonic()
        process = await asyncio.create_subprocess_shell("seq 4000000 | cat > /dev/null")
        await process.wait()
        alone = time.monotonic() - alone

        engine = place.engine()
        await engine.start(place.spec(script))
        began = time.monotonic()
        longest = 0.0
        while (await engine.list())[0].phase is Phase.RUNNING:
            before = time.monotonic()
            await asyncio.sleep(0.001)
            longest = max(longest, time.monotonic() - before)
        took = time.monotonic() - began
        delivered = sum(len(output.lines) for output in place.outputs)
        dropped = sum(output.dropped for output in place.outputs)
        assert delivered + dropped == 4_000_000
        assert dropped > 1_000_000
        assert place.lines()[-1] == b"4000000"
        assert took < alone * 10 + 5
        assert longest < 1
        await engine.close()

    asyncio.run(scenario())


def test_a_sink_that_fails_loses_its_lines_only(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    def sink(output: object) -> None:
        raise RuntimeError("full")

    async def scenario() -> None:
        engine = LocalEngine(place.root, sink=sink)
        await engine.start(place.spec("echo lost; exit 3"))
        assert (await until(engine, Phase.EXITED)).exit_code == 3
        await engine.close()

    asyncio.run(scenario())
    assert "the sink failed" in caplog.text


# Ports


def test_a_port_belongs_to_one_dyno_until_that_has_ended(place: Place, tmp_path: Path) -> None:
    ports = range(27_000, 27_040)

    async def scenario() -> None:
        first = LocalEngine(place.root, sink=place.outputs.append, ports=ports)
        second = LocalEngine(tmp_path / "other", sink=place.outputs.append, ports=ports)
        taken: set[int] = set()
        for engine in (first, second) * 5:
            instance = await engine.start(place.spec(HOLD, f"d{len(taken)}", wants_port=True))
            assert instance.address is not None
            taken.add(instance.address.port)
        assert len(taken) == 10
        assert taken <= set(ports)
        for engine in (first, second):
            await asyncio.gather(*(engine.stop(i.id, 0) for i in await engine.list()))
            await engine.close()

    asyncio.run(scenario())


def test_a_port_that_somebody_else_listens_on_is_passed_over() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(HomeportError, match="No port") as caught:
            Ports(range(port, port + 1)).claim()
        assert caught.value.id == "engine_start_failed"


# Hygiene


def descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def children() -> list[int]:
    found = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    return [pid for pid in found if (fields := stat(pid)) and int(fields[1]) == os.getpid()]


@pytest.mark.slow
def test_two_hundred_starts_and_stops_leave_nothing(place: Place) -> None:
    async def once(engine: LocalEngine, number: int) -> None:
        name = f"d{number}"
        attached = number % 4 == 0
        script = "echo hello; exit 1" if number % 3 else HOLD
        await engine.start(place.spec(script, name, attached=attached, wants_port=True))
        if attached:
            attachment = await engine.attach(name)
            await attachment.close()
        await engine.stop(name, 5)

    async def scenario() -> None:
        engine = place.engine()
        for number in range(8):
            await once(engine, number)
        before = len(descriptors()), children()
        for start in range(0, 200, 8):
            await asyncio.gather(*(once(engine, start + number) for number in range(8)))
        async with asyncio.timeout(10):
            while (len(descriptors()), children()) != before:  # noqa: ASYNC110 - shims are ending
                await asyncio.sleep(0.01)
        assert not list(place.root.iterdir())
        await engine.close()

    asyncio.run(scenario())


@pytest.mark.slow
def test_a_hundred_dynos_at_once(place: Place) -> None:
    async def scenario() -> None:
        engine = place.engine()
        specs = [place.spec(f"echo up; {HOLD}", f"d{number}", wants_port=True) for number in range(100)]
        instances = await asyncio.gather(*(engine.start(spec) for spec in specs))
        assert len({instance.address for instance in instances}) == 100
        await lines_come(place, 100)
        await engine.close()

        successor = place.engine()
        assert len(await successor.list()) == 100
        await asyncio.gather(*(successor.stop(spec.id, 10) for spec in specs))
        assert await successor.list() == []
        await successor.close()

    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 512
    asyncio.run(scenario())
