"""`homeport releases…`, `rollback` and `builds…`, as terminal sessions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.cli.cli_session import A_MINUTE_AGO, Chunks, Session, Shown, failure, local_time, release

OLD = local_time("2026-01-01T00:00:00Z")
HISTORY = [
    release(12, "Set A config vars", current=True),
    release(11, "Deploy 1a2b3c4d", status="failed", eligible_for_rollback=False),
    release(2, "Deploy deadbeef", created_at="2026-01-01T00:00:00Z"),
]
LIST = {"GET /apps/demo/releases": HISTORY}


def test_releases_are_listed_newest_first() -> None:
    session = Session(LIST)
    wide = len(A_MINUTE_AGO)
    assert session.type("releases -a demo") == Shown(
        0,
        "=== demo Releases - Current: v12\n\n"
        f"  v     description                              user              created_at\n"
        f" {'─' * (2 + 3 + 3 + 38 + 3 + 15 + 3 + wide)}\n"
        f"  v12   Set A config vars                        ada@example.com   {A_MINUTE_AGO}\n"
        f"  v11   Deploy 1a2b3c4d release command failed   ada@example.com   {A_MINUTE_AGO}\n"
        f"  v2    Deploy deadbeef                          ada@example.com   {OLD}\n\n",
    )
    assert session.api.headers[0]["Range"] == "version ..; max=15, order=desc"


def test_releases_for_programs() -> None:
    session = Session(LIST)
    assert json.loads(session.type("releases --json -n 3 -a demo").out) == HISTORY
    assert session.api.headers[0]["Range"] == "version ..; max=3, order=desc"


def test_an_app_without_releases() -> None:
    session = Session({"GET /apps/demo/releases": []})
    assert session.type("releases -a demo") == Shown(0, "demo has no releases.\n")
    assert session.type("rollback -a demo").code == 1
    assert "no_releases" in session.type("releases:info -a demo").err


def test_a_long_description_is_shortened_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "90")
    long = Session({"GET /apps/demo/releases": [release(1, "x" * 100)]}, colour=True)
    long.env["NO_COLOR"] = "1"
    lines = long.type("releases -a demo").out.splitlines()
    assert max(len(line) for line in lines) <= 90
    assert any("x…" in line for line in lines)


@pytest.mark.parametrize("which", ["", "12", "v12", "V12"])
def test_info_shows_a_release_with_its_config_vars(which: str) -> None:
    session = Session(
        {**LIST, "GET /apps/demo/releases/12": HISTORY[0], "GET /apps/demo/releases/12/config-vars": {"A": "x y"}}
    )
    assert session.type(f"releases:info {which} -a demo") == Shown(
        0,
        "=== Release v12\n\n"
        "By:                     ada@example.com\n"
        "Change:                 Set A config vars\n"
        "Eligible for Rollback?: Yes\n"
        "When:                   2026-01-31T11:59:00Z\n\n"
        "=== v12 Config vars\n\n"
        "A: x y\n",
    )
    assert session.type(f"releases:info {which} -s -a demo").out.endswith("Config vars\n\nA='x y'\n")


def test_rollback_goes_to_the_release_before_the_last_that_can_be_gone_back_to() -> None:
    session = Session({**LIST, "POST /apps/demo/releases": release(13)})
    assert session.type("rollback -a demo") == Shown(
        0,
        "",
        "Rolling back demo to v2... done, v13\n"
        " ›   Warning: Rollback affects code and config vars; it doesn't add or remove addons.\n"
        " ›   Warning: To undo, run: homeport rollback v12\n",
    )
    assert session.requests[1] == 'POST /apps/demo/releases {"release": "id-of-v2"}'


def test_a_rollback_is_undone_by_going_to_what_ran_before_not_to_what_failed() -> None:
    listed = [release(13, status="failed", eligible_for_rollback=False), release(12, current=True), release(11)]
    session = Session({"GET /apps/demo/releases": listed, "POST /apps/demo/releases": release(14)})
    assert "To undo, run: homeport rollback v12\n" in session.type("rollback -a demo").err


def test_rollback_to_a_release_by_its_version_shows_the_release_command() -> None:
    made = release(13, status="pending", output_stream_url="https://localhost:8443/streams/x")
    session = Session(
        {
            **LIST,
            "GET /apps/demo/releases/11": HISTORY[1],
            "POST /apps/demo/releases": made,
            "GET /apps/demo/releases/13": release(13),
        },
        streams=[Chunks([b"migrat", b"ing \xc3", b"\xa4\n"], content_type="text/plain")],
    )
    assert session.type("releases:rollback v11 -a demo").out == "Running release command...\nmigrating ä\n"
    url, headers = session.api.opened[0]
    assert url == "https://localhost:8443/streams/x"
    assert "Authorization" not in headers


def test_a_rollback_whose_release_command_fails_is_no_success() -> None:
    made = release(13, "Rollback to v11", status="pending", output_stream_url="https://localhost:8443/streams/x")
    session = Session(
        {
            **LIST,
            "GET /apps/demo/releases/11": HISTORY[1],
            "POST /apps/demo/releases": made,
            "GET /apps/demo/releases/13": {**made, "status": "failed"},
        },
        streams=[Chunks([b"no\n"], content_type="text/plain")],
    )
    shown = session.type("rollback v11 -a demo")
    assert (shown.code, shown.out) == (1, "Running release command...\nno\n")
    assert "v13 failed: Rollback to v11." in shown.err
    assert "release_command_failed" in shown.err


def test_retrying_the_latest_release() -> None:
    session = Session(
        {
            **LIST,
            "GET /apps/demo/formation": [{"type": "web"}, {"type": "release"}],
            "POST /apps/demo/releases": release(13, status="pending", output_stream_url="https://localhost:8443/s"),
            "GET /apps/demo/releases/13": release(13),
        },
        streams=[Chunks([b"migrating\n"], content_type="text/plain")],
    )
    assert session.type("releases:retry -a demo") == Shown(
        0, "Running release command...\nmigrating\n", "Retrying v12 on demo... done, v13\n"
    )
    assert '"description": "Retry of v12: Set A config vars"' in session.requests[2]
    without = Session({**LIST, "GET /apps/demo/formation": [{"type": "web"}]})
    assert "no_release_command" in without.type("releases:retry -a demo").err


def test_release_output() -> None:
    assert "v12 has no release output available" in Session(LIST).type("releases:output -a demo").err
    waiting = {"GET /apps/demo/releases": [release(12, output_stream_url="https://localhost:8443/s")]}
    early = Session(waiting, streams=[Chunks([], status=404)])
    assert early.type("releases:output -a demo") == Shown(
        0, "", " ›   Warning: Release command not started yet. Please try again in a few seconds.\n"
    )
    broken = Session(waiting, streams=[Chunks([b"one\n"], breaks=True)])
    assert broken.type("releases:output -a demo") == Shown(
        1, "one\n", failure("The connection was lost.", "connection_lost")
    )


def build(id: str, status: str = "succeeded", **changes: Any) -> dict[str, Any]:
    return {
        "id": id,
        "status": status,
        "source_blob": {"version": "1a2b3c4d5e6f"},
        "user": {"email": "ada@example.com"},
        "created_at": "2026-01-31T11:59:00Z",
        "buildpacks": [{"url": "heroku/python"}],
        "release": {"id": "r1"},
        "output_stream_url": "https://localhost:8443/builds/1",
        **changes,
    }


def test_builds_are_listed() -> None:
    session = Session({"GET /apps/demo/builds": [build("b2", "pending"), build("b1")]})
    assert session.type("builds -a demo") == Shown(
        0,
        "=== demo Builds\n\n"
        "  id   status      version    user              created_at\n"
        f" {'─' * (2 + 2 + 3 + 9 + 3 + 8 + 3 + 15 + 3 + len(A_MINUTE_AGO))}\n"
        f"  b2   pending     1a2b3c4d   ada@example.com   {A_MINUTE_AGO}\n"
        f"  b1   succeeded   1a2b3c4d   ada@example.com   {A_MINUTE_AGO}\n\n",
    )
    assert session.api.headers[0]["Range"] == "created_at ..; max=15, order=desc"
    assert len(json.loads(session.type("builds --json -a demo").out)) == 2
    assert Session({"GET /apps/demo/builds": []}).type("builds -a demo") == Shown(0, "demo has no builds.\n")


def test_a_build_is_the_last_one_or_the_one_that_is_named() -> None:
    session = Session({"GET /apps/demo/builds": [build("b2")], "GET /apps/demo/builds/b1": build("b1", "failed")})
    assert session.type("builds:info -a demo").out.startswith("=== Build b2\n\nBy:         ada@example.com\n")
    assert "Status:     failed\n" in session.type("builds:info b1 -a demo").out


def test_a_builds_output_is_shown_as_it_comes() -> None:
    session = Session({"GET /apps/demo/builds": [build("b1")]}, streams=[Chunks([b"-----> Python\n", b"done\n"])])
    assert session.type("builds:output -a demo") == Shown(0, "-----> Python\ndone\n")


def test_only_a_running_build_can_be_cancelled() -> None:
    session = Session({"GET /apps/demo/builds": [build("b1", "pending")], "DELETE /apps/demo/builds/b1": {}})
    assert session.type("builds:cancel -a demo") == Shown(0, "", "Cancelling build b1 on demo... done\n")
    assert session.api.headers[1]["Accept"].endswith("version=3.cancel-build")
    ended = Session({"GET /apps/demo/builds": [build("b1")]})
    assert "Error ID: build_finished" in ended.type("builds:cancel -a demo").err
