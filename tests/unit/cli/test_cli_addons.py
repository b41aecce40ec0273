"""`homeport addons…`, as terminal sessions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homeport.cli.transport import Reply
from tests.unit.cli.cli_session import Part, Refusal, Session, Shown, failure, release

PLAN = {"name": "heroku-postgresql:essential-0"}


def addon(name: str = "main-db", app: str = "demo", **changes: Any) -> dict[str, Any]:
    return {
        "addon_service": {"name": "heroku-postgresql"},
        "app": {"name": app},
        "config_vars": ["DATABASE_URL"],
        "created_at": "2026-01-31T11:55:00Z",
        "id": f"id-of-{name}",
        "name": name,
        "plan": PLAN,
        "provision_message": "",
        "state": "provisioned",
        "web_url": "https://devcenter.heroku.com/articles/heroku-postgresql",
        **changes,
    }


def attachment(name: str = "DATABASE", of: str = "main-db", app: str = "demo") -> dict[str, Any]:
    return {"addon": {"id": f"id-of-{of}", "name": of}, "app": {"name": app}, "id": f"id-of-{name}", "name": name}


RESOLVE = "POST /actions/addons/resolve"
FOUND = {RESOLVE: [addon()]}


def test_addons_of_an_app_stand_with_their_attachments() -> None:
    session = Session(
        {
            "GET /apps/demo/addons": [addon(), addon("jobs-db", app="jobs")],
            "GET /addon-attachments": [
                attachment(),
                attachment("PRIMARY", app="jobs"),
                attachment("JOBS", of="jobs-db"),
            ],
        }
    )
    assert session.type("addons -a demo").out == (
        "  Add-on                        Plan          State\n"
        " ─────────────────────────────────────────────────────\n"
        "  heroku-postgresql (main-db)   essential-0   created\n"
        "   └─ as DATABASE\n"
        "   └─ as PRIMARY on jobs app\n"
        "  heroku-postgresql (jobs-db)   essential-0   created\n"
        "   └─ as JOBS\n\n"
    )


def test_all_addons_and_none() -> None:
    assert "  demo         main-db" in Session({"GET /addons": [addon()]}).type("addons --all").out
    assert Session({"GET /addons": []}).type("addons").out == "No add-ons.\n"
    assert Session({"GET /apps/demo/addons": []}).type("addons -a demo").out == "No add-ons for app demo.\n"
    assert json.loads(Session({"GET /addons": [addon()]}).type("addons --json").out) == [addon()]


def test_services_and_plans() -> None:
    service = {"name": "heroku-postgresql", "human_name": "Heroku Postgres", "state": "ga"}
    assert (
        "heroku-postgresql   Heroku Postgres   ga"
        in Session({"GET /addon-services": [service]}).type("addons:services").out
    )
    plans = [{"default": True, "name": "heroku-redis:mini", "human_name": "Mini"}]
    session = Session({"GET /addon-services/heroku-redis/plans": plans})
    assert "  default   heroku-redis:mini   Mini" in session.type("addons:plans heroku-redis").out


@pytest.mark.parametrize("name", ["addons:create", "addons:add", "addons create"])
def test_creating_one(name: str) -> None:
    session = Session({"POST /apps/demo/addons": addon(provision_message="It is empty.")})
    shown = session.type(
        f"{name} heroku-postgresql:essential-0 -a demo --as MAIN --name main-db -- --version 15 --quiet"
    )
    assert shown == Shown(
        0,
        "It is empty.\nCreated main-db as DATABASE_URL\n",
        "Creating heroku-postgresql:essential-0 on demo... done\n",
    )
    body = json.loads(session.requests[0].partition("addons ")[2])
    assert body == {
        "attachment": {"name": "MAIN"},
        "config": {"quiet": "true", "version": "15"},
        "confirm": None,
        "name": "main-db",
        "plan": {"name": "heroku-postgresql:essential-0"},
    }


def test_creating_one_that_takes_its_time() -> None:
    making = addon(state="provisioning", config_vars=[])
    session = Session({"POST /apps/demo/addons": making})
    assert "homeport addons:wait main-db" in session.type("addons:create heroku-postgresql -a demo").out
    waiting = Session({"POST /apps/demo/addons": making, "GET /addons/id-of-main-db": addon()})
    shown = waiting.type("addons:create heroku-postgresql -a demo --wait")
    assert shown.out.endswith("Created main-db as DATABASE_URL\n")
    assert waiting.slept == [2.0]


def test_overwriting_is_asked_at_a_terminal_and_refused_elsewhere() -> None:
    locked = Refusal(423, "confirmation_required", "DATABASE_URL would be overwritten.")
    made = Reply(200, {}, json.dumps(addon()).encode())
    session = Session({"POST /apps/demo/addons": [locked, made]})
    shown = session.type("addons:create heroku-postgresql -a demo --as DATABASE", typed="demo\n")
    assert shown.code == 0, shown.err
    assert '"confirm": "demo"' in session.requests[1]
    refused = Session({"POST /apps/demo/addons": locked}).type("addons:create heroku-postgresql -a demo --as DATABASE")
    assert refused.code == 2
    assert "DATABASE_URL would be overwritten" in refused.err


def test_a_word_that_is_no_option_is_refused() -> None:
    shown = Session().type("addons:create heroku-postgresql surplus -a demo")
    assert shown.code == 2
    assert "Unexpected argument: surplus" in shown.err


def test_info() -> None:
    session = Session(
        {**FOUND, "GET /addons/id-of-main-db/addon-attachments": [attachment(), attachment("B", app="jobs")]}
    )
    out = session.type("addons:info DATABASE -a demo").out
    assert "=== main-db\n" in out
    assert "Attachments:  demo::DATABASE\n              jobs::B\n" in out
    assert "State:        created\n" in out
    assert session.requests[0] == f'{RESOLVE} {{"addon": "DATABASE", "app": "demo"}}'


def test_what_is_not_on_the_app_is_looked_for_everywhere() -> None:
    missing = Refusal(404, "not_found", "Couldn't find that add-on.", {"resource": "add_on"})
    session = Session({RESOLVE: [missing, Part([addon()])], "GET /addons/id-of-main-db/addon-attachments": []})
    assert session.type("addons:info main-db -a demo").code == 0
    assert session.requests[1] == f'{RESOLVE} {{"addon": "main-db", "app": null}}'


def test_what_another_app_calls_it_is_not_looked_for_on_this_one() -> None:
    session = Session({**FOUND, "GET /addons/id-of-main-db/addon-attachments": []})
    assert session.type("addons:info jobs::PRIMARY -a demo").code == 0
    assert session.requests[0] == f'{RESOLVE} {{"addon": "jobs::PRIMARY", "app": null}}'


def test_a_name_that_means_several_is_refused() -> None:
    shown = Session({RESOLVE: [addon(), addon("other-db")]}).type("addons:upgrade heroku-postgresql:standard-0 -a demo")
    assert shown.code == 2
    assert "could be any of: main-db, other-db" in shown.err


@pytest.mark.parametrize(
    "line",
    [
        "addons:upgrade DATABASE heroku-postgresql:standard-0",
        "addons:upgrade DATABASE standard-0",
        "addons:downgrade main-db:standard-0",
    ],
)
def test_another_plan(line: str) -> None:
    session = Session({**FOUND, "PATCH /apps/demo/addons/id-of-main-db": addon()})
    shown = session.type(f"{line} -a demo")
    assert shown.err.endswith("from heroku-postgresql:essential-0 to heroku-postgresql:standard-0... done\n")
    assert session.requests[-1].endswith('{"plan": {"name": "heroku-postgresql:standard-0"}}')


def test_which_plan_must_be_said() -> None:
    assert Session(FOUND).type("addons:upgrade DATABASE -a demo").code == 2


def test_renaming() -> None:
    session = Session({**FOUND, "PATCH /apps/demo/addons/id-of-main-db": addon()})
    assert session.type("addons:rename main-db primary").out == "main-db successfully renamed to primary.\n"


def test_attaching_and_detaching_tell_the_release() -> None:
    session = Session(
        {
            **FOUND,
            "POST /addon-attachments": attachment("PRIMARY"),
            "GET /apps/jobs/releases": [release(7)],
            "GET /apps/jobs/addon-attachments/PRIMARY": attachment("PRIMARY"),
            "DELETE /addon-attachments/id-of-PRIMARY": attachment("PRIMARY"),
        }
    )
    assert session.type("addons:attach main-db -a jobs --as PRIMARY").err == (
        "Attaching main-db as PRIMARY to jobs... done\nSetting PRIMARY config vars and restarting jobs... done, v7\n"
    )
    assert session.type("addons:detach PRIMARY -a jobs").err == (
        "Detaching PRIMARY to main-db from jobs... done\n"
        "Unsetting PRIMARY config vars and restarting jobs... done, v7\n"
    )


def test_destroying_wants_the_apps_name() -> None:
    answers = {**FOUND, "DELETE /apps/demo/addons/id-of-main-db": addon(state="deprovisioned")}
    session = Session(answers)
    shown = session.type("addons:destroy main-db -a demo --confirm demo --force")
    assert shown == Shown(0, "", "Destroying main-db on demo... done\n")
    assert session.requests[-1].endswith('{"force": true}')
    unsure = Session(answers)
    assert unsure.type("addons:destroy main-db -a demo").code == 2
    assert not any(request.startswith("DELETE") for request in unsure.requests)
    assert Session(answers).type("addons:destroy main-db -a jobs --confirm jobs") == Shown(
        1, "", failure("That add-on is on demo, not jobs.\nIf you mean it: --app demo", "wrong_app")
    )


def test_pages_by_their_address() -> None:
    url = "https://devcenter.heroku.com/articles/heroku-postgresql\n"
    assert Session(FOUND).type("addons:open DATABASE -a demo --show-url").out == url
    known = {"GET /addon-services/heroku-postgresql": {"name": "heroku-postgresql"}}
    assert Session(known).type("addons:docs heroku-postgresql:mini --show-url").out == url
    assert Session(FOUND).type("addons:docs main-db --show-url").out == url


def test_the_commands_that_a_server_names_are_ours() -> None:
    """The server says `heroku …` to everybody; whoever types `homeport` may not have the other one."""
    said = "See `heroku addons:plans heroku-redis`, or push: `git push heroku main`."
    said += "\n\n  heroku logs\n  heroku authorizations"
    session = Session({"POST /apps/demo/addons": Refusal(422, "invalid_params", said)})
    shown = session.type("addons:create redis -a demo").err
    assert "See `homeport addons:plans heroku-redis`, or push: `git push heroku main`." in shown
    assert "  homeport logs\n" in shown
    assert "heroku logs" not in shown
    assert "  heroku authorizations\n" in shown  # a command that only the official CLI has
