"""`homeport apps`, `create`, `info`, `rename`, `destroy`, `open`, as terminal sessions."""

from __future__ import annotations

import json
import webbrowser

import pytest

from homeport.cli.transport import Reply
from tests.unit.cli.cli_session import Part, Refusal, Session, Shown, app, failure

ACCOUNT = {"email": "ada@example.com", "id": "u1"}
REMOTE = "https://localhost:8443/demo.git"


def test_apps_are_listed_own_ones_first() -> None:
    foreign = app("shared", owner={"email": "bob@example.com"}, region={"name": "eu"})
    session = Session({"GET /users/~/apps": [app("zoo"), foreign, app("azeu")], "GET /account": ACCOUNT})
    assert session.type("apps") == Shown(
        0,
        "=== ada@example.com Apps\n\nazeu\nzoo\n\nCollaborated Apps\n\n"
        "  Name          Email\n ───────────────────────────────\n  shared (eu)   bob@example.com\n\n",
    )


def test_no_apps_is_said() -> None:
    assert Session({"GET /users/~/apps": []}).type("apps") == Shown(0, "You have no apps.\n")
    assert Session({"GET /apps": []}).type("apps --all --json") == Shown(0, "[]\n")


def test_a_list_that_comes_in_parts_is_shown_whole() -> None:
    parts = [Part([app("a")], next="name c..; max=1"), Part([app("b")])]
    session = Session({"GET /users/~/apps": parts})
    assert [found["name"] for found in json.loads(session.type("apps --json").out)] == ["a", "b"]
    assert session.api.headers[1]["Range"] == "name c..; max=1"


def test_create_without_a_name_shows_the_one_that_was_made() -> None:
    session = Session({"POST /apps": app()})
    assert session.type("create") == Shown(
        0, f"https://demo.localhost:8443/ | {REMOTE}\n", "Creating app... done, demo\n"
    )
    assert session.requests == ["POST /apps {}"]


def test_create_takes_everything_that_herokus_does() -> None:
    session = Session(
        {
            "GET /addon-services/a/plans/b": {},
            "GET /addon-services/c": {},
            "POST /apps": app(region={"name": "eu"}),
            "POST /apps/demo/addons": {},
            "PUT /apps/demo/buildpack-installations": [],
        }
    )
    shown = session.type("apps:create demo --region eu -s heroku-24 -b https://x.example/y --addons a:b,c")
    assert shown.err == (
        "Creating demo... done, region is eu, stack is heroku-24\n"
        "Adding a:b... done\nAdding c... done\nSetting buildpack to https://x.example/y... done\n"
    )
    assert session.requests == [
        "GET /addon-services/a/plans/b",
        "GET /addon-services/c",
        'POST /apps {"name": "demo", "region": "eu", "stack": "heroku-24"}',
        'POST /apps/demo/addons {"plan": "a:b"}',
        'POST /apps/demo/addons {"plan": "c"}',
        'PUT /apps/demo/buildpack-installations {"updates": [{"buildpack": "https://x.example/y"}]}',
    ]


def test_no_app_is_made_for_an_addon_that_cannot_be_had() -> None:
    refusal = Refusal(404, "not_found", "Couldn't find the add-on plan 'z' of a.")
    session = Session({"POST /apps": app(), "GET /addon-services/c": {}, "GET /addon-services/a/plans/z": refusal})
    assert session.type("create demo --addons c,a:z") == Shown(
        2, "", failure("Couldn't find the add-on plan 'z' of a.", "not_found")
    )
    assert session.requests == ["GET /addon-services/c", "GET /addon-services/a/plans/z"]


def test_what_was_made_before_a_step_failed_is_said() -> None:
    answers = {
        "GET /addon-services/a": {},
        "GET /addon-services/b": {},
        "POST /apps": app(),
        "POST /apps/demo/addons": [Reply(201, {}, b"{}"), Refusal(503, "unavailable", "Not now.")],
    }
    session = Session(answers, remotes={})
    shown = session.type("create demo --addons a,b --buildpack heroku/python")
    assert shown == Shown(
        2,
        "",
        "Creating demo... done\nAdding a... done\nAdding b... !\n"
        + failure(
            "Not now.\n"
            "The app demo was made and is there. To go on:\n"
            "  homeport addons:create b -a demo\n"
            "  homeport buildpacks:set heroku/python -a demo\n"
            "  homeport git:remote -a demo -r heroku\n"
            "Or to have it gone: homeport apps:destroy -a demo --confirm demo",
            "unavailable",
        ),
    )
    assert session.git.remotes == {}


def test_create_connects_the_checkout_and_its_credentials() -> None:
    session = Session({"POST /apps": app()}, remotes={})
    assert session.type("create demo").code == 0
    assert session.git.remotes == {"heroku": REMOTE}
    helper = session.git.config["credential.https://localhost:8443.helper"]
    assert helper.startswith("!")
    assert helper.endswith(" git:credentials")


def test_create_can_use_another_remote_or_none() -> None:
    session = Session({"POST /apps": app()}, remotes={})
    session.type("create demo --remote staging")
    assert session.git.remotes == {"staging": REMOTE}
    session = Session({"POST /apps": app()}, remotes={})
    session.type("create demo --no-remote")
    assert session.git.remotes == {}


def test_create_leaves_a_remote_that_is_there_and_says_so() -> None:
    session = Session({"POST /apps": app()}, remotes={"heroku": "https://localhost:8443/old.git"})
    shown = session.type("create demo")
    assert shown.code == 0
    assert session.git.remotes == {"heroku": "https://localhost:8443/old.git"}
    assert "homeport git:remote -a demo -r heroku" in shown.err


def test_a_name_that_is_taken_is_the_servers_to_say() -> None:
    session = Session({"POST /apps": Refusal(422, "invalid_params", "Name demo is already taken")})
    assert session.type("create demo") == Shown(
        2, "", "Creating demo... !\n" + failure("Name demo is already taken", "invalid_params")
    )


INFO = {
    "GET /apps/demo": app(),
    "GET /apps/demo/addons": [{"plan": {"name": "heroku-redis:mini"}}, {"plan": {"name": "heroku-postgresql:mini"}}],
    "GET /apps/demo/dynos": [{"type": "web"}, {"type": "web"}, {"type": "worker"}],
    "GET /apps/demo/collaborators": [{"user": {"email": "z@example.com"}}, {"user": {"email": "ada@example.com"}}],
}


@pytest.mark.parametrize("line", ["apps:info -a demo", "apps:info demo", "info -a demo", "apps info demo"])
def test_info_shows_an_app(line: str) -> None:
    assert Session(INFO).type(line) == Shown(
        0,
        "=== demo\n\n"
        "Addons:         heroku-postgresql:mini\n"
        "                heroku-redis:mini\n"
        "Collaborators:  z@example.com\n"
        "Auto Cert Mgmt: false\n"
        "Git URL:        https://localhost:8443/demo.git\n"
        "Web URL:        https://demo.localhost:8443/\n"
        "Repo Size:      121 KB\n"
        "Slug Size:      22 MB\n"
        "Owner:          ada@example.com\n"
        "Region:         us\n"
        "Dynos:          web: 2, worker: 1\n"
        "Stack:          heroku-24\n",
    )


def test_info_for_scripts() -> None:
    assert Session(INFO).type("apps:info -s -a demo") == Shown(
        0,
        "auto_cert_mgmt=false\n"
        "addons=heroku-postgresql:mini,heroku-redis:mini\n"
        "collaborators=z@example.com\n"
        "git_url=https://localhost:8443/demo.git\n"
        "web_url=https://demo.localhost:8443/\n"
        "repo_size=121 KB\n"
        "slug_size=22 MB\n"
        "owner=ada@example.com\n"
        "region=us\n"
        "dynos={ web: 2, worker: 1 }\n"
        "stack=heroku-24\n",
    )


def test_info_of_an_app_that_nothing_was_pushed_to() -> None:
    fresh = app(slug_size=None, repo_size=None, build_stack={"name": "heroku-26"})
    shown = Session({"GET /apps/demo": fresh}).type("info -a demo").out
    assert "Repo Size:      0 B\nSlug Size:      0 B\n" in shown
    assert "Dynos:\n" in shown
    assert "Stack:          heroku-24 (next build will use heroku-26)\n" in shown


def test_rename_takes_the_remotes_along() -> None:
    remotes = {"heroku": REMOTE, "ssh": "git@localhost:demo.git", "other": "https://localhost:8443/demo2.git"}
    session = Session({"PATCH /apps/demo": app("new")}, remotes=remotes)
    assert session.type("rename new -a demo") == Shown(
        0,
        "https://new.localhost:8443/ | https://localhost:8443/new.git\n"
        "Git remote heroku updated\nGit remote ssh updated\n",
        "Renaming demo to new... done\n"
        " ›   Warning: Don't forget to update git remotes for all other local checkouts of the app.\n",
    )
    assert session.git.remotes == {
        "heroku": "https://localhost:8443/new.git",
        "ssh": "git@localhost:new.git",
        "other": "https://localhost:8443/demo2.git",
    }


def test_destroy_with_confirmation_also_removes_the_remotes() -> None:
    session = Session({"GET /apps/demo": app(), "DELETE /apps/demo": app()}, remotes={"heroku": REMOTE, "origin": "x"})
    assert session.type("apps:destroy -a demo --confirm demo") == Shown(
        0, "", "Destroying demo (including all add-ons)... done\n"
    )
    assert session.git.remotes == {"origin": "x"}


@pytest.mark.parametrize("answer", ["demo\n", "  demo  \n"])
def test_destroy_asks_on_a_terminal(answer: str) -> None:
    session = Session({"GET /apps/demo": app(), "DELETE /apps/demo": app()})
    assert session.type("destroy -a demo", typed=answer) == Shown(
        0,
        "",
        " ›   Warning: This will delete demo including all add-ons.\n"
        "To proceed, type demo or re-run this command with --confirm demo: "
        "Destroying demo (including all add-ons)... done\n",
    )


@pytest.mark.parametrize(
    ("line", "typed", "code", "id"),
    [
        ("destroy -a demo --confirm other", None, 1, "confirmation_mismatch"),
        ("destroy -a demo", "other\n", 1, "confirmation_mismatch"),
        ("destroy -a demo", "", 1, "no_answer"),
        ("destroy -a demo", None, 2, "confirmation_required"),
    ],
)
def test_nothing_is_destroyed_without_the_right_word(line: str, typed: str | None, code: int, id: str) -> None:
    session = Session({"GET /apps/demo": app(), "DELETE /apps/demo": app()})
    shown = session.type(line, typed=typed)
    assert shown.code == code
    assert f"Error ID: {id}\n" in shown.err
    assert session.requests == ["GET /apps/demo"]


def test_what_is_destroyed_is_the_app_that_was_confirmed_even_if_an_id_was_given() -> None:
    session = Session({"GET /apps/id-of-demo": app(), "DELETE /apps/demo": app()})
    assert session.type("destroy -a id-of-demo --confirm id-of-demo").code == 1
    assert session.type("destroy -a id-of-demo --confirm demo").code == 0


def test_open_shows_the_url_even_where_there_is_no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def no_browser(url: str) -> bool:
        opened.append(url)
        return False

    monkeypatch.setattr(webbrowser, "open", no_browser)
    shown = Session({"GET /apps/demo": app()}).type("open -a demo /admin")
    assert shown.out == "Opening https://demo.localhost:8443/admin...\n"
    assert shown.err == " ›   Warning: There is no browser here to open it with.\n"
    assert opened == ["https://demo.localhost:8443/admin"]


def test_open_opens_nothing_but_the_web(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda _url: pytest.fail("opened"))
    assert Session({"GET /apps/demo": app()}).type("open -a demo file:///etc/passwd").code == 2


@pytest.mark.parametrize("name", ["../account", "a/b", "..", "a?b#c", "%2e%2e"])
def test_a_hostile_name_is_only_a_name(name: str) -> None:
    session = Session()
    assert session.type(f"info -a '{name}'").code == 2
    assert all(request.count("/") == 2 and "?" not in request for request in session.requests)


def test_stacks_mark_the_one_in_use() -> None:
    stacks = [{"name": "heroku-24"}, {"name": "container"}, {"name": "heroku-22"}]
    session = Session({"GET /apps/demo": app(build_stack={"name": "heroku-22"}), "GET /stacks": stacks})
    assert session.type("stack -a demo") == Shown(
        0, "=== demo Available Stacks\n\n  container\n  heroku-22 (active on next deploy)\n* heroku-24\n"
    )


def test_setting_a_stack_says_what_to_do_next() -> None:
    session = Session({"PATCH /apps/demo": app(build_stack={"name": "heroku-22"})})
    assert session.type("stack:set heroku-22 -a demo") == Shown(
        0,
        "You will need to redeploy demo for the change to take effect.\n"
        "Run git push heroku main to trigger a new build on demo.\n",
        "Setting stack to heroku-22... done\n",
    )
    assert session.requests == ['PATCH /apps/demo {"build_stack": "heroku-22"}']
    assert Session({"PATCH /apps/demo": app()}).type("stack:set heroku-24 -a demo").out == ""
