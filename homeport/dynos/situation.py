"""What a plan is made from: the wish, the rows, what is known beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from homeport.dynos import sizes
from homeport.dynos.states import State
from homeport.engine import Instance


@dataclass(frozen=True)
class Slot:
    """One place of the formation: `web.1`."""

    type: str
    number: int
    size: str
    command: str

    @property
    def name(self) -> str:
        return f"{self.type}.{self.number}"

    @property
    def sleeps(self) -> bool:
        return sizes.find(self.size).sleeps


@dataclass(frozen=True)
class Generation:
    """The slots that should be filled with dynos of one release."""

    release_id: str
    slots: tuple[Slot, ...] = ()


@dataclass(frozen=True)
class Wanted:
    """`candidate` is a pending release whose web dynos are to come up beside the current ones. `asleep`: those of the
    current slots that sleep are to rest now."""

    current: Generation | None
    candidate: Generation | None = None
    asleep: bool = False


@dataclass(frozen=True)
class Row:
    """A dyno as the database has it. `unclaimed`: attached, and its client has not come yet."""

    id: str
    name: str
    type: str
    release_id: str
    size: str
    state: State
    created_at: datetime
    changed_at: datetime
    one_off: bool = False
    on_trial: bool = False  # its release is not (or will never be) in force: it must not serve
    attached: bool = False
    unclaimed: bool = False


@dataclass(frozen=True)
class Setback:
    """The memory of a slot's crashes in a row."""

    count: int
    retry_at: datetime


class Gate(Enum):
    """What became of waiting for a starting dyno."""

    READY = "ready"  # it takes requests
    UNBOUND = "unbound"  # nothing listened on $PORT in time: R10
    UNHEALTHY = "unhealthy"  # its health path did not answer as it should in time
    UNSTARTABLE = "unstartable"  # the engine could not start it at all


@dataclass(frozen=True)
class Facts:
    """What is known beside the rows. Ids are those of rows.

    `busy`: somebody is starting or stopping it just now; `gating`: somebody waits for it to be ready; `held`: somebody
    in this process lives with it (a client's session, a release phase) and would notice its end.
    """

    instances: Mapping[str, Instance] = field(default_factory=dict)
    gates: Mapping[str, Gate] = field(default_factory=dict)
    busy: frozenset[str] = frozenset()
    gating: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()
