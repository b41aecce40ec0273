"""A fleet without a machine: rows in a list, dynos that do what they are told, and the real plan between them.

It carries actions out as `homeport.dynos.hands` does, one step at a time, so that a test may let anything happen
between any two steps.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from homeport.dynos import backoff
from homeport.dynos.actions import (
    Action,
    Await,
    Clear,
    Complete,
    Create,
    ForgetCrashes,
    Idle,
    Launch,
    MarkCrashed,
    MarkUp,
    Remove,
    Replace,
    Rest,
    Retire,
    Stop,
)
from homeport.dynos.plan import Plan, Rules, plan
from homeport.dynos.situation import Facts, Gate, Generation, Row, Setback, Slot, Wanted
from homeport.dynos.states import State, change
from homeport.engine import Instance, Phase

START = datetime(2026, 1, 1, tzinfo=UTC)


def slots(size: str = "Basic", **quantities: int) -> tuple[Slot, ...]:
    return tuple(
        Slot(name, number, size, f"run {name}")
        for name, quantity in quantities.items()
        for number in range(1, quantity + 1)
    )


@dataclass
class ModelFleet:
    rules: Rules = field(default_factory=Rules)
    now: datetime = START
    current: Generation | None = None
    candidate: Generation | None = None
    size: str = "Basic"
    asleep: bool = False
    statuses: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    setbacks: dict[str, Setback] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)
    launching: list[str] = field(default_factory=list)
    stopping: list[str] = field(default_factory=list)
    gating: list[str] = field(default_factory=list)
    held: set[str] = field(default_factory=set)
    done: list[Action] = field(default_factory=list)
    launches: list[str] = field(default_factory=list)
    ids: itertools.count[int] = field(default_factory=itertools.count)

    # Deciding and acting

    def decide(self) -> Plan:
        facts = Facts(
            instances=dict(self.instances),
            gates=dict(self.gates),
            busy=frozenset(self.launching) | frozenset(self.stopping),
            gating=frozenset(self.gating),
            held=frozenset(self.held),
        )
        rows = [
            replace(row, on_trial=self.statuses.get(row.release_id, "succeeded") != "succeeded")
            for row in self.rows.values()
        ]
        return plan(Wanted(self.current, self.candidate, self.asleep), rows, facts, self.setbacks, self.now, self.rules)

    def step(self) -> bool:
        """Carry one plan out; whether it had anything to do."""
        actions = self.decide().actions
        for action in actions:
            self.carry_out(action)
        return bool(actions)

    def settle(self, most: int = 50) -> None:
        """Plan until there is nothing to do without waiting for something that is under way."""
        for _ in range(most):
            if not self.step():
                return
        raise AssertionError(f"the plan goes in circles: {self.decide().actions}")

    def finish(self, most: int = 200) -> None:
        """Until nothing is under way any more; every dyno behaves."""
        for _ in range(most):
            self.settle()
            if self.launching:
                self.launched(self.launching[0])
            elif self.gating:
                self.gated(self.gating[0], Gate.READY)
            elif self.stopping:
                self.stopped(self.stopping[0])
            else:
                return
        raise AssertionError("it never comes to rest")

    def carry_out(self, action: Action) -> None:
        self.done.append(action)
        match action:
            case Create(release_id, slot, idle):
                self.setbacks.pop(slot.name, None)
                row = self.add(slot.type, slot.name, release_id, size=slot.size)
                if idle:
                    self.rows[row.id] = replace(row, state=State.IDLE)
            case Replace(dyno_id, slot, cycle):
                old = self.rows[dyno_id] if cycle else self.rows.pop(dyno_id)
                self.add(slot.type, slot.name, old.release_id, size=slot.size)
            case Launch(dyno_id):
                assert dyno_id in self.rows
                self.launching.append(dyno_id)
                self.launches.append(dyno_id)
            case Await(dyno_id):
                self.gating.append(dyno_id)
            case MarkUp(dyno_id):
                self.mark(dyno_id, State.UP)
            case MarkCrashed(dyno_id, _, _, counts):
                self.mark(dyno_id, State.CRASHED)
                if counts:
                    self.count_crash(self.rows[dyno_id].name)
            case Retire(dyno_id, _):
                self.mark(dyno_id, State.DOWN)
            case Idle(dyno_id):
                self.mark(dyno_id, State.IDLE)
            case Rest(dyno_id) | Stop(dyno_id) | Clear(dyno_id):
                self.stopping.append(dyno_id)
            case Remove(dyno_id):
                assert dyno_id not in self.instances, "a row may go only after its process"
                del self.rows[dyno_id]
            case Complete(dyno_id, _, _):
                self.mark(dyno_id, State.COMPLETE)
                self.instances.pop(dyno_id, None)
                del self.rows[dyno_id]
            case ForgetCrashes(slot_name):
                del self.setbacks[slot_name]

    def mark(self, dyno_id: str, state: State) -> None:
        row = self.rows[dyno_id]
        self.rows[dyno_id] = replace(row, state=change(row.state, state), changed_at=self.now)
        if dyno_id in self.gating:
            self.gating.remove(dyno_id)

    def count_crash(self, slot: str) -> None:
        before = self.setbacks.get(slot)
        count = before.count + 1 if before else 1
        self.setbacks[slot] = Setback(count, self.now + backoff.delay(count))

    def add(self, type: str, name: str, release_id: str, *, size: str = "Basic", **more: bool) -> Row:
        self.now += timedelta(microseconds=1)
        dyno_id = f"{name}#{next(self.ids)}"
        row = Row(dyno_id, name, type, release_id, size, State.STARTING, self.now, self.now, **more)
        self.rows[dyno_id] = row
        return row

    # What happens in the world

    def launched(self, dyno_id: str) -> None:
        self.launching.remove(dyno_id)
        self.instances[dyno_id] = Instance(dyno_id, Phase.RUNNING, self.now)

    def launch_failed(self, dyno_id: str) -> None:
        self.launching.remove(dyno_id)
        self.gates[dyno_id] = Gate.UNSTARTABLE

    def gated(self, dyno_id: str, gate: Gate) -> None:
        self.gating.remove(dyno_id)
        self.gates[dyno_id] = gate

    def exited(self, dyno_id: str, code: int = 1) -> None:
        self.instances[dyno_id] = replace(self.instances[dyno_id], phase=Phase.EXITED, exit_code=code)

    def stopped(self, dyno_id: str) -> None:
        """As the hands do: a dyno that was told to go is forgotten once its process is gone."""
        self.stopping.remove(dyno_id)
        self.instances.pop(dyno_id, None)
        if self.rows[dyno_id].state is State.DOWN:
            del self.rows[dyno_id]

    def reboot(self) -> None:
        """The machine: nothing runs, and nobody works on anything."""
        self.instances.clear()
        self.restart_daemon()

    def restart_daemon(self) -> None:
        """Whoever worked on anything is gone. What was being launched may or may not have come to life."""
        self.launching.clear()
        self.stopping.clear()
        self.gating.clear()
        self.gates.clear()
        self.held.clear()
        self.candidate = None

    def release(self, name: str, **quantities: int) -> None:
        """A release that is current at once: a config change, a rollback. It is awake."""
        self.statuses[name] = "succeeded"
        self.current = Generation(name, slots(self.size, **quantities))
        self.asleep = False

    def try_release(self, name: str, **quantities: int) -> None:
        self.statuses[name] = "pending"
        self.candidate = Generation(name, tuple(slot for slot in slots(self.size, **quantities) if slot.type == "web"))

    def succeed(self, **quantities: int) -> None:
        assert self.candidate is not None
        self.release(self.candidate.release_id, **quantities)
        self.candidate = None

    def fail(self) -> None:
        assert self.candidate is not None
        self.statuses[self.candidate.release_id] = "failed"
        self.candidate = None

    # What can be seen

    def running(self, name: str) -> list[Row]:
        return [
            row
            for row in self.rows.values()
            if row.name == name and row.id in self.instances and self.instances[row.id].phase is Phase.RUNNING
        ]

    def serving(self, name: str) -> list[Row]:
        return [
            row
            for row in self.running(name)
            if row.state is State.UP and self.statuses.get(row.release_id, "succeeded") == "succeeded"
        ]

    def states(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for row in self.rows.values():
            found.setdefault(row.name, []).append(f"{row.release_id} {row.state.value}")
        return found

    def only(self, name: str) -> Row:
        (row,) = [row for row in self.rows.values() if row.name == name]
        return row
