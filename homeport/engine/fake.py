"""An engine in memory, for tests of the rooms above: nothing runs, nothing waits, everything is scripted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from homeport.engine.interface import Address, Instance, Output, Phase, Sink, Spec
from homeport.engine.watch import Watchers
from homeport.errors import Conflict, HomeportError, NotFound

HUNG_UP, KILLED, TERMINATED = 129, 137, 143


@dataclass(frozen=True)
class Behaviour:
    """What a dyno does. By itself it runs, binds its port, says nothing, and ends when it gets TERM."""

    exit_code: int | None = None  # ends at once with this code
    binds: bool = True
    on_term: int | None = TERMINATED  # ends with this code; None: ignores TERM, and gets KILL
    lines: tuple[bytes, ...] = ()  # what it prints at start
    cannot_start: bool = False


Script = Callable[[Spec], Behaviour]


@dataclass
class FakeDyno:
    spec: Spec
    behaviour: Behaviour
    instance: Instance
    bound: bool
    attachment: FakeAttachment


@dataclass
class World:
    """What outlives an engine: give it to a second one to play a restart of the daemon."""

    dynos: dict[str, FakeDyno] = field(default_factory=dict)
    started: list[Spec] = field(default_factory=list)
    stopped: list[tuple[str, float]] = field(default_factory=list)
    next_port: int = 20000


class FakeEngine:
    """`script` says how each dyno behaves; `exit`, `say` and `bind` play what happens to it later.

    `world.started` and `world.stopped` are all starts and stops that were asked for, in order.
    """

    def __init__(
        self,
        *,
        sink: Sink = lambda _output: None,
        script: Script = lambda _spec: Behaviour(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        world: World | None = None,
    ) -> None:
        self.world = world or World()
        self._sink = sink
        self._script = script
        self._clock = clock
        self._watchers = Watchers()

    # The engine.

    async def start(self, spec: Spec) -> Instance:
        if known := self.world.dynos.get(spec.id):
            return known.instance
        behaviour = self._script(spec)
        if behaviour.cannot_start:
            raise HomeportError("engine_start_failed", f"{spec.name} could not be started: as scripted.")
        address = None
        if spec.wants_port:
            address = Address("127.0.0.1", self.world.next_port)
            self.world.next_port += 1
        instance = Instance(spec.id, Phase.RUNNING, self._clock(), address)
        attachment = FakeAttachment(lambda code: self._end(spec.id, code))
        self.world.started.append(spec)
        self.world.dynos[spec.id] = FakeDyno(spec, behaviour, instance, behaviour.binds, attachment)
        self._watchers.tell(instance)
        if behaviour.lines:
            self.say(spec.id, *behaviour.lines)
        if behaviour.exit_code is not None:
            self.exit(spec.id, behaviour.exit_code)
        return instance

    async def stop(self, id: str, grace: float) -> None:
        dyno = self.world.dynos.get(id)
        if dyno is None:
            return
        self.world.stopped.append((id, grace))
        code = dyno.behaviour.on_term if grace > 0 else None
        self._end(id, KILLED if code is None else code)
        self.world.dynos.pop(id, None)

    async def list(self) -> list[Instance]:
        return [dyno.instance for dyno in self.world.dynos.values()]

    def watch(self) -> AsyncIterator[Instance]:
        return self._watchers.watch()

    async def attach(self, id: str) -> FakeAttachment:
        dyno = self.world.dynos.get(id)
        if dyno is None:
            raise NotFound("dyno")
        if not dyno.spec.attached or dyno.attachment.taken:
            raise Conflict(f"Dyno {id} has no terminal to give.", id="not_attachable")
        dyno.attachment.taken = True
        return dyno.attachment

    async def close(self) -> None:
        self._watchers.close()

    # The world: what happens to dynos, and what can be seen of them.

    def exit(self, id: str, code: int) -> None:
        """The dyno's process ends."""
        self._end(id, code)

    def say(self, id: str, *lines: bytes, dropped: int = 0) -> None:
        """The dyno prints lines."""
        dyno = self.world.dynos[id]
        if dyno.spec.attached:
            dyno.attachment.print(b"".join(line + b"\n" for line in lines))
        else:
            self._sink(Output(id, lines, dropped))

    def bind(self, id: str) -> None:
        """The dyno, which had not bound its port yet, does so."""
        self.world.dynos[id].bound = True

    def is_bound(self, address: Address) -> bool:
        """Whether somebody would accept a connection there."""
        dynos = self.world.dynos.values()
        return any(d.bound and d.instance.address == address and _runs(d) for d in dynos)

    def _end(self, id: str, code: int) -> None:
        dyno = self.world.dynos.get(id)
        if dyno is not None and _runs(dyno):
            dyno.instance = replace(dyno.instance, phase=Phase.EXITED, exit_code=code)
            dyno.attachment.finish(code)
            self._watchers.tell(dyno.instance)


def _runs(dyno: FakeDyno) -> bool:
    return dyno.instance.phase is Phase.RUNNING


class FakeAttachment:
    """Notes what is typed. The process ends with 0 at the end of its input, with 129 when it is hung up."""

    def __init__(self, end: Callable[[int], None]) -> None:
        self.taken = False
        self.typed = bytearray()
        self.sizes: list[tuple[int, int]] = []
        self._end = end
        self._output: asyncio.Queue[bytes] = asyncio.Queue()
        self._ended = asyncio.Event()
        self._code = 0

    def print(self, data: bytes) -> None:
        self._output.put_nowait(data)

    def finish(self, code: int) -> None:
        self._code = code
        self._ended.set()
        self._output.put_nowait(b"")

    async def read(self) -> bytes:
        if self._ended.is_set() and self._output.empty():
            return b""
        return await self._output.get()

    async def write(self, data: bytes) -> None:
        if not self._ended.is_set():
            self.typed += data

    async def end_input(self) -> None:
        self._end(0)

    async def resize(self, columns: int, lines: int) -> None:
        self.sizes.append((columns, lines))

    async def wait(self) -> int:
        await self._ended.wait()
        return self._code

    async def close(self) -> None:
        self._end(HUNG_UP)
