"""The seam to the machine: six methods, their own types, no app and no release in sight.

Restart policy, names, rollout and health live above it, once for all engines. `tests/contract/test_engine.py` runs
against every engine and the fake.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Terminal:
    """A pseudo-terminal's first size, in character cells, and its type."""

    columns: int = 80
    lines: int = 24
    term: str = "xterm"


@dataclass(frozen=True)
class Spec:
    """All an engine needs to start one dyno.

    `code` is the slug's code layer: the engine gives the dyno a working copy of its own, which is its current
    folder and its HOME, and which is gone with the dyno. `links` are read-only folders that must appear at a path
    relative to HOME (`.heroku/python` -> a dependency layer). `env` is complete: nothing is inherited. Variables
    an engine sets: HOME, PWD, PORT (when `wants_port`), TERM and COLUMNS/LINES (with a `terminal`), and TMPDIR
    unless `env` has it. In the values of `env` the text `{app}` stands for HOME, whatever that turns out to be.
    `attached` dynos talk through `attach`, by their `terminal` or else by pipes; their output does not go to the
    sink, and waits for its reader. `memory_mb` is a limit where the engine can hold a dyno to one.
    """

    id: str
    name: str
    argv: tuple[str, ...]
    code: Path
    env: Mapping[str, str]
    links: Mapping[str, Path] = field(default_factory=dict)
    wants_port: bool = False
    attached: bool = False
    terminal: Terminal | None = None
    memory_mb: int | None = None


class Phase(Enum):
    """A dyno begins RUNNING and may become EXITED, never the other way round."""

    RUNNING = "running"  # its first process is alive, or what that left behind is being ended
    EXITED = "exited"  # all of it has ended, its last lines are with the sink; it waits for `stop` to clear it away


@dataclass(frozen=True)
class Address:
    host: str
    port: int


@dataclass(frozen=True)
class Instance:
    """What truly is. `exit_code` follows the shell: 128 + signal number for a killed process, None if unknown."""

    id: str
    phase: Phase
    started_at: datetime
    address: Address | None = None
    exit_code: int | None = None


@dataclass(frozen=True)
class Output:
    """Complete lines (no newline, undecoded) that a dyno wrote, oldest first, and how many were dropped before
    them because nobody could take them fast enough."""

    id: str
    lines: Sequence[bytes]
    dropped: int = 0


Sink = Callable[[Output], None]
"""Where the output of dynos that are not attached goes. Must not block."""


class Attachment(Protocol):
    """The terminal (or the pipes) of one attached dyno."""

    async def read(self) -> bytes:
        """The next bytes of output; b"" once the process has ended and all its output was read."""

    async def write(self, data: bytes) -> None:
        """Type. Quietly dropped once the process has ended."""

    async def end_input(self) -> None:
        """End of input: EOF on a pipe, ^D on a terminal."""

    async def resize(self, columns: int, lines: int) -> None: ...

    async def wait(self) -> int:
        """The exit code, once the process has ended; 137 if it was killed with whatever knew its code."""

    async def close(self) -> None:
        """Hang up: the process gets HUP."""


class Engine(Protocol):
    async def start(self, spec: Spec) -> Instance:
        """Start the dyno, or answer what already runs under this id (idempotent).

        Raises `HomeportError` (`engine_start_failed`) when it cannot be started at all.
        """

    async def stop(self, id: str, grace: float) -> None:
        """TERM to every process of the dyno, KILL after `grace` seconds, then clear away what it left.

        With a `terminal` HUP too, as interactive shells ignore TERM. Stopped twice, the earlier end counts.
        Returns when it is gone. Quiet if there is no such dyno.
        """

    async def list(self) -> list[Instance]:
        """What truly runs or waits to be cleared, also after our own restart."""

    def watch(self) -> AsyncIterator[Instance]:
        """Every change of phase, at least once, from now on."""

    async def attach(self, id: str) -> Attachment:
        """Take the terminal of an attached dyno, which only one may have, once.

        Raises `NotFound` if there is no such dyno (any more), `Conflict` (`not_attachable`) if it was not started
        attached or its terminal is taken.
        """

    async def close(self) -> None:
        """Let go without stopping anything."""
