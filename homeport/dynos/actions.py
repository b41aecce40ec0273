"""What a plan is made of: things to do for one app, as values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from homeport.dynos.situation import Slot


class Why(Enum):
    """What ended a dyno, or is to end it."""

    EXITED = "exited"  # its process ended by itself
    LOST = "lost"  # its process is gone and nobody knows how: the machine went down
    UNBOUND = "unbound"
    UNHEALTHY = "unhealthy"
    UNSTARTABLE = "unstartable"
    SUPERSEDED = "superseded"  # its replacement is up, or must wait for it to go
    UNWANTED = "unwanted"  # its slot or its release is gone
    CYCLED = "cycled"  # its day is over
    NO_CLIENT = "no_client"  # nobody came to attach: R13
    HUNG_UP = "hung_up"  # its client is gone
    INTERRUPTED = "interrupted"  # the process that waited for it died


@dataclass(frozen=True)
class Create:
    """Decide on a dyno for this slot, which rests if it is `idle`, or is `woken`: it follows one that rested. What was
    remembered of the slot's crashes is about something else."""

    release_id: str
    slot: Slot
    idle: bool = False
    woken: bool = False


@dataclass(frozen=True)
class Replace:
    """Put a new dyno in the place of a crashed one whose delay is over, or (`cycle`) beside one whose day is."""

    id: str
    slot: Slot
    cycle: bool = False


@dataclass(frozen=True)
class Launch:
    id: str


@dataclass(frozen=True)
class Await:
    """Wait for it to be ready for requests."""

    id: str


@dataclass(frozen=True)
class MarkUp:
    id: str


@dataclass(frozen=True)
class MarkCrashed:
    """`counts`: it delays the slot's next try."""

    id: str
    why: Why
    exit_code: int | None
    counts: bool


@dataclass(frozen=True)
class Retire:
    """Tell it to go: no more requests, TERM, KILL."""

    id: str
    why: Why


@dataclass(frozen=True)
class Idle:
    """Put it to sleep: no more requests."""

    id: str


@dataclass(frozen=True)
class Rest:
    """It was put to sleep and its process is still there: TERM, KILL, but keep the row."""

    id: str


@dataclass(frozen=True)
class Stop:
    """It was told to go and still runs, and nobody is on it: finish that."""

    id: str


@dataclass(frozen=True)
class Clear:
    """Its process has ended, its folder and children may still be there."""

    id: str


@dataclass(frozen=True)
class Remove:
    """Nothing of it is left: forget the row."""

    id: str


@dataclass(frozen=True)
class Complete:
    """A one-off has ended."""

    id: str
    why: Why
    exit_code: int | None


@dataclass(frozen=True)
class ForgetCrashes:
    slot: str


Action = (
    Create
    | Replace
    | Launch
    | Await
    | MarkUp
    | MarkCrashed
    | Retire
    | Idle
    | Rest
    | Stop
    | Clear
    | Remove
    | Complete
    | ForgetCrashes
)
