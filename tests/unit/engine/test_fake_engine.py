"""What the fake can do beyond the contract that it shares with every engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from homeport.engine import Behaviour, FakeEngine, Output, Phase, Spec

MORNING = datetime(2026, 1, 1, 9, tzinfo=UTC)


def spec(id: str, **more: object) -> Spec:
    return Spec(id, "web.1", ("serve",), Path("/code"), {}, wants_port=True, **more)  # type: ignore[arg-type]


def play(scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await scenario()

    asyncio.run(run())


def test_a_dyno_may_bind_its_port_late_or_never() -> None:
    async def scenario() -> None:
        engine = FakeEngine(script=lambda spec: Behaviour(binds=spec.id == "prompt"), clock=lambda: MORNING)
        prompt, late = await engine.start(spec("prompt")), await engine.start(spec("late"))
        assert prompt.started_at == MORNING
        assert prompt.address is not None
        assert late.address is not None
        assert engine.is_bound(prompt.address)
        assert not engine.is_bound(late.address)
        engine.bind("late")
        assert engine.is_bound(late.address)
        engine.exit("late", 1)
        assert not engine.is_bound(late.address)

    play(scenario)


def test_what_happens_to_a_dyno_is_played_by_the_test() -> None:
    async def scenario() -> None:
        outputs: list[Output] = []
        engine = FakeEngine(sink=outputs.append)
        changes = engine.watch()
        await engine.start(spec("d1"))
        engine.say("d1", b"hello", dropped=3)
        engine.exit("d1", 4)
        engine.exit("d1", 5)  # it has ended already
        assert outputs == [Output("d1", (b"hello",), 3)]
        assert [(await anext(changes)).phase, (await anext(changes)).phase] == [Phase.RUNNING, Phase.EXITED]
        [instance] = await engine.list()
        assert instance.exit_code == 4
        await engine.stop("d1", 30)
        await engine.stop("d1", 30)
        assert [started.id for started in engine.world.started] == ["d1"]
        assert engine.world.stopped == [("d1", 30)]

    play(scenario)


def test_what_is_typed_is_noted() -> None:
    async def scenario() -> None:
        engine = FakeEngine()
        await engine.start(spec("d1", attached=True))
        attachment = await engine.attach("d1")
        await attachment.write(b"ls\n")
        await attachment.resize(100, 40)
        engine.say("d1", b"README")
        assert await attachment.read() == b"README\n"
        await attachment.end_input()
        assert await attachment.read() == b""
        assert await attachment.wait() == 0
        await attachment.write(b"too late")
        assert (bytes(attachment.typed), attachment.sizes) == (b"ls\n", [(100, 40)])

    play(scenario)
