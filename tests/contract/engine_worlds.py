"""The engines that `test_engine.py` holds to their contract, and what dynos do in each of them."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from homeport.engine import Behaviour, Engine, FakeEngine, Instance, LocalEngine, Output, Phase, Spec, Terminal
from homeport.engine import World as FakeWorld

PATIENCE = 20.0
"""Seconds until a scenario counts as hung, on a loaded machine too."""

HOLD = "exec sleep 1000"


@dataclass(frozen=True)
class Act:
    """What a dyno does: as a program of a real machine, and as the fake is told."""

    script: str
    behaviour: Behaviour = field(default_factory=Behaviour)

    @property
    def argv(self) -> tuple[str, ...]:
        return ("sh", "-c", self.script)


RUNS = Act(HOLD)
EXITS_0 = Act("exit 0", Behaviour(exit_code=0))
EXITS_3 = Act("exit 3", Behaviour(exit_code=3))
KILLS_ITSELF = Act("kill -KILL $$", Behaviour(exit_code=137))
IGNORES_TERM = Act(f"trap '' TERM; echo deaf; {HOLD}", Behaviour(on_term=None, lines=(b"deaf",)))
LEAVES_WELL = Act(
    "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done", Behaviour(on_term=0, lines=(b"ready",))
)
PRINTS = Act(f"echo one; echo two >&2; echo; echo four; {HOLD}", Behaviour(lines=(b"one", b"two", b"", b"four")))
PRINTS_AND_ENDS = Act("echo one; printf two", Behaviour(exit_code=0, lines=(b"one", b"two")))
READS_ALL = Act("exec cat")
CANNOT_START = Act("", Behaviour(cannot_start=True))


class World(ABC):
    """A place for dynos, which outlives the engines in it."""

    def __init__(self, folder: Path) -> None:
        self.code = folder / "code"
        self.code.mkdir()
        (self.code / "hello.txt").write_text("hello")
        self.outputs: list[Output] = []

    @abstractmethod
    def engine(self) -> Engine: ...

    def spec(
        self,
        act: Act | tuple[str, ...],
        *,
        wants_port: bool = False,
        attached: bool = False,
        terminal: Terminal | None = None,
        env: dict[str, str] | None = None,
    ) -> Spec:
        return Spec(
            id=str(uuid.uuid4()),
            name="web.1",
            argv=act.argv if isinstance(act, Act) else act,
            code=self.code,
            env={"PATH": f"{Path(sys.executable).parent}:{os.defpath}"} | (env or {}),
            wants_port=wants_port,
            attached=attached,
            terminal=terminal,
        )

    def run(self, scenario: Callable[[Engine], Awaitable[None]]) -> None:
        """Play a scenario with one engine, and clear everything away after it."""
        asyncio.run(self._run(scenario))

    async def _run(self, scenario: Callable[[Engine], Awaitable[None]]) -> None:
        engine = self.engine()
        try:
            async with asyncio.timeout(PATIENCE):
                await scenario(engine)
        finally:
            await engine.close()
            last = self.engine()
            for instance in await last.list():
                await last.stop(instance.id, 0)
            await last.close()

    def lines(self, id: str) -> list[bytes]:
        """What has come to the sink from one dyno."""
        return [line for output in self.outputs if output.id == id for line in output.lines]


class Fake(World):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        acts = [value for value in globals().values() if isinstance(value, Act)]
        self._behaviours = {act.argv: act.behaviour for act in acts}
        self._world = FakeWorld()

    def engine(self) -> Engine:
        return FakeEngine(sink=self.outputs.append, script=self._script, world=self._world)

    def _script(self, spec: Spec) -> Behaviour:
        return self._behaviours.get(spec.argv, CANNOT_START.behaviour)


class Local(World):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.root = folder / "dynos"

    def engine(self) -> LocalEngine:
        return LocalEngine(self.root, sink=self.outputs.append, heal_every=0.2)


async def eventually(holds: Callable[[], bool]) -> None:
    while not holds():  # noqa: ASYNC110 - what is waited for happens outside of this process
        await asyncio.sleep(0.005)


async def exited(engine: Engine, id: str) -> Instance:
    """Wait until a dyno is listed as exited."""
    while True:
        for instance in await engine.list():
            if instance.id == id and instance.phase is Phase.EXITED:
                return instance
        await asyncio.sleep(0.005)


def ids(instances: Iterable[Instance]) -> set[str]:
    return {instance.id for instance in instances}
