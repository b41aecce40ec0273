"""Whatever happens in whatever order: no web slot falls silent, no worker meets its double, all comes to rest."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from homeport.dynos.actions import Create, MarkUp, Replace
from homeport.dynos.situation import Gate
from homeport.dynos.states import State
from homeport.engine import Phase
from tests.unit.dynos.model_fleet import ModelFleet

picks = st.integers(min_value=0, max_value=1_000)


class Machine(RuleBasedStateMachine):
    """Rules are what the world and people do; between them the plan is asked, or not, as often as it happens.

    A dyno that is up stays up unless somebody stops it: so only the platform could make a slot fall silent.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fleet = ModelFleet(size="Eco")
        self.releases = 0
        self.quantities = {"web": 1, "worker": 1}
        self.silent = {"web.1", "web.2", "web.3"}  # slots that need not serve: they never did, or were stopped

    @initialize(web=st.integers(1, 3), worker=st.integers(0, 2))
    def deploy_first(self, web: int, worker: int) -> None:
        self.quantities = {"web": web, "worker": worker}
        self.release()

    def name(self) -> str:
        self.releases += 1
        return f"v{self.releases}"

    # People

    @rule()
    def release(self) -> None:
        self.fleet.release(self.name(), **self.quantities)

    @precondition(lambda self: self.fleet.current is not None)
    @rule(web=st.integers(0, 3), worker=st.integers(0, 2))
    def scale(self, web: int, worker: int) -> None:
        fleet, current = self.fleet, self.fleet.current
        assert current is not None
        self.quantities = {"web": web, "worker": worker}
        fleet.release(current.release_id, **self.quantities)
        if fleet.candidate is not None:
            fleet.try_release(fleet.candidate.release_id, **self.quantities)
        self.silent |= {f"web.{n}" for n in range(web + 1, 4)}

    @precondition(lambda self: self.fleet.candidate is None)
    @rule()
    def try_release(self) -> None:
        self.fleet.try_release(self.name(), **self.quantities)

    @precondition(lambda self: self.fleet.candidate is not None)
    @rule()
    def end_rollout(self) -> None:
        """As `rollout` does: it succeeds when all candidates are up, and fails when one has crashed."""
        fleet = self.fleet
        assert fleet.candidate is not None
        mine = {row.name: row.state for row in fleet.rows.values() if row.release_id == fleet.candidate.release_id}
        if State.CRASHED in mine.values():
            fleet.fail()
        elif all(mine.get(slot.name) is State.UP for slot in fleet.candidate.slots):
            fleet.succeed(**self.quantities)

    @rule(pick=picks)
    def restart(self, pick: int) -> None:
        """As `orders.restart` does."""
        fleet = self.fleet
        live = [row for row in fleet.rows.values() if row.state is not State.DOWN]
        if not live:
            return
        row = live[pick % len(live)]
        fleet.asleep = False
        if row.type == "web" and row.state is State.UP:
            if fleet.current is not None and row.release_id == fleet.current.release_id:
                fleet.add(row.type, row.name, row.release_id)
        else:
            fleet.mark(row.id, State.DOWN)

    @precondition(lambda self: self.fleet.current is not None)
    @rule()
    def fall_asleep(self) -> None:
        """As `idling.fall_asleep` does: only when all web dynos are up, and nothing else of their names is there."""
        fleet = self.fleet
        assert fleet.current is not None
        wanted = {slot.name for slot in fleet.current.slots if slot.type == "web"}
        web = [row for row in fleet.rows.values() if row.type == "web"]
        settled = all(row.state is State.UP and row.release_id == fleet.current.release_id for row in web)
        if wanted and settled and sorted(row.name for row in web) == sorted(wanted):
            fleet.asleep = True
            self.silent |= wanted

    @rule()
    def wake(self) -> None:
        self.fleet.asleep = False

    @rule(pick=picks)
    def stop(self, pick: int) -> None:
        fleet = self.fleet
        if fleet.rows:
            name = sorted({row.name for row in fleet.rows.values()})[pick % len({r.name for r in fleet.rows.values()})]
            for row in list(fleet.rows.values()):
                if row.name == name and row.state is not State.DOWN:
                    fleet.mark(row.id, State.DOWN)
            self.silent.add(name)

    # The world

    @rule()
    def look(self) -> None:
        self.fleet.step()

    @rule(pick=picks)
    def launched(self, pick: int) -> None:
        if launching := self.fleet.launching:
            self.fleet.launched(launching[pick % len(launching)])

    @rule(pick=picks)
    def launch_failed(self, pick: int) -> None:
        if launching := self.fleet.launching:
            self.fleet.launch_failed(launching[pick % len(launching)])

    @rule(pick=picks, gate=st.sampled_from([Gate.READY, Gate.READY, Gate.UNBOUND, Gate.UNHEALTHY]))
    def gated(self, pick: int, gate: Gate) -> None:
        if gating := self.fleet.gating:
            self.fleet.gated(gating[pick % len(gating)], gate)

    @rule(pick=picks)
    def crashes_at_boot(self, pick: int) -> None:
        starting = [
            row
            for row in self.fleet.rows.values()
            if row.state is State.STARTING
            and row.id in self.fleet.instances
            # not when it was found ready and only the mark is missing: then it counts as up
            and self.fleet.gates.get(row.id) is not Gate.READY
        ]
        if starting:
            self.fleet.exited(starting[pick % len(starting)].id)

    @rule(pick=picks)
    def stopped(self, pick: int) -> None:
        if stopping := self.fleet.stopping:
            self.fleet.stopped(stopping[pick % len(stopping)])

    @rule(seconds=st.sampled_from([1, 10, 100, 1000, 100_000]))
    def time_passes(self, seconds: int) -> None:
        self.fleet.now += timedelta(seconds=seconds)

    @rule()
    def daemon_restarts(self) -> None:
        # What it was launching came to life or did not: here it did.
        for dyno_id in list(self.fleet.launching):
            self.fleet.launched(dyno_id)
        self.fleet.restart_daemon()

    # What must hold

    @invariant()
    def no_web_slot_falls_silent(self) -> None:
        fleet = self.fleet
        for number in range(1, 4):
            name = f"web.{number}"
            if fleet.serving(name) and not fleet.asleep:
                if number <= self.quantities["web"]:
                    self.silent.discard(name)
            elif not fleet.asleep:
                assert name in self.silent, f"{name}: {fleet.states().get(name)}, {fleet.done[-5:]}"

    @invariant()
    def no_worker_meets_its_double(self) -> None:
        fleet = self.fleet
        alive: dict[str, list[str]] = {}
        for row in fleet.rows.values():
            instance = fleet.instances.get(row.id)
            runs = instance is not None and instance.phase is Phase.RUNNING
            if row.type == "worker" and (runs or row.id in fleet.launching):
                alive.setdefault(row.name, []).append(row.id)
        assert all(len(ids) == 1 for ids in alive.values()), alive

    @invariant()
    def nothing_is_started_for_an_app_that_sleeps(self) -> None:
        fleet = self.fleet
        current = fleet.current.release_id if fleet.current is not None and fleet.asleep else None
        for action in fleet.decide().actions:
            assert not (isinstance(action, Replace) and fleet.rows[action.id].release_id == current)
            assert not (isinstance(action, Create) and action.release_id == current and not action.idle)

    @invariant()
    def nobody_is_up_twice_at_rest(self) -> None:
        """Every action is about a dyno that is there: `ModelFleet` raises otherwise, and for illegal transitions."""
        assert not [
            action
            for action in self.fleet.decide().actions
            if isinstance(action, MarkUp) and self.fleet.rows[action.id].state is not State.STARTING
        ]

    def teardown(self) -> None:
        """However it began, it ends as it should be, once everything behaves."""
        fleet = self.fleet
        if fleet.current is None:
            return
        if fleet.candidate is not None:
            fleet.fail()
        fleet.gates.clear()
        fleet.asleep = False
        fleet.finish()
        for _ in range(10):  # crashes that are over: their delays pass
            fleet.now += timedelta(minutes=11)
            fleet.finish()
        expected = {slot.name: [f"{fleet.current.release_id} up"] for slot in fleet.current.slots}
        assert fleet.states() == expected
        assert set(fleet.instances) == set(fleet.rows)


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
TestPlanUnderAnyEvents = Machine.TestCase
