"""What the plan decides, told as stories: what should run, what happens, what follows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from homeport.dynos.actions import (
    Complete,
    Create,
    ForgetCrashes,
    MarkCrashed,
    Remove,
    Replace,
    Retire,
    Stop,
    Why,
)
from homeport.dynos.plan import Plan, Rules
from homeport.dynos.situation import Gate, Generation, Setback, Slot
from homeport.dynos.states import IllegalTransition, State, change
from tests.unit.dynos.model_fleet import ModelFleet, slots


def fleet(**quantities: int) -> ModelFleet:
    """Everything of release v1 is up."""
    made = ModelFleet()
    made.release("v1", **quantities)
    made.finish()
    made.done.clear()
    return made


def kinds(made: ModelFleet) -> list[str]:
    return [type(action).__name__ for action in made.done]


def test_an_app_without_code_runs_nothing() -> None:
    assert ModelFleet().decide().actions == ()
    assert ModelFleet(current=Generation("v1")).decide().actions == ()


def test_a_first_web_dyno_is_decided_launched_awaited_and_up() -> None:
    made = ModelFleet()
    made.release("v1", web=1)
    made.finish()
    assert kinds(made) == ["Create", "Launch", "Await", "MarkUp"]
    assert made.states() == {"web.1": ["v1 up"]}


def test_a_worker_is_up_as_soon_as_it_runs() -> None:
    made = ModelFleet()
    made.release("v1", worker=1)
    made.finish()
    assert kinds(made) == ["Create", "Launch", "MarkUp"]


def test_nothing_is_done_while_all_is_well() -> None:
    assert fleet(web=3, worker=2).decide().actions == ()


def test_web_dynos_boot_a_few_at_a_time() -> None:
    made = ModelFleet(rules=Rules(surge=2))
    made.release("v1", web=5, worker=3)
    made.settle()
    launching = [dyno_id.split("#")[0] for dyno_id in made.launching]
    assert launching == ["web.1", "web.2", "worker.1", "worker.2", "worker.3"]
    made.launched(made.launching[0])
    made.settle()
    assert len([dyno_id for dyno_id in made.launching if dyno_id.startswith("web")]) == 1, "it still boots"
    made.gated(made.gating[0], Gate.READY)
    made.settle()
    assert [dyno_id.split("#")[0] for dyno_id in made.launching if dyno_id.startswith("web")] == ["web.2", "web.3"]


class TestReplacing:
    def test_the_old_web_dyno_serves_until_the_new_one_is_up(self) -> None:
        made = fleet(web=1)
        made.release("v2", web=1)
        made.settle()
        made.launched(made.launching[0])
        made.settle()
        assert made.states() == {"web.1": ["v1 up", "v2 starting"]}
        made.gated(made.gating[0], Gate.READY)
        made.settle()
        assert made.states() == {"web.1": ["v1 down", "v2 up"]}
        made.finish()
        assert made.states() == {"web.1": ["v2 up"]}

    def test_the_old_web_dyno_goes_on_when_the_new_one_crashes_at_boot(self) -> None:
        made = fleet(web=1)
        made.release("v2", web=1)
        made.settle()
        made.launched(made.launching[0])
        made.settle()
        (new,) = made.gating
        made.exited(new, 3)
        made.settle()
        assert made.states() == {"web.1": ["v1 up", "v2 crashed"]}
        assert MarkCrashed(new, Why.EXITED, 3, counts=True) in made.done

    def test_the_old_web_dyno_goes_on_when_the_new_one_ends_as_soon_as_it_is_up(self) -> None:
        made = fleet(web=1)
        made.release("v2", web=1)
        made.settle()
        made.launched(made.launching[0])
        made.settle()
        made.gated(made.gating[0], Gate.READY)
        made.step()
        made.exited(made.launches[-1])
        made.settle()
        assert made.states() == {"web.1": ["v1 up", "v2 crashed"]}

    def test_a_release_that_comes_while_another_starts_takes_its_place(self) -> None:
        made = fleet(web=1)
        made.release("v2", web=1)
        made.settle()
        made.launched(made.launching[0])
        made.settle()
        made.release("v3", web=1)
        made.settle()
        assert made.states() == {"web.1": ["v1 up", "v2 down", "v3 starting"]}
        made.finish()
        assert made.states() == {"web.1": ["v3 up"]}

    def test_of_two_old_dynos_that_serve_the_younger_stays(self) -> None:
        made = fleet(web=1)
        made.release("v2", web=1)
        made.settle()
        made.launched(made.launching[0])
        made.settle()
        made.gated(made.gating[0], Gate.READY)
        made.step()  # v2 is marked up, and before v1 is told to go there is v3
        assert made.states() == {"web.1": ["v1 up", "v2 up"]}
        made.release("v3", web=1)
        made.settle()
        assert made.states() == {"web.1": ["v1 down", "v2 up", "v3 starting"]}

    def test_a_worker_starts_only_when_its_predecessor_is_gone(self) -> None:
        made = fleet(worker=1)
        made.release("v2", worker=1)
        made.settle()
        assert made.states() == {"worker.1": ["v1 down"]}
        assert made.stopping
        made.stopped(made.stopping[0])
        made.settle()
        assert made.states() == {"worker.1": ["v2 starting"]}

    def test_a_new_size_replaces_too(self) -> None:
        made = fleet(web=1)
        made.current = Generation("v1", (Slot("web", 1, "Standard-2X", "run web"),))
        made.finish()
        assert [(row.size, row.state) for row in made.rows.values()] == [("Standard-2X", State.UP)]

    def test_scaling_down_takes_the_last_ones(self) -> None:
        made = fleet(web=3, worker=1)
        made.release("v1", web=1, worker=0)
        made.finish()
        assert made.states() == {"web.1": ["v1 up"]}
        assert {action.why for action in made.done if isinstance(action, Retire)} == {Why.UNWANTED}

    def test_scaling_down_while_one_still_starts(self) -> None:
        made = fleet(web=1)
        made.release("v1", web=2)
        made.settle()
        made.release("v1", web=0)
        made.finish()
        assert made.states() == {}
        assert made.instances == {}

    def test_a_younger_twin_in_a_slot_takes_over(self) -> None:
        """That is how `ps:restart` asks for a replacement without a gap."""
        made = fleet(web=1)
        old = made.only("web.1")
        made.add("web", "web.1", "v1")
        made.settle()
        assert made.states() == {"web.1": ["v1 up", "v1 starting"]}
        made.finish()
        assert made.only("web.1").id != old.id

    def test_a_dyno_that_was_told_to_go_is_replaced_at_once(self) -> None:
        made = fleet(web=1, worker=1)
        for row in list(made.rows.values()):
            made.mark(row.id, State.DOWN)
        made.settle()
        assert made.states() == {"web.1": ["v1 down", "v1 starting"], "worker.1": ["v1 down"]}
        made.finish()
        assert made.states() == {"web.1": ["v1 up"], "worker.1": ["v1 up"]}


class TestCandidates:
    def test_a_candidate_comes_up_beside_what_serves(self) -> None:
        made = fleet(web=2, worker=1)
        made.try_release("v2", web=2, worker=1)
        made.finish()
        assert made.states() == {
            "web.1": ["v1 up", "v2 up"],
            "web.2": ["v1 up", "v2 up"],
            "worker.1": ["v1 up"],
        }
        assert not any(row.release_id == "v2" for name in ("web.1", "web.2") for row in made.serving(name))
        made.succeed(web=2, worker=1)
        made.finish()
        assert made.states() == {"web.1": ["v2 up"], "web.2": ["v2 up"], "worker.1": ["v2 up"]}

    def test_a_candidate_is_tried_once(self) -> None:
        made = fleet(web=1)
        made.try_release("v2", web=1)
        made.settle()
        made.launched(made.launching[0])
        made.settle()
        made.exited(made.gating[0])
        made.settle()
        made.now += timedelta(hours=1)
        made.settle()
        assert made.states() == {"web.1": ["v1 up", "v2 crashed"]}
        assert made.setbacks == {}, "its crash says nothing about the release that serves"

    def test_a_failed_candidate_is_cleared_away(self) -> None:
        made = fleet(web=2)
        made.try_release("v2", web=2)
        made.settle()
        made.launched(made.launching[0])
        made.settle()
        made.gated(made.gating[0], Gate.READY)
        made.launch_failed(made.launching[0])
        made.settle()
        made.fail()
        made.finish()
        assert made.states() == {"web.1": ["v1 up"], "web.2": ["v1 up"]}
        assert len(made.instances) == 2

    def test_a_failed_candidate_never_stands_in_for_a_crashed_dyno(self) -> None:
        made = fleet(web=1)
        made.try_release("v2", web=1)
        made.finish()
        old = next(row for row in made.rows.values() if row.release_id == "v1")
        _setback(made, 5)
        made.exited(old.id)
        made.settle()
        made.fail()
        made.settle()
        assert made.states()["web.1"] == ["v1 crashed", "v2 down"]

    def test_the_first_release_ever(self) -> None:
        made = ModelFleet(current=Generation("v1"))
        made.try_release("v2", web=1)
        made.finish()
        assert made.states() == {"web.1": ["v2 up"]}
        made.succeed(web=1, worker=1)
        made.finish()
        assert made.states() == {"web.1": ["v2 up"], "worker.1": ["v2 up"]}
        assert made.launches == ["web.1#0", "worker.1#1"], "what was up already is kept"

    def test_a_candidate_that_is_scaled_down_while_it_starts(self) -> None:
        made = fleet(web=2)
        made.try_release("v2", web=2)
        made.finish()
        made.release("v1", web=1)
        made.candidate = Generation("v2", (Slot("web", 1, "Basic", "run web"),))
        made.finish()
        assert made.states() == {"web.1": ["v1 up", "v2 up"]}

    def test_a_config_change_during_a_rollout(self) -> None:
        made = fleet(web=1)
        made.try_release("v2", web=1)
        made.settle()
        made.release("v3", web=1)
        made.finish()
        assert made.states() == {"web.1": ["v2 up", "v3 up"]}
        made.succeed(web=1)
        made.finish()
        assert made.states() == {"web.1": ["v2 up"]}

    def test_a_rollout_that_was_forgotten_is_cleared_away(self) -> None:
        made = fleet(web=1)
        made.try_release("v2", web=1)
        made.finish()
        made.restart_daemon()
        made.finish()
        assert made.states() == {"web.1": ["v1 up"]}


def _setback(made: ModelFleet, count: int) -> Setback:
    for _ in range(count):
        made.count_crash("web.1")
    return made.setbacks["web.1"]


class TestCrashes:
    def test_the_first_crash_is_followed_by_a_new_try_at_once(self) -> None:
        made = fleet(web=1)
        made.exited(made.only("web.1").id, 0)
        made.finish()
        assert made.states() == {"web.1": ["v1 up"]}
        assert made.setbacks["web.1"].count == 1
        assert kinds(made)[:3] == ["MarkCrashed", "Clear", "Replace"]

    def test_more_crashes_wait_longer_and_longer(self) -> None:
        made = fleet(worker=1)
        waits = []
        for _ in range(9):
            made.exited(made.only("worker.1").id)
            crashed_at = made.now
            made.settle()
            made.stopped(made.stopping[0])
            made.settle()
            if made.only("worker.1").state is State.CRASHED:
                again_at = made.decide().again_at
                assert again_at is not None
                made.now = again_at
            waits.append(round((made.now - crashed_at).total_seconds()))
            made.finish()
        assert waits == [0, 5, 10, 20, 40, 80, 160, 320, 600]

    def test_crashes_are_forgotten_after_a_good_while(self) -> None:
        made = fleet(web=1)
        made.exited(made.only("web.1").id)
        made.finish()
        soon = made.decide()
        assert soon.actions == ()
        assert soon.again_at is not None
        made.now = soon.again_at
        assert ForgetCrashes("web.1") in made.decide().actions
        assert soon.again_at - made.only("web.1").changed_at == made.rules.stable

    def test_crashes_are_forgotten_by_a_new_release(self) -> None:
        made = fleet(web=1)
        _setback(made, 6)
        made.exited(made.only("web.1").id)
        made.settle()
        made.release("v2", web=1)
        made.finish()
        assert made.states() == {"web.1": ["v2 up"]}
        assert made.setbacks == {}

    @pytest.mark.parametrize(("gate", "why"), [(Gate.UNBOUND, Why.UNBOUND), (Gate.UNHEALTHY, Why.UNHEALTHY)])
    def test_a_web_dyno_that_does_not_get_ready_has_crashed_and_is_ended(self, gate: Gate, why: Why) -> None:
        made = ModelFleet()
        made.release("v1", web=1)
        made.settle()
        made.launched(made.launching[0])
        made.settle()
        (dyno_id,) = made.gating
        made.gated(dyno_id, gate)
        made.settle()
        assert MarkCrashed(dyno_id, why, None, counts=True) in made.done
        assert made.stopping == [dyno_id]

    def test_a_dyno_that_cannot_be_started_has_crashed(self) -> None:
        made = ModelFleet()
        made.release("v1", web=1, worker=1)
        made.settle()
        for dyno_id in list(made.launching):
            made.launch_failed(dyno_id)
        made.settle()
        crashes = [action for action in made.done if isinstance(action, MarkCrashed)]
        assert [action.why for action in crashes] == [Why.UNSTARTABLE, Why.UNSTARTABLE]

    def test_after_a_reboot_of_the_machine_everything_is_started_again(self) -> None:
        made = fleet(web=2, worker=1)
        made.reboot()
        made.finish()
        assert made.states() == {"web.1": ["v1 up"], "web.2": ["v1 up"], "worker.1": ["v1 up"]}
        assert {action.why for action in made.done if isinstance(action, MarkCrashed)} == {Why.LOST}


class TestAfterADeath:
    def test_what_runs_is_adopted(self) -> None:
        made = fleet(web=2, worker=1)
        made.restart_daemon()
        assert made.decide().actions == ()

    def test_a_decision_that_was_not_carried_out_is(self) -> None:
        made = ModelFleet()
        made.release("v1", web=1)
        made.step()
        made.restart_daemon()
        made.finish()
        assert made.states() == {"web.1": ["v1 up"]}
        assert len(made.launches) == 1

    def test_a_dyno_that_was_starting_is_awaited_again(self) -> None:
        made = ModelFleet()
        made.release("v1", web=1)
        made.settle()
        made.launched(made.launching[0])
        made.settle()
        made.restart_daemon()
        made.settle()
        assert made.gating

    def test_a_stop_that_was_under_way_is_finished(self) -> None:
        made = fleet(worker=1)
        made.release("v1", worker=0)
        made.settle()
        made.restart_daemon()
        made.done.clear()
        made.settle()
        assert [type(action) for action in made.done] == [Stop]
        made.finish()
        assert made.states() == {}

    def test_a_dyno_that_ended_while_it_was_told_to_go_is_forgotten(self) -> None:
        made = fleet(worker=1)
        made.release("v1", worker=0)
        made.settle()
        made.reboot()
        made.done.clear()
        made.settle()
        assert [type(action) for action in made.done] == [Remove]


class TestDays:
    def test_a_dyno_is_cycled_once_a_day_and_not_all_at_once(self) -> None:
        made = fleet(web=2, worker=1)
        assert made.decide().again_at is not None
        made.now += timedelta(hours=24, minutes=216)
        made.settle()
        cycled = {action.id.split("#")[0] for action in made.done if isinstance(action, Replace) and action.cycle}
        retired = {action.id.split("#")[0] for action in made.done if isinstance(action, Retire)}
        assert (cycled, retired) == ({"web.1", "web.2"}, {"worker.1"})
        made.finish()
        assert made.states() == {"web.1": ["v1 up"], "web.2": ["v1 up"], "worker.1": ["v1 up"]}
        assert made.decide().actions == ()

    def test_the_day_is_a_day_and_up_to_216_minutes(self) -> None:
        made = fleet(web=50)
        begun = {row.id: row.created_at for row in made.rows.values()}
        ends = []
        for _ in range(50):
            at = made.decide().again_at
            assert at is not None
            made.now = at
            due = [action for action in made.decide().actions if isinstance(action, Replace)]
            ends += [at - begun[action.id] for action in due]
            for action in due:
                del made.rows[action.id]
            made.current = Generation("v1", tuple(s for s in made.current.slots if s.name in made.states()))  # type: ignore[union-attr]
        assert min(ends) >= timedelta(hours=24)
        assert max(ends) <= timedelta(hours=24, minutes=217)
        assert max(ends) - min(ends) > timedelta(minutes=60)


class TestOneOffs:
    def test_a_detached_one_runs_and_completes(self) -> None:
        made = ModelFleet()
        row = made.add("run", "run.1234", "v1", one_off=True)
        made.settle()
        made.launched(row.id)
        made.settle()
        assert made.rows[row.id].state is State.UP
        made.exited(row.id, 7)
        made.settle()
        assert made.done[-1] == Complete(row.id, Why.EXITED, 7)
        assert made.rows == {}

    def test_a_detached_one_that_is_over_before_we_look(self) -> None:
        made = ModelFleet()
        row = made.add("run", "run.1234", "v1", one_off=True)
        made.settle()
        made.launched(row.id)
        made.exited(row.id, 0)
        made.settle()
        assert made.done[-1] == Complete(row.id, Why.EXITED, 0)

    def test_one_that_ran_is_not_started_again_after_a_reboot(self) -> None:
        made = ModelFleet()
        row = made.add("run", "run.1234", "v1", one_off=True)
        made.settle()
        made.launched(row.id)
        made.settle()
        made.reboot()
        made.settle()
        assert made.done[-1] == Complete(row.id, Why.LOST, None)
        assert made.launches == [row.id]

    def test_one_that_cannot_be_started(self) -> None:
        made = ModelFleet()
        row = made.add("run", "run.1234", "v1", one_off=True)
        made.settle()
        made.launch_failed(row.id)
        made.settle()
        assert made.done[-1] == Complete(row.id, Why.UNSTARTABLE, None)

    def test_an_attached_one_waits_a_minute_for_its_client_and_is_not_launched(self) -> None:
        made = ModelFleet()
        row = made.add("run", "run.1234", "v1", one_off=True, attached=True, unclaimed=True)
        waiting = made.decide()
        assert waiting.actions == ()
        assert waiting.again_at == row.created_at + timedelta(minutes=1)
        made.now = waiting.again_at
        made.settle()
        assert made.done == [Complete(row.id, Why.NO_CLIENT, None)]

    def test_an_attached_one_is_left_to_its_session(self) -> None:
        made = ModelFleet()
        row = made.add("run", "run.1234", "v1", one_off=True, attached=True)
        made.held.add(row.id)
        assert made.decide().actions == ()
        made.launching.append(row.id)
        made.launched(row.id)
        assert made.decide().actions == ()
        made.exited(row.id, 0)
        assert made.decide().actions == (), "its session may still be reading"
        made.held.clear()
        assert made.decide().actions == (Complete(row.id, Why.EXITED, 0),)

    def test_an_attached_one_whose_client_has_gone_is_hung_up(self) -> None:
        made = ModelFleet()
        row = made.add("run", "run.1234", "v1", one_off=True, attached=True)
        made.launching.append(row.id)
        made.launched(row.id)
        assert made.decide().actions == (Retire(row.id, Why.HUNG_UP),)

    def test_an_attached_one_whose_client_came_and_went_before_it_ran(self) -> None:
        made = ModelFleet()
        row = made.add("run", "run.1234", "v1", one_off=True, attached=True)
        assert made.decide().actions == (Complete(row.id, Why.HUNG_UP, None),)

    def test_a_release_phase_nobody_waits_for_is_interrupted(self) -> None:
        made = ModelFleet()
        row = made.add("release", "release.1234", "v2", one_off=True)
        made.held.add(row.id)
        made.settle()
        made.launched(row.id)
        made.settle()
        made.restart_daemon()
        made.settle()
        assert Retire(row.id, Why.INTERRUPTED) in made.done

    @pytest.mark.parametrize("ended", [True, False])
    def test_a_release_phase_that_was_over_or_not_begun_when_its_waiter_died(self, ended: bool) -> None:
        made = ModelFleet()
        row = made.add("release", "release.1234", "v2", one_off=True)
        if ended:
            made.launching.append(row.id)
            made.launched(row.id)
            made.exited(row.id, 0)
        assert made.decide().actions == (Complete(row.id, Why.INTERRUPTED, 0 if ended else None),)

    def test_a_one_off_lives_a_day(self) -> None:
        made = ModelFleet()
        row = made.add("run", "run.1234", "v1", one_off=True)
        made.finish()
        made.now += timedelta(hours=24, minutes=216)
        assert made.decide().actions == (Retire(row.id, Why.CYCLED),)

    def test_one_that_was_told_to_go_goes(self) -> None:
        made = ModelFleet()
        row = made.add("run", "run.1234", "v1", one_off=True)
        made.finish()
        made.mark(row.id, State.DOWN)
        made.finish()
        assert made.rows == {}

    def test_one_offs_outlive_releases_and_scaling(self) -> None:
        made = fleet(web=1)
        made.add("run", "run.1234", "v1", one_off=True)
        made.finish()
        made.release("v2", web=0)
        made.finish()
        assert made.states() == {"run.1234": ["v1 up"]}


class TestSleeping:
    def asleep(self, **quantities: int) -> ModelFleet:
        made = ModelFleet(size="Eco")
        made.release("v1", **quantities)
        made.finish()
        made.asleep = True
        made.finish()
        made.done.clear()
        return made

    def test_an_app_that_falls_asleep_keeps_its_rows_and_runs_nothing(self) -> None:
        made = ModelFleet(size="Eco")
        made.release("v1", web=2, worker=1)
        made.finish()
        made.done.clear()
        made.asleep = True
        made.finish()
        assert made.states() == {"web.1": ["v1 idle"], "web.2": ["v1 idle"], "worker.1": ["v1 idle"]}
        assert made.instances == {}
        assert kinds(made) == ["Idle"] * 3 + ["Rest"] * 3
        assert made.decide() == Plan(()), "and it is left alone, for ever"

    def test_awake_new_dynos_take_the_places_of_those_that_rested(self) -> None:
        made = self.asleep(web=1, worker=1)
        made.asleep = False
        made.finish()
        assert made.states() == {"web.1": ["v1 up"], "worker.1": ["v1 up"]}
        assert [action.woken for action in made.done if isinstance(action, Create)] == [True, True]

    def test_woken_while_it_still_stops_a_web_dyno_starts_beside_and_a_worker_waits(self) -> None:
        made = ModelFleet(size="Eco")
        made.release("v1", web=1, worker=1)
        made.finish()
        made.asleep = True
        made.settle()
        made.asleep = False
        made.settle()
        assert made.states() == {"web.1": ["v1 idle", "v1 starting"], "worker.1": ["v1 idle"]}
        made.finish()
        assert made.states() == {"web.1": ["v1 up"], "worker.1": ["v1 up"]}

    def test_when_the_daemon_died_while_it_stopped_them_the_next_one_goes_on(self) -> None:
        made = ModelFleet(size="Eco")
        made.release("v1", web=1, worker=1)
        made.finish()
        made.asleep = True
        made.settle()
        made.restart_daemon()
        assert kinds(made)[-2:] == ["Rest", "Rest"]
        made.finish()
        assert made.instances == {}

    def test_after_a_restart_of_the_machine_it_still_sleeps(self) -> None:
        made = self.asleep(web=1, worker=1)
        made.rows.clear()  # as `homeport down` does
        made.finish()
        assert made.states() == {"web.1": ["v1 idle"], "worker.1": ["v1 idle"]}
        assert made.launches[2:] == []

    def test_what_crashed_is_not_tried_again_while_the_app_sleeps(self) -> None:
        made = ModelFleet(size="Eco")
        made.release("v1", web=1, worker=1)
        made.finish()
        worker = made.only("worker.1")
        made.exited(worker.id)
        made.settle()
        made.asleep = True
        made.finish()
        made.now += timedelta(hours=1)
        assert made.states() == {"web.1": ["v1 idle"], "worker.1": ["v1 crashed"]}
        assert made.decide() == Plan(())
        made.asleep = False
        made.finish()
        assert made.states() == {"web.1": ["v1 up"], "worker.1": ["v1 up"]}

    def test_of_an_app_that_sleeps_only_those_of_a_size_that_sleeps_rest(self) -> None:
        made = ModelFleet(size="Eco")
        made.release("v1", web=1)
        made.current = Generation("v1", (*slots("Eco", web=1), *slots("Basic", worker=1)))
        made.asleep = True
        made.finish()
        assert made.states() == {"web.1": ["v1 idle"], "worker.1": ["v1 up"]}

    def test_a_candidate_comes_up_beside_an_app_that_sleeps(self) -> None:
        made = self.asleep(web=1, worker=1)
        made.try_release("v2", web=1, worker=1)
        made.finish()
        assert made.states() == {"web.1": ["v1 idle", "v2 up"], "worker.1": ["v1 idle"]}
        made.succeed(web=1, worker=1)
        made.finish()
        assert made.states() == {"web.1": ["v2 up"], "worker.1": ["v2 up"]}

    def test_an_app_that_sleeps_goes_on_sleeping_when_a_candidate_fails(self) -> None:
        made = self.asleep(web=1)
        made.try_release("v2", web=1)
        made.settle()
        made.launched(made.launching[0])
        made.settle()
        made.exited(made.gating[0])
        made.settle()
        made.fail()
        made.finish()
        assert made.states() == {"web.1": ["v1 idle"]}

    def test_a_dyno_that_rests_is_not_cycled(self) -> None:
        made = self.asleep(web=1)
        made.now += timedelta(days=30)
        assert made.decide() == Plan(())


def test_only_the_ways_of_the_table_lead_from_state_to_state() -> None:
    assert {f"{old.value} {new.value}" for old in State for new in State if not _raises(old, new)} == {
        "starting up",
        "starting crashed",
        "starting down",
        "starting complete",
        "up crashed",
        "up idle",
        "up down",
        "up complete",
        "crashed starting",
        "crashed down",
        "idle down",
    }


def _raises(old: State, new: State) -> bool:
    try:
        return change(old, new) is not new
    except IllegalTransition:
        return True
