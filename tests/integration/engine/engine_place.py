"""A root for real engines, and what their dynos leave to be seen there."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from homeport.engine import Instance, LocalEngine, Output, Phase, Spec
from homeport.engine.shim.process import stat

HOLD = "exec sleep 1000"


class Place:
    """A root for engines, and the code of a dyno."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "dynos"
        self.code = folder / "code"
        self.code.mkdir()
        self.outputs: list[Output] = []

    def engine(self) -> LocalEngine:
        return LocalEngine(self.root, sink=self.outputs.append, heal_every=0.1)

    def spec(self, script: str, id: str = "d1", **more: Any) -> Spec:
        spec = Spec(id, "worker.1", ("sh", "-c", script), self.code, {"PATH": os.defpath})
        return replace(spec, **more)

    def lines(self) -> list[bytes]:
        return [line for output in self.outputs for line in output.lines]

    def processes(self) -> list[int]:
        """Every process that has to do with this place: dynos by HOME, shims by what they were called with."""
        found = []
        for path in Path("/proc").iterdir():
            if path.name.isdigit() and int(path.name) != os.getpid() and stat(path.name)[:1] not in ([b"Z"], []):
                try:
                    about = (path / "environ").read_bytes() + (path / "cmdline").read_bytes()
                except OSError:
                    continue
                if os.fsencode(self.root) in about:
                    found.append(int(path.name))
        return found

    def started(self, id: str = "d1") -> dict[str, list[int]]:
        facts: dict[str, list[int]] = json.loads((self.root / id / "started.json").read_text())
        return facts

    async def clear(self) -> None:
        engine = self.engine()
        await asyncio.gather(*(engine.stop(instance.id, 0) for instance in await engine.list()))
        await engine.close()


async def until(engine: LocalEngine, phase: Phase, id: str = "d1") -> Instance:
    async with asyncio.timeout(20):
        while True:
            for instance in await engine.list():
                if (instance.id, instance.phase) == (id, phase):
                    return instance
            await asyncio.sleep(0.005)


async def lines_come(place: Place, count: int) -> None:
    async with asyncio.timeout(20):
        while len(place.lines()) < count:  # noqa: ASYNC110 - what is waited for happens in another process
            await asyncio.sleep(0.005)


async def gone(place: Place) -> None:
    async with asyncio.timeout(20):
        while place.processes():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
