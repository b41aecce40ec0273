"""`homeport scheduler`, as terminal sessions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homeport.cli.transport import Reply
from tests.unit.cli.cli_session import Refusal, Session, Shown, failure

BASE = "/apps/demo/scheduler"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Any:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def run(status: str = "succeeded", **more: object) -> dict[str, Any]:
    return {
        "app": {"name": "demo"}, "command": "hello", "created_at": "2026-01-31T04:30:00Z", "detail": "",
        "due_at": "2026-01-31T04:30:00Z", "duration": 1.25, "dyno": "scheduler.1234", "exit_code": 0,
        "finished_at": "2026-01-31T04:30:02Z", "id": "run-1", "job": {"id": "job-1", "name": "greet"},
        "started_at": "2026-01-31T04:30:01Z", "status": status, "times": 1, **more,
    }  # fmt: skip


GREET = {
    "app": {"name": "demo"}, "command": "hello", "id": "job-1", "last_run": run(), "name": "greet",
    "next_run_at": "2026-02-01T04:30:00Z", "overlap": "skip", "size": "Basic", "source": "added",
    "schedule": {"cron": "30 4 * * *", "description": "Daily at 04:30 UTC", "timezone": "UTC"},
}  # fmt: skip
FACTS = """\
Command:  hello
Schedule: Daily at 04:30 UTC
Next run: 2026/02/01 04:30:00 +0000
Size:     Basic
Overlap:  skip
"""


def test_the_list() -> None:
    session = Session({f"GET {BASE}/jobs": [GREET]})
    heading, rule, *rows = session.type("scheduler -a demo").out.splitlines()
    assert heading == "  Job     Command   Schedule             Next run                    Last run"
    assert set(rule) == {" ", "─"}
    assert rows == [
        "  greet   hello     Daily at 04:30 UTC   2026/02/01 04:30:00 +0000   succeeded 2026/01/31 04:30:01 +0000",
        "",
    ]
    assert json.loads(session.type("scheduler --json -a demo").out) == [GREET]


def test_no_jobs() -> None:
    assert Session({f"GET {BASE}/jobs": []}).type("scheduler -a demo") == Shown(
        0,
        'No scheduled jobs for app demo.\nAdd one: homeport scheduler:add "COMMAND" --every day --at 04:30\n',
    )


def test_adding_a_job() -> None:
    session = Session({f"POST {BASE}/jobs": GREET})
    assert session.type('scheduler:add "hello" --every day --at 04:30 -a demo') == Shown(
        0, FACTS, "Adding hello... done, greet\n"
    )
    session.type("scheduler:add python x.py --cron '*/5 * * * *' --timezone Europe/Berlin --overlap wait -a demo")
    session.type("scheduler:add x -e 10m --grace 0 --size standard-2x --name x -a demo")
    assert session.api.requests == [
        f'POST {BASE}/jobs {{"command": "hello", "every": "day", "at": "04:30"}}',
        f'POST {BASE}/jobs {{"command": "python x.py", "cron": "*/5 * * * *", "timezone": "Europe/Berlin", '
        '"overlap": "wait"}',
        f'POST {BASE}/jobs {{"command": "x", "every": "10m", "size": "standard-2x", "grace": "0", "name": "x"}}',
    ]


def test_a_warning_in_the_midst_of_adding_does_not_swallow_the_name_of_the_job() -> None:
    warned = Reply(201, {"warning-message": "scheduler-1 was added to demo."}, json.dumps(GREET).encode())
    assert Session({f"POST {BASE}/jobs": warned}).type("scheduler:add hello --every day -a demo").err == (
        "Adding hello... \n ›   Warning: scheduler-1 was added to demo.\nAdding hello... done, greet\n"
    )


def test_adding_nothing_and_adding_both() -> None:
    session = Session({})
    assert session.type("scheduler:add -a demo").code == 2
    assert "--every cannot be given together with --cron" in session.type("scheduler:add x -e day --cron x -a demo").err
    assert session.api.requests == []


def test_changing_a_job() -> None:
    session = Session({f"PATCH {BASE}/jobs/greet": GREET})
    assert session.type("scheduler:update greet --command hello --every day --at 04:30 -a demo").out == FACTS
    assert session.api.requests == [f'PATCH {BASE}/jobs/greet {{"every": "day", "at": "04:30", "command": "hello"}}']
    assert session.type("scheduler:update greet -a demo").code == 2


def test_removing_a_job_is_asked_about() -> None:
    session = Session({f"GET {BASE}/jobs/greet": GREET, f"DELETE {BASE}/jobs/job-1": GREET})
    assert session.type("scheduler:remove greet -a demo").code != 0
    assert session.api.requests == [f"GET {BASE}/jobs/greet"]
    assert session.type("scheduler:remove greet --confirm demo -a demo") == Shown(0, "", "Removing greet... done\n")
    assert session.api.requests[-1] == f"DELETE {BASE}/jobs/job-1"


def test_running_a_job() -> None:
    begun = run("running", exit_code=None, finished_at=None, duration=None)
    session = Session({f"POST {BASE}/jobs/greet/runs": begun})
    assert session.type("scheduler:run greet -a demo") == Shown(
        0,
        "Run homeport scheduler:logs scheduler.1234 -a demo to view the output.\n",
        "Running greet... running, scheduler.1234\n",
    )


@pytest.mark.parametrize("code", [0, 3])
def test_running_a_job_and_waiting_for_its_end(code: int) -> None:
    begun = run("running", exit_code=None)
    ended = run("failed" if code else "succeeded", exit_code=code)
    line = "2026-01-31T04:30:01.000000+00:00 app[scheduler.1234]: hello"
    session = Session(
        {
            f"POST {BASE}/jobs/greet/runs": begun,
            f"GET {BASE}/runs/run-1": ended,
            f"GET {BASE}/runs/run-1/log": {"lines": [line], "run": ended},
        }
    )
    shown = session.type("scheduler:run greet --wait -a demo")
    assert (shown.code, shown.out) == (code, f"{line}\n")
    assert f"greet (scheduler.1234) {ended['status']} with exit code {code}\n" in shown.err


def test_history() -> None:
    missed = run("missed", due_at="2026-01-30T04:30:00Z", started_at=None, duration=None, dyno=None, exit_code=None)
    missed |= {"times": 3, "detail": "The platform was not running"}
    by_hand = run("failed", due_at=None, duration=3725, exit_code=3)
    session = Session({f"GET {BASE}/runs": [run(duration=75), by_hand, missed]})
    rows = session.type("scheduler:history -a demo").out.splitlines()[2:-1]
    due, started = "2026/01/31 04:30:00 +0000", "2026/01/31 04:30:01 +0000"
    assert [[cell.strip() for cell in row.strip().split("   ") if cell.strip()] for row in rows] == [
        ["greet", due, started, "1m 15s", "succeeded", "0", "scheduler.1234"],
        ["greet", "by hand", started, "1h 2m", "failed", "3", "scheduler.1234"],
        ["greet", "2026/01/30 04:30:00 +0000", "missed 3 times", "The platform was not running"],
    ]
    assert Session({f"GET {BASE}/jobs/greet/runs": []}).type("scheduler:history greet -a demo") == Shown(
        0, "No runs yet for app demo.\n"
    )


def test_logs_of_a_run_of_a_job_and_of_whatever_ran_last() -> None:
    answers = {
        f"GET {BASE}/runs": [run("skipped", id="run-2", dyno=None), run()],
        f"GET {BASE}/jobs/greet/runs": [run("skipped", id="run-2", dyno=None), run()],
        f"GET {BASE}/runs/scheduler.1234": run(),
        f"GET {BASE}/runs/run-1/log": {"lines": ["one", "two"], "run": run()},
    }
    for arguments in ("", "greet", "scheduler.1234"):
        shown = Session(answers).type(f"scheduler:logs {arguments} -a demo")
        assert shown == Shown(0, "one\ntwo\n", "greet (scheduler.1234) succeeded with exit code 0\n")


def test_logs_of_what_has_not_run_and_of_what_is_not_there() -> None:
    session = Session(
        {f"GET {BASE}/jobs/greet/runs": [], f"GET {BASE}/jobs/x/runs": Refusal(404, "not_found", "No job.")}
    )
    assert session.type("scheduler:logs greet -a demo").err == failure("greet hasn't run yet.", "no_runs")
    assert "No job." in session.type("scheduler:logs x -a demo").err
