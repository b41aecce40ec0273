"""`homeport ps…`, as terminal sessions."""

from __future__ import annotations

import json

import pytest

from homeport.cli.transport import Reply
from tests.unit.cli.cli_session import A_MINUTE_AGO, Refusal, Session, Shown, dyno, failure, release

DYNOS = [
    dyno("web.10", size="Standard-1X"),
    dyno("web.2", "starting", size="Standard-1X"),
    dyno("worker.1", "crashed", "celery -A x worker"),
    dyno("run.1234", command="bash"),
    dyno("clock.1", command="celery -A x worker"),
]
FORMATION = [{"type": "worker", "quantity": 1, "size": "Basic"}, {"type": "web", "quantity": 2, "size": "Standard-1X"}]


def test_dynos_are_listed_by_process_type_one_off_ones_first() -> None:
    assert Session({"GET /apps/demo/dynos": DYNOS}).type("ps -a demo") == Shown(
        0,
        "=== run: one-off processes (1)\n\n"
        f"run.1234 (Basic): up {A_MINUTE_AGO}: bash\n\n"
        "=== clock (Basic): celery -A x worker (1)\n\n"
        f"clock.1: up {A_MINUTE_AGO}\n\n"
        "=== web (Standard-1X): gunicorn app:app (2)\n\n"
        f"web.2: starting {A_MINUTE_AGO}\n"
        f"web.10: up {A_MINUTE_AGO}\n\n"
        "=== worker (Basic): celery -A x worker (1)\n\n"
        f"worker.1: crashed {A_MINUTE_AGO}\n\n",
    )


def test_dynos_of_some_types_only() -> None:
    session = Session({"GET /apps/demo/dynos": DYNOS})
    assert session.type("ps worker -a demo").out.startswith("=== worker (Basic)")
    found = json.loads(session.type("ps web run --json -a demo").out)
    assert [each["name"] for each in found] == ["run.1234", "web.10", "web.2"]
    assert session.type("ps nope -a demo") == Shown(1, "", failure("No nope dynos on demo", "no_dynos"))


def test_no_dynos_is_said() -> None:
    assert Session({"GET /apps/demo/dynos": []}).type("ps -a demo") == Shown(0, "No dynos on demo\n")
    assert Session({"GET /apps/demo/dynos": []}).type("ps -a demo --json") == Shown(0, "[]\n")


@pytest.mark.parametrize("name", ["ps:scale", "scale", "dyno:scale", "ps scale"])
def test_scaling(name: str) -> None:
    session = Session({"PATCH /apps/demo/formation": FORMATION})
    assert session.type(f"{name} web=2:standard-1x worker+1 -a demo") == Shown(
        0, "", "Scaling dynos... done, now running worker at 1:Basic, web at 2:Standard-1X\n"
    )
    assert session.requests == [
        'PATCH /apps/demo/formation {"updates": '
        '[{"quantity": "2", "type": "web", "size": "standard-1x"}, {"quantity": "+1", "type": "worker"}]}'
    ]


def test_scaling_down_and_types_with_dashes() -> None:
    session = Session({"PATCH /apps/demo/formation": []})
    session.type("ps:scale my-worker-2 other_type-1 -a demo")
    assert '{"quantity": "-2", "type": "my-worker"}, {"quantity": "-1", "type": "other_type"}' in session.requests[0]


def test_scaling_without_arguments_shows_what_can_be_typed_again() -> None:
    session = Session({"GET /apps/demo/formation": FORMATION})
    assert session.type("ps:scale -a demo") == Shown(0, "web=2:Standard-1X worker=1:Basic\n")
    assert json.loads(session.type("ps:scale -a demo --json").out) == FORMATION


@pytest.mark.parametrize("word", ["web", "web=", "web=two", "web=2:", "=2", "web==2", "web=2=3"])
def test_a_scale_that_is_none_changes_nothing(word: str) -> None:
    session = Session({"PATCH /apps/demo/formation": FORMATION})
    shown = session.type(f"ps:scale worker=1 {word} -a demo")
    assert shown.code == 2
    assert f" ›   Error: {word} is no change of a formation.\n" in shown.err
    assert session.requests == []


def test_scaling_a_type_that_is_not_there() -> None:
    session = Session({"PATCH /apps/demo/formation": Refusal(404, "not_found", "Couldn't find that process type.")})
    assert session.type("ps:scale nope=1 -a demo") == Shown(
        2, "", "Scaling dynos... !\n" + failure("Couldn't find that process type.", "not_found")
    )


def test_sizes() -> None:
    session = Session({"GET /apps/demo/formation": FORMATION, "PATCH /apps/demo/formation": FORMATION})
    assert session.type("ps:type web=standard-1x -a demo") == Shown(
        0,
        "=== Process Types\n\n"
        "  type     size          qty\n ────────────────────────────\n"
        "  web      Standard-1X   2\n  worker   Basic         1\n\n\n"
        "=== Dyno Totals\n\n"
        "  type          total\n ─────────────────────\n"
        "  Standard-1X   2\n  Basic         1\n\n",
        "Scaling dynos on demo... done\n",
    )
    assert session.requests[1] == 'PATCH /apps/demo/formation {"updates": [{"type": "web", "size": "standard-1x"}]}'


def test_one_size_for_all_types() -> None:
    session = Session({"GET /apps/demo/formation": FORMATION, "PATCH /apps/demo/formation": FORMATION})
    assert session.type("ps:resize basic -a demo").code == 0
    assert session.requests[1] == (
        "PATCH /apps/demo/formation "
        '{"updates": [{"type": "worker", "size": "basic"}, {"type": "web", "size": "basic"}]}'
    )


def test_a_size_for_a_type_that_is_not_there_changes_nothing() -> None:
    session = Session({"GET /apps/demo/formation": FORMATION})
    shown = session.type("ps:type nope=basic -a demo")
    assert shown.code == 2
    assert "Type nope not found in process formation.\n ›   Types: worker, web\n" in shown.err


def test_without_a_procfile_there_is_nothing_to_scale() -> None:
    shown = Session({"GET /apps/demo/formation": []}).type("ps:scale -a demo")
    assert shown == Shown(
        1, "", failure("No process types on demo.\nUpload a Procfile to add process types.", "no_process_types")
    )


@pytest.mark.parametrize(
    ("line", "request_", "said"),
    [
        ("ps:restart", "DELETE /apps/demo/dynos", "Restarting all dynos on demo... done\n"),
        ("restart", "DELETE /apps/demo/dynos", "Restarting all dynos on demo... done\n"),
        ("ps:restart -d web.1", "DELETE /apps/demo/dynos/web.1", "Restarting dyno web.1 on demo... done\n"),
        ("ps:restart --dyno web.1", "DELETE /apps/demo/dynos/web.1", "Restarting dyno web.1 on demo... done\n"),
        ("ps:restart -p web", "DELETE /apps/demo/formations/web", "Restarting all web dynos on demo... done\n"),
        ("ps:restart --type web", "DELETE /apps/demo/formations/web", "Restarting all web dynos on demo... done\n"),
        ("ps:stop -d web.1", "POST /apps/demo/dynos/web.1/actions/stop", "Stopping dyno web.1 on demo... done\n"),
        ("kill -p run", "POST /apps/demo/formations/run/actions/stop", "Stopping all run dynos on demo... done\n"),
    ],
)
def test_restarting_and_stopping(line: str, request_: str, said: str) -> None:
    session = Session({request_: {}})
    assert session.type(f"{line} -a demo") == Shown(0, "", said)
    assert session.requests == [request_]
    assert session.api.headers[0]["Accept"].endswith("version=3.sdk")


def test_a_dyno_may_still_be_an_argument() -> None:
    session = Session({"DELETE /apps/demo/dynos/web.1": {}})
    shown = session.type("ps:restart web.1 -a demo")
    assert (shown.code, session.requests) == (0, ["DELETE /apps/demo/dynos/web.1"])
    assert shown.err.startswith(" ›   Warning: DYNO is a deprecated argument.")


def test_stopping_needs_to_know_what() -> None:
    session = Session()
    shown = session.type("ps:stop -a demo")
    assert shown.code == 2
    assert "Please specify a process type or dyno name to stop." in shown.err
    assert session.requests == []


def answers(*lists: list[dict[str, object]]) -> list[Reply]:
    return [Reply(200, {}, json.dumps(each).encode()) for each in lists]


def test_waiting_until_every_dyno_runs_the_last_release() -> None:
    old = {"id": "x", "version": 11}
    looks = answers(
        [
            dyno("web.1", release=old),
            dyno("web.2", "starting"),
            dyno("run.1", release=old),
            dyno("release.1", "starting"),
        ],
        [dyno("web.1"), dyno("web.2", "starting")],
        [dyno("web.1"), dyno("web.2")],
    )
    session = Session({"GET /apps/demo/releases": [release(12)], "GET /apps/demo/dynos": looks})
    assert session.type("ps:wait -a demo -w 3") == Shown(
        0, "", "Waiting for every dyno to be running v12... 2 / 2, done\n"
    )
    assert session.slept == [3, 3]


def test_waiting_for_nothing_returns_at_once() -> None:
    session = Session({"GET /apps/demo/releases": [release(12)], "GET /apps/demo/dynos": [dyno("web.1")]})
    assert session.type("ps:wait -a demo") == Shown(0)
    assert session.slept == []
    assert "has no releases" in Session({"GET /apps/demo/releases": []}).type("ps:wait -a demo").err
