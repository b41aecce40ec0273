"""What to do next, decided from what should run and what does. Pure: no clock, no database, no engine.

The rules in one place (https://devcenter.heroku.com/articles/dyno-restarts, …/dyno-shutdown-behavior, …/preboot):

- A web slot is replaced without a gap: the new dyno is up before the old one is told to go.
- Every other slot is a singleton: the old dyno is gone before the new one starts.
- A dyno that ends without being told to has crashed, whatever its exit code, and is tried again after a delay.
- The dynos of a candidate release run beside the current ones, are tried once, and serve nobody yet.
- A one-off dyno that has run is never started again.
- While an app is asleep its Eco dynos rest: their rows stay, nothing of them runs. Awake, new ones take their places
  (https://devcenter.heroku.com/articles/eco-dyno-hours#dyno-sleeping).

`plan` looks at one app. It is called again after its actions were carried out, until it returns none.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
    Why,
)
from homeport.dynos.situation import Facts, Gate, Generation, Row, Setback, Slot, Wanted
from homeport.dynos.states import State
from homeport.engine import Instance, Phase


@dataclass(frozen=True)
class Rules:
    """The limits that the plan knows, all Heroku's but `surge` and `stable`."""

    surge: int = 4  # web dynos of one app that boot at the same time
    stable: timedelta = timedelta(minutes=5)  # up for so long, its crashes are forgotten
    await_client: timedelta = timedelta(minutes=1)  # for `heroku run` to connect
    cycle: timedelta = timedelta(hours=24)
    cycle_spread: timedelta = timedelta(minutes=216)


@dataclass(frozen=True)
class Plan:
    """`again_at`: when time alone will change the answer."""

    actions: tuple[Action, ...]
    again_at: datetime | None = None


def plan(
    wanted: Wanted,
    rows: Sequence[Row],
    facts: Facts,
    setbacks: Mapping[str, Setback],
    now: datetime,
    rules: Rules = Rules(),
) -> Plan:
    """The next actions for one app, all of which may be carried out in this order."""
    view = _View(wanted, facts, setbacks, now, rules)
    actions = [*view.one_offs(row for row in rows if row.one_off)]
    actions += view.formation([row for row in rows if not row.one_off])
    return Plan(tuple(view.within_surge(actions, rows)), min(view.alarms, default=None))


class _View:
    """The arguments of one call of `plan`, and the alarms it sets on the way."""

    def __init__(
        self, wanted: Wanted, facts: Facts, setbacks: Mapping[str, Setback], now: datetime, rules: Rules
    ) -> None:
        self.wanted = wanted
        self.facts = facts
        self.setbacks = setbacks
        self.now = now
        self.rules = rules
        self.alarms: list[datetime] = []

    def due(self, at: datetime) -> bool:
        """Whether this time has come; if not, `plan` wants to be asked again then."""
        if self.now >= at:
            return True
        self.alarms.append(at)
        return False

    def instance(self, row: Row) -> Instance | None:
        return self.facts.instances.get(row.id)

    # The formation

    def formation(self, rows: Sequence[Row]) -> Iterator[Action]:
        current, candidate = self.wanted.current, self.wanted.candidate
        if candidate is not None and current is not None and candidate.release_id == current.release_id:
            candidate = None
        tried = [row for row in rows if candidate is not None and row.release_id == candidate.release_id]
        settled = [row for row in rows if row not in tried]
        by_slot: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(settled, key=lambda row: (row.created_at, row.id)):
            by_slot[row.name].append(row)
        if current is not None:
            for slot in current.slots:
                yield from self.slot(slot, current.release_id, by_slot.pop(slot.name, []))
        for row in (row for rest in by_slot.values() for row in rest):
            yield from self.dismiss(row, Why.UNWANTED)
        if candidate is not None:
            yield from self.candidates(candidate, tried)

    def slot(self, slot: Slot, release_id: str, rows: Sequence[Row]) -> Iterator[Action]:
        """Fill one slot. `rows` are all that bear its name, oldest first."""
        rests = self.wanted.asleep and slot.sleeps
        gone = (State.DOWN,) if rests else (State.DOWN, State.IDLE)
        fitting = [
            row for row in rows if row.release_id == release_id and row.size == slot.size and row.state not in gone
        ]
        target = fitting[-1] if fitting else None
        others = [row for row in rows if row is not target]
        yield from self.make_way(slot, target, others, rests=rests)
        if target is None:
            if slot.type == "web" or not any(self.present(row) for row in others):
                woken = any(row.state is State.IDLE for row in others)
                yield Create(release_id, slot, idle=rests, woken=woken and not rests)
        elif rests and target.state is not State.STARTING:
            yield from self.rest(target)
        elif target.state is State.CRASHED:
            yield from self.crashed(slot, target)
        elif slot.type == "web" or not any(self.present(row) for row in others):
            yield from self.progress(target, counts=True)
            yield from self.content(slot, target)

    def make_way(self, slot: Slot, target: Row | None, others: Sequence[Row], *, rests: bool) -> Iterator[Action]:
        """Let go of what is not the target, but of the last one that serves only when the target does or rests."""
        serving = [row for row in others if row.state is State.UP and not row.on_trial and self.runs(row)]
        last = serving[-1] if serving else None
        taken_over = rests or (target is not None and target.state is State.UP and self.runs(target))
        for row in others:
            if slot.type != "web" or taken_over or row is not last:
                yield from self.dismiss(row, Why.SUPERSEDED)

    def runs(self, row: Row) -> bool:
        instance = self.instance(row)
        return instance is not None and instance.phase is Phase.RUNNING

    def present(self, row: Row) -> bool:
        return row.id in self.facts.instances or row.id in self.facts.busy

    def rest(self, row: Row) -> Iterator[Action]:
        """What sleeps is neither kept running nor tried again."""
        if row.id in self.facts.busy:
            return
        if row.state is State.UP and self.runs(row):
            yield Idle(row.id)
        elif row.state is State.UP:
            yield from self.progress(row, counts=False)
        elif self.instance(row) is not None:
            yield Rest(row.id) if row.state is State.IDLE else Clear(row.id)

    def crashed(self, slot: Slot, row: Row) -> Iterator[Action]:
        if row.id in self.facts.busy:
            return
        if self.instance(row) is not None:
            yield Clear(row.id)
            return
        setback = self.setbacks.get(slot.name)
        if setback is None or self.due(setback.retry_at):
            yield Replace(row.id, slot)

    def content(self, slot: Slot, row: Row) -> Iterator[Action]:
        """What time brings to a dyno that is up."""
        if row.state is not State.UP or row.id in self.facts.busy or not self.runs(row):
            return
        if slot.name in self.setbacks and self.due(row.changed_at + self.rules.stable):
            yield ForgetCrashes(slot.name)
        if self.due(self.end_of_day(row)):
            yield Replace(row.id, slot, cycle=True) if slot.type == "web" else Retire(row.id, Why.CYCLED)

    def end_of_day(self, row: Row) -> datetime:
        """A day and a part of 216 minutes that is the dyno's own, so that not all go at once."""
        part = zlib.crc32(row.id.encode()) / 0xFFFFFFFF
        return row.created_at + self.rules.cycle + part * self.rules.cycle_spread

    def candidates(self, candidate: Generation, rows: Sequence[Row]) -> Iterator[Action]:
        live: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            live[row.name].append(row)
        for slot in candidate.slots:
            mine = live.pop(slot.name, [])
            for row in mine:
                if row.state is State.DOWN or row.size != slot.size:
                    yield from self.dismiss(row, Why.UNWANTED)
                elif row.state is not State.CRASHED:
                    yield from self.progress(row, counts=False)
            if not mine:
                yield Create(candidate.release_id, slot)
        for row in (row for rest in live.values() for row in rest):
            yield from self.dismiss(row, Why.UNWANTED)

    # One row

    def progress(self, row: Row, *, counts: bool) -> Iterator[Action]:
        """Move a dyno that is wanted along: launched, up, or found to have ended."""
        if row.id in self.facts.busy:
            return
        instance, gate = self.instance(row), self.facts.gates.get(row.id)
        if gate is Gate.UNSTARTABLE:
            yield MarkCrashed(row.id, Why.UNSTARTABLE, None, counts)
        elif instance is None:
            if row.state is State.STARTING:
                yield Launch(row.id)
            else:
                yield MarkCrashed(row.id, Why.LOST, None, counts)
        elif instance.phase is Phase.EXITED:
            yield MarkCrashed(row.id, Why.EXITED, instance.exit_code, counts)
        elif row.state is State.STARTING:
            yield from self.gate(row, gate, counts=counts)

    def gate(self, row: Row, gate: Gate | None, *, counts: bool) -> Iterator[Action]:
        if row.type != "web" or gate is Gate.READY:
            yield MarkUp(row.id)
        elif gate is None:
            if row.id not in self.facts.gating:
                yield Await(row.id)
        else:
            yield MarkCrashed(row.id, Why.UNBOUND if gate is Gate.UNBOUND else Why.UNHEALTHY, None, counts)

    def dismiss(self, row: Row, why: Why) -> Iterator[Action]:
        """Move a dyno that is not wanted any more towards its end."""
        if row.id in self.facts.busy:
            return
        instance = self.instance(row)
        if row.state in (State.DOWN, State.IDLE):
            yield Stop(row.id) if instance is not None else Remove(row.id)
        elif row.state is State.CRASHED:
            yield Clear(row.id) if instance is not None else Remove(row.id)
        elif instance is None and row.state is State.STARTING:
            yield Remove(row.id)
        elif instance is None:
            yield MarkCrashed(row.id, Why.LOST, None, counts=False)
        elif instance.phase is Phase.EXITED:
            yield MarkCrashed(row.id, Why.EXITED, instance.exit_code, counts=False)
        else:
            yield Retire(row.id, why)

    # One-off dynos

    def one_offs(self, rows: Iterable[Row]) -> Iterator[Action]:
        for row in rows:
            if row.id in self.facts.busy:
                continue
            if row.state is State.DOWN:
                yield from self.dismiss(row, Why.UNWANTED)
            elif row.attached:
                yield from self.attached(row)
            elif row.type == "release" and row.id not in self.facts.held:
                yield from self.end(row, Why.INTERRUPTED)
            else:
                yield from self.detached(row)

    def attached(self, row: Row) -> Iterator[Action]:
        """Launched and marked up by the session of its client, which also reads its output to the end."""
        if row.unclaimed:
            if self.due(row.created_at + self.rules.await_client):
                yield Complete(row.id, Why.NO_CLIENT, None)
        elif row.id not in self.facts.held:
            yield from self.end(row, Why.HUNG_UP)
        elif self.runs(row) and self.due(self.end_of_day(row)):
            yield Retire(row.id, Why.CYCLED)

    def end(self, row: Row, why: Why) -> Iterator[Action]:
        """Nobody waits for this one any more."""
        instance = self.instance(row)
        if instance is None:
            yield Complete(row.id, why, None)
        elif instance.phase is Phase.RUNNING:
            yield Retire(row.id, why)
        else:
            yield Complete(row.id, Why.INTERRUPTED if why is Why.INTERRUPTED else Why.EXITED, instance.exit_code)

    def detached(self, row: Row) -> Iterator[Action]:
        instance = self.instance(row)
        if self.facts.gates.get(row.id) is Gate.UNSTARTABLE:
            yield Complete(row.id, Why.UNSTARTABLE, None)
        elif instance is None:
            yield Launch(row.id) if row.state is State.STARTING else Complete(row.id, Why.LOST, None)
        elif row.state is State.STARTING:
            yield MarkUp(row.id)  # also when it was over before anybody looked
        elif instance.phase is Phase.EXITED:
            yield Complete(row.id, Why.EXITED, instance.exit_code)
        elif self.due(self.end_of_day(row)):
            yield Retire(row.id, Why.CYCLED)

    def within_surge(self, actions: Iterable[Action], rows: Sequence[Row]) -> Iterator[Action]:
        """Hold back launches of web dynos while enough of them boot already; each that is up makes room."""
        web = {row.id for row in rows if row.type == "web" and not row.one_off and row.state is State.STARTING}
        room = self.rules.surge - sum(dyno in self.facts.instances or dyno in self.facts.busy for dyno in web)
        for action in actions:
            if isinstance(action, Launch) and action.id in web:
                if room <= 0:
                    continue
                room -= 1
            yield action
