"""What every engine does, the fake included."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from homeport.engine import Attachment, Engine, Instance, Phase, Terminal
from homeport.errors import Conflict, HomeportError, NotFound
from tests.contract.engine_worlds import (
    EXITS_0,
    EXITS_3,
    IGNORES_TERM,
    KILLS_ITSELF,
    LEAVES_WELL,
    PRINTS,
    PRINTS_AND_ENDS,
    READS_ALL,
    RUNS,
    Act,
    Fake,
    Local,
    World,
    eventually,
    exited,
    ids,
)


@pytest.fixture(params=[Fake, Local], ids=["fake", "local"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    made: World = request.param(tmp_path)
    return made


@pytest.fixture
def machine(tmp_path: Path) -> World:
    """Only engines that run real processes."""
    return Local(tmp_path)


# Starting


def test_a_started_dyno_runs_and_is_listed(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(RUNS)
        instance = await engine.start(spec)
        assert (instance.id, instance.phase, instance.exit_code) == (spec.id, Phase.RUNNING, None)
        assert instance.address is None
        assert instance.started_at.tzinfo is not None
        assert await engine.list() == [instance]

    world.run(scenario)


def test_dynos_that_want_a_port_get_addresses_of_their_own(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        instances = [await engine.start(world.spec(RUNS, wants_port=True)) for _ in range(3)]
        assert len({instance.address for instance in instances}) == 3
        assert None not in {instance.address for instance in instances}

    world.run(scenario)


def test_starting_again_answers_what_runs(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(PRINTS, wants_port=True)
        first = await engine.start(spec)
        assert await engine.start(spec) == first
        assert await engine.list() == [first]
        await eventually(lambda: len(world.lines(spec.id)) >= 4)
        assert len(world.lines(spec.id)) == 4

    world.run(scenario)


def test_starting_twice_at_once_starts_once(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(RUNS)
        first, second = await asyncio.gather(engine.start(spec), engine.start(spec))
        assert first == second
        assert await engine.list() == [first]

    world.run(scenario)


def test_starting_again_answers_what_has_exited(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(EXITS_3)
        await engine.start(spec)
        instance = await exited(engine, spec.id)
        assert await engine.start(spec) == instance

    world.run(scenario)


def test_what_cannot_be_started_says_so_and_leaves_nothing(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        with pytest.raises(HomeportError) as caught:
            await engine.start(world.spec(("no-such-program", "--secret=s3cret")))
        assert caught.value.id == "engine_start_failed"
        assert "s3cret" not in caught.value.message
        assert await engine.list() == []

    world.run(scenario)


# Ending


@pytest.mark.parametrize(("act", "code"), [(EXITS_0, 0), (EXITS_3, 3), (KILLS_ITSELF, 137)])
def test_a_dyno_that_ends_is_listed_with_its_exit_code_until_it_is_stopped(world: World, act: Act, code: int) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(act)
        await engine.start(spec)
        assert (await exited(engine, spec.id)).exit_code == code
        await engine.stop(spec.id, 1)
        assert await engine.list() == []

    world.run(scenario)


@pytest.mark.parametrize(
    ("act", "grace", "code"), [(RUNS, 10, 143), (LEAVES_WELL, 10, 0), (IGNORES_TERM, 0.1, 137), (RUNS, 0, 137)]
)
def test_stop_sends_term_and_then_kill(world: World, act: Act, grace: float, code: int) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(act)
        changes = engine.watch()
        await engine.start(spec)
        await eventually(lambda: len(world.lines(spec.id)) >= len(act.behaviour.lines))
        await engine.stop(spec.id, grace)
        assert await engine.list() == []
        last = [await anext(changes), await anext(changes)][-1]
        assert (last.phase, last.exit_code) == (Phase.EXITED, code)

    world.run(scenario)


def test_stop_is_quiet_when_there_is_nothing_to_stop(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        await engine.stop("never-was", 1)
        await engine.stop("../../etc", 1)
        spec = world.spec(RUNS)
        await engine.start(spec)
        await asyncio.gather(engine.stop(spec.id, 5), engine.stop(spec.id, 5))
        await engine.stop(spec.id, 5)
        assert await engine.list() == []

    world.run(scenario)


def test_an_id_is_free_again_after_stop(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(RUNS)
        first = await engine.start(spec)
        await engine.stop(spec.id, 5)
        again = await engine.start(spec)
        assert again.phase is Phase.RUNNING
        assert again.started_at > first.started_at

    world.run(scenario)


# Knowing


def test_another_engine_lists_what_the_last_one_started(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        runs, ended = world.spec(RUNS, wants_port=True), world.spec(EXITS_3)
        running = await engine.start(runs)
        await engine.start(ended)
        over = await exited(engine, ended.id)
        await engine.close()

        successor = world.engine()
        assert sorted(await successor.list(), key=repr) == sorted([running, over], key=repr)
        other = await successor.start(world.spec(RUNS, wants_port=True))
        assert other.address != running.address
        await successor.stop(runs.id, 5)
        assert ids(await successor.list()) == {ended.id, other.id}
        await successor.close()

    world.run(scenario)


def test_another_engine_watches_what_the_last_one_started(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(RUNS)
        await engine.start(spec)
        await engine.close()

        successor = world.engine()
        changes = successor.watch()
        stopping = asyncio.create_task(successor.stop(spec.id, 5))
        while (change := await anext(changes)).phase is not Phase.EXITED:
            pass
        assert (change.id, change.exit_code) == (spec.id, 143)
        await stopping
        await successor.close()

    world.run(scenario)


def test_everyone_who_watches_hears_of_every_change(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        first, second = engine.watch(), engine.watch()
        heard: list[tuple[Instance, Instance]] = []
        specs = [world.spec(act) for act in (EXITS_0, EXITS_3)]
        for spec in specs:
            await engine.start(spec)
        while len(heard) < 4:
            heard.append((await anext(first), await anext(second)))
        assert all(one == other for one, other in heard)
        for spec, code in zip(specs, (0, 3), strict=True):
            changes = [change for change, _ in heard if change.id == spec.id]
            assert [change.phase for change in changes] == [Phase.RUNNING, Phase.EXITED]
            assert changes[-1].exit_code == code

    world.run(scenario)


def test_watching_ends_when_the_engine_is_closed(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        changes = engine.watch()
        await engine.start(world.spec(RUNS))
        await engine.close()
        assert [change.phase async for change in changes] == [Phase.RUNNING]

    world.run(scenario)


# Output


def test_lines_reach_the_sink_in_order(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(PRINTS)
        await engine.start(spec)
        await eventually(lambda: len(world.lines(spec.id)) == 4)
        assert world.lines(spec.id) == [b"one", b"two", b"", b"four"]
        assert not any(output.dropped for output in world.outputs)

    world.run(scenario)


def test_the_last_lines_come_before_the_end_is_told(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        changes = engine.watch()
        spec = world.spec(PRINTS_AND_ENDS)
        await engine.start(spec)
        while (await anext(changes)).phase is not Phase.EXITED:
            pass
        assert world.lines(spec.id) == [b"one", b"two"]  # the second one without a newline

    world.run(scenario)


# Attached


async def read_all(attachment: Attachment) -> bytes:
    output = b""
    while data := await attachment.read():
        output += data
    return output


def test_the_output_of_an_attached_dyno_goes_to_its_attachment(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(PRINTS_AND_ENDS, attached=True)
        await engine.start(spec)
        attachment = await engine.attach(spec.id)
        assert (await read_all(attachment)).startswith(b"one\ntwo")
        assert await attachment.read() == b""
        assert await attachment.wait() == 0
        assert world.lines(spec.id) == []
        await attachment.write(b"too late")
        await attachment.end_input()
        await attachment.resize(10, 10)
        await attachment.close()

    world.run(scenario)


def test_the_end_of_input_ends_who_reads_it(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(READS_ALL, attached=True)
        await engine.start(spec)
        attachment = await engine.attach(spec.id)
        await attachment.write(b"some words")
        await attachment.end_input()
        await read_all(attachment)
        assert await attachment.wait() == 0
        await attachment.close()

    world.run(scenario)


@pytest.mark.parametrize("terminal", [None, Terminal()])
def test_closing_an_attachment_hangs_up(world: World, terminal: Terminal | None) -> None:
    async def scenario(engine: Engine) -> None:
        spec = world.spec(READS_ALL, attached=True, terminal=terminal)
        await engine.start(spec)
        attachment = await engine.attach(spec.id)
        await attachment.close()
        assert (await exited(engine, spec.id)).exit_code == 129

    world.run(scenario)


def test_only_one_may_attach_and_only_to_an_attached_dyno(world: World) -> None:
    async def scenario(engine: Engine) -> None:
        logged, attached = world.spec(RUNS), world.spec(RUNS, attached=True)
        await engine.start(logged)
        await engine.start(attached)
        attachment = await engine.attach(attached.id)
        for spec in (logged, attached):
            with pytest.raises(Conflict) as caught:
                await engine.attach(spec.id)
            assert caught.value.id == "not_attachable"
        with pytest.raises(NotFound):
            await engine.attach("never-was")
        await attachment.close()

    world.run(scenario)


# What only real processes can show


def test_a_dyno_finds_its_code_and_its_environment(machine: World) -> None:
    script = "cat hello.txt; echo; pwd; echo changed > hello.txt; env | sort"

    async def scenario(engine: Engine) -> None:
        spec = machine.spec(Act(script), wants_port=True, env={"AT": "{app}/x", "LINES_": "a b\nc", "HOME": "/root"})
        instance = await engine.start(spec)
        await exited(engine, spec.id)
        lines = machine.lines(spec.id)
        home = lines[1]
        assert lines[0] == b"hello"
        variables = {line for line in lines[2:] if not line.startswith((b"_=", b"SHLVL=", b"TMPDIR=", b"OLDPWD="))}
        assert instance.address is not None
        assert variables == {
            b"AT=" + home + b"/x",
            b"HOME=" + home,
            b"PWD=" + home,
            b"LINES_=a b",
            b"c",
            b"PORT=%d" % instance.address.port,
            b"PATH=" + spec.env["PATH"].encode(),
        }
        assert (machine.code / "hello.txt").read_text() == "hello"

    machine.run(scenario)


class Screen:
    """Reads a terminal until something appears on it."""

    def __init__(self, attachment: Attachment) -> None:
        self.attachment = attachment
        self.text = b""

    async def shows(self, text: bytes) -> None:
        while text not in self.text:
            data = await self.attachment.read()
            assert data, f"the terminal ended without {text!r}: {self.text!r}"
            self.text += data
        self.text = self.text.partition(text)[2]


def test_a_terminal_has_a_size_that_can_change(machine: World) -> None:
    at_start = "tty; echo $TERM at `stty size` env $COLUMNS $LINES"
    script = f"trap 'echo now `stty size`' WINCH; {at_start}; while :; do sleep 0.02; done"

    async def scenario(engine: Engine) -> None:
        spec = machine.spec(Act(script), attached=True, terminal=Terminal(132, 43, "vt220"))
        await engine.start(spec)
        screen = Screen(await engine.attach(spec.id))
        await screen.shows(b"/dev/pts/")
        await screen.shows(b"vt220 at 43 132 env 132 43\r\n")
        await screen.attachment.resize(100, 30)
        await screen.shows(b"now 30 100\r\n")
        await screen.attachment.close()

    machine.run(scenario)


def test_control_c_interrupts_and_the_exit_code_comes_through(machine: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = machine.spec(("bash", "--norc", "-i"), attached=True, terminal=Terminal(), env={"PS1": "$ "})
        await engine.start(spec)
        attachment = await engine.attach(spec.id)
        screen = Screen(attachment)
        await screen.shows(b"$ ")
        await attachment.write(b"sh -c 'echo sle\"\"eps; exec sleep 1000'\n")
        await screen.shows(b"sleeps\r\n")
        await attachment.write(b"\x03")
        await screen.shows(b"$ ")
        await attachment.write(b"echo code $?; exit 5\n")
        await screen.shows(b"code 130\r\n")
        await read_all(attachment)
        assert await attachment.wait() == 5
        await attachment.close()

    machine.run(scenario)


@pytest.mark.parametrize("typed", [b"", b"a line\n", b"half a line"])
def test_control_d_ends_the_input_of_a_terminal_wherever_it_is(machine: World, typed: bytes) -> None:
    async def scenario(engine: Engine) -> None:
        spec = machine.spec(Act("cat; echo over"), attached=True, terminal=Terminal())
        await engine.start(spec)
        attachment = await engine.attach(spec.id)
        await attachment.write(typed)
        await attachment.end_input()
        assert (await read_all(attachment)).endswith(b"over\r\n")
        await attachment.close()

    machine.run(scenario)


def test_pipes_carry_bytes_as_they_are(machine: World) -> None:
    data = os.urandom(3_000_000)

    async def scenario(engine: Engine) -> None:
        spec = machine.spec(READS_ALL, attached=True)
        await engine.start(spec)
        attachment = await engine.attach(spec.id)

        async def type_it() -> None:
            await attachment.write(data)
            await attachment.end_input()

        typing = asyncio.create_task(type_it())
        assert await read_all(attachment) == data
        await typing
        assert await attachment.wait() == 0
        await attachment.close()

    machine.run(scenario)


def test_what_an_attached_dyno_prints_waits_for_its_reader(machine: World) -> None:
    async def scenario(engine: Engine) -> None:
        spec = machine.spec(Act("seq 1 200000"), attached=True)
        await engine.start(spec)
        attachment = await engine.attach(spec.id)
        stopping: asyncio.Task[None] | None = None
        lines = 0
        while data := await attachment.read():
            lines += data.count(b"\n")
            if stopping is None and (await engine.list())[0].phase is Phase.EXITED:
                stopping = asyncio.create_task(engine.stop(spec.id, 1))
        assert lines == 200_000
        assert await attachment.wait() == 0
        await attachment.close()
        await (stopping or engine.stop(spec.id, 1))

    machine.run(scenario)
