"""The small topics, as terminal sessions: access, buildpacks, domains, features, keys, labs, maintenance, regions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from homeport.cli.topics.domains import is_apex
from homeport.cli.transport import Reply
from tests.unit.cli.cli_session import Refusal, Session, Shown, app, failure

ACCOUNT = {"email": "ada@example.com", "id": "u1"}


def test_access() -> None:
    people = [
        {"user": {"email": "zoe@example.com"}, "role": None, "permissions": []},
        {"user": {"email": "ada@example.com"}, "role": "owner", "permissions": [{"name": "view"}, {"name": "deploy"}]},
    ]
    session = Session({"GET /apps/demo/collaborators": people})
    assert session.type("access -a demo") == Shown(
        0,
        "  email             role           permissions\n"
        " ───────────────────────────────────────────────\n"
        "  ada@example.com   owner          deploy, view\n"
        "  zoe@example.com   collaborator\n\n",
    )
    assert json.loads(session.type("access --json -a demo").out) == people


def test_access_is_given_and_taken() -> None:
    session = Session({"POST /apps/demo/collaborators": {}, "DELETE /apps/demo/collaborators/zoe%40example.com": {}})
    assert session.type("access:add zoe@example.com -a demo") == Shown(
        0, "", "Adding zoe@example.com access to the app demo... done\n"
    )
    session.type("access:add zoe@example.com -p view,deploy -a demo")
    assert session.type("access:remove zoe@example.com -a demo") == Shown(
        0, "", "Removing zoe@example.com access from the app demo... done\n"
    )
    assert session.requests == [
        'POST /apps/demo/collaborators {"user": "zoe@example.com"}',
        'POST /apps/demo/collaborators {"user": "zoe@example.com", "permissions": ["deploy", "view"]}',
        "DELETE /apps/demo/collaborators/zoe%40example.com",
    ]


def installed(*urls: str) -> list[dict[str, Any]]:
    return [{"ordinal": place, "buildpack": {"name": url, "url": url}} for place, url in enumerate(urls)]


REGISTRY = "https://buildpack-registry.s3.amazonaws.com/buildpacks/heroku/nodejs.tgz"
INSTALLATIONS = "/apps/demo/buildpack-installations"


def test_buildpacks_are_listed() -> None:
    assert Session({f"GET {INSTALLATIONS}": installed("https://x.example/y", REGISTRY)}).type(
        "buildpacks -a demo"
    ) == Shown(
        0,
        "=== demo Classic Buildpacks (from the Heroku Buildpack Registry)\n\n"
        "1. https://x.example/y\n2. heroku/nodejs\n",
    )
    assert (
        Session({f"GET {INSTALLATIONS}": installed(REGISTRY)})
        .type("buildpacks -a demo")
        .out.endswith("Classic Buildpack (from the Heroku Buildpack Registry)\n\nheroku/nodejs\n")
    )
    assert Session({f"GET {INSTALLATIONS}": []}).type("buildpacks -a demo").out == "demo has no Buildpacks.\n"


@pytest.mark.parametrize(
    ("line", "sent", "out"),
    [
        ("set c", ["c", "b"], "Buildpack set. Next release on demo will use:\n  1. a\n  2. b\n"),
        ("set c -i 2", ["a", "c"], "Buildpack set. Next release"),
        ("set c -i 9", ["a", "b", "c"], "Buildpack set. Next release"),
        ("add c", ["a", "b", "c"], "Buildpack added. Next release"),
        ("add c --index 1", ["c", "a", "b"], "Buildpack added. Next release"),
        ("remove a", ["b"], "Buildpack removed. Next release"),
        ("remove -i 2", ["a"], "Buildpack removed. Next release"),
        ("clear", [], "Buildpacks cleared. Next release on demo will detect buildpacks normally.\n"),
    ],
)
def test_changing_buildpacks_sends_the_whole_list(line: str, sent: list[str], out: str) -> None:
    session = Session({f"GET {INSTALLATIONS}": installed("a", "b"), f"PUT {INSTALLATIONS}": installed("a", "b")})
    shown = session.type(f"buildpacks:{line} -a demo")
    assert shown.code == 0
    assert shown.out.startswith(out)
    updates = [{"buildpack": url} for url in sent]
    assert session.requests[-1] == f"PUT {INSTALLATIONS} {json.dumps({'updates': updates})}"


def test_one_buildpack_is_told_in_one_sentence() -> None:
    session = Session({f"GET {INSTALLATIONS}": [], f"PUT {INSTALLATIONS}": installed("heroku/python")})
    assert session.type("buildpacks:set heroku/python -a demo -r prod") == Shown(
        0,
        "Buildpack set. Next release on demo will use heroku/python.\n"
        "Run git push prod main to create a new release using this buildpack.\n",
    )


@pytest.mark.parametrize(
    ("line", "code", "id"),
    [
        ("add heroku/nodejs", 1, "buildpack_already_set"),
        (f"set {REGISTRY}", 1, "buildpack_already_set"),
        ("add x -i 0", 2, "usage"),
        ("remove", 2, "usage"),
        ("remove x -i 1", 2, "usage"),
        ("remove x", 1, "buildpack_not_found"),
        ("remove -i 2", 2, "usage"),
    ],
)
def test_a_wrong_buildpack_changes_nothing(line: str, code: int, id: str) -> None:
    session = Session({f"GET {INSTALLATIONS}": installed(REGISTRY)})
    shown = session.type(f"buildpacks:{line} -a demo")
    assert (shown.code, f"Error ID: {id}\n" in shown.err) == (code, True)
    assert not any(request.startswith("PUT") for request in session.requests)


def domain(hostname: str, kind: str = "custom", **changes: Any) -> dict[str, Any]:
    target = None if kind == "heroku" else "demo.example.net"
    return {"id": f"id-{hostname}", "hostname": hostname, "kind": kind, "cname": target, "status": "none", **changes}


DOMAINS = [
    domain("demo.localhost", "heroku"),
    domain("www.example.com", sni_endpoint={"name": "cert-1"}),
    domain("example.org"),
]


def test_domains_are_listed() -> None:
    session = Session({"GET /apps/demo/domains": DOMAINS})
    assert session.type("domains -a demo") == Shown(
        0,
        "=== demo Heroku Domain\n\ndemo.localhost\n\n\n=== demo Custom Domains\n\n"
        "  Domain Name       DNS Record Type   DNS Target         SNI Endpoint\n"
        " ─────────────────────────────────────────────────────────────────────\n"
        "  www.example.com   CNAME             demo.example.net   cert-1\n"
        "  example.org       ALIAS or ANAME    demo.example.net\n\n",
    )
    assert json.loads(session.type("domains --json -a demo").out) == DOMAINS
    only = Session({"GET /apps/demo/domains": DOMAINS[:1]})
    assert only.type("domains -a demo").out == "=== demo Heroku Domain\n\ndemo.localhost\n"


def test_a_domain_is_added_removed_and_cleared() -> None:
    session = Session(
        {
            "POST /apps/demo/domains": domain("www.example.com"),
            "GET /apps/demo/domains": DOMAINS,
            "DELETE /apps/demo/domains/www.example.com": {},
            "DELETE /apps/demo/domains/example.org": {},
        }
    )
    assert session.type("domains:add www.example.com -a demo") == Shown(
        0,
        "Configure your app's DNS provider to point to the DNS Target demo.example.net.\n",
        "Adding www.example.com to demo... done\n",
    )
    assert session.requests == ['POST /apps/demo/domains {"hostname": "www.example.com", "sni_endpoint": null}']
    assert session.type("domains:remove www.example.com -a demo") == Shown(
        0, "", "Removing www.example.com from demo... done\n"
    )
    assert session.type("domains:clear -a demo") == Shown(0, "", "Removing all domains from demo... done\n")
    assert "DELETE /apps/demo/domains/demo.localhost" not in session.requests
    assert session.requests[-1] == "DELETE /apps/demo/domains/example.org"


def test_waiting_for_a_domain() -> None:
    pending = domain("www.example.com", status="pending")
    looks = [Reply(200, {}, json.dumps(found).encode()) for found in (pending, {**pending, "status": "succeeded"})]
    answers = {"POST /apps/demo/domains": pending, "GET /apps/demo/domains/id-www.example.com": looks}
    session = Session(answers)
    shown = session.type("domains:add www.example.com --wait -a demo")
    assert shown.err == "Adding www.example.com to demo... done\nWaiting for www.example.com... done\n"
    assert len(session.slept) == 2
    later = Session({"POST /apps/demo/domains": pending}).type("domains:add www.example.com -a demo").out
    assert later.endswith("Run homeport domains:wait www.example.com to wait for completion\n")
    failed = Session({"GET /apps/demo/domains/www.example.com": domain("www.example.com", status="failed")})
    assert "finished with status failed" in failed.type("domains:wait www.example.com -a demo").err


def test_information_about_a_domain() -> None:
    found = domain("www.example.com", app={"name": "demo"}, acm_status=None)
    shown = Session({"GET /apps/demo/domains/www.example.com": found}).type("domains:info www.example.com -a demo")
    assert shown.out == (
        "id:       id-www.example.com\nhostname: www.example.com\nkind:     custom\ncname:    demo.example.net\n"
        "status:   none\napp:      demo\n"
    )


@pytest.mark.parametrize(
    ("hostname", "apex"),
    [
        ("example.com", True),
        ("www.example.com", False),
        ("example.co.uk", True),
        ("a.example.co.uk", False),
        ("*.example.com", False),
        ("localhost", True),
        ("co.example.com", False),
    ],
)
def test_an_apex_cannot_have_a_cname(hostname: str, apex: bool) -> None:
    assert is_apex(hostname) is apex


def feature(name: str, *, enabled: bool = False, state: str = "general") -> dict[str, Any]:
    return {
        "name": name,
        "description": f"Does {name}",
        "enabled": enabled,
        "state": state,
        "doc_url": "https://x.example",
    }


FEATURES = [feature("zed", enabled=True), feature("log-metrics"), feature("beta", state="beta", enabled=True)]


def test_features() -> None:
    session = Session({"GET /apps/demo/features": FEATURES})
    assert session.type("features -a demo") == Shown(
        0, "=== App Features demo\n\n[ ] log-metrics  Does log-metrics\n[+] zed          Does zed\n"
    )
    assert [each["name"] for each in json.loads(session.type("features --json -a demo").out)] == ["log-metrics", "zed"]
    assert Session({"GET /apps/demo/features/zed": FEATURES[0]}).type("features:info zed -a demo").out == (
        "=== zed\n\nDescription: Does zed\nDocs:        https://x.example\nEnabled:     true\n"
    )


def test_features_are_switched() -> None:
    session = Session(
        {"GET /apps/demo/features/zed": FEATURES[0], "PATCH /apps/demo/features/zed": {}},
    )
    assert session.type("features:disable zed -a demo") == Shown(0, "", "Disabling zed for demo... done\n")
    assert session.requests[1] == 'PATCH /apps/demo/features/zed {"enabled": false}'
    assert session.type("features:enable zed -a demo") == Shown(
        1, "", "Enabling zed for demo... !\n" + failure("zed is already enabled.", "feature_already_enabled")
    )


LABS = {"GET /account": ACCOUNT, "GET /account/features": [feature("lab", state="beta"), feature("plain")]}


def test_labs_are_the_accounts_and_the_apps() -> None:
    session = Session({**LABS, "GET /apps/demo/features": FEATURES})
    assert session.type("labs -a demo") == Shown(
        0,
        "=== User Features ada@example.com\n\n[ ] lab  Does lab\n\n=== App Features demo\n\n[+] beta  Does beta\n",
    )
    assert Session(LABS).type("labs").out == "=== User Features ada@example.com\n\n[ ] lab  Does lab\n"
    assert json.loads(Session(LABS).type("labs --json").out) == {"app": None, "user": LABS["GET /account/features"]}


def test_labs_are_switched_where_they_belong() -> None:
    missing = Refusal(404, "not_found", "Couldn't find that feature.")
    of_app = Session(
        {
            "GET /account/features/beta": missing,
            "GET /apps/demo/features/beta": FEATURES[2],
            "PATCH /apps/demo/features/beta": {},
        }
    )
    assert of_app.type("labs:disable beta -a demo") == Shown(0, "", "Disabling beta for demo... done\n")
    of_account = Session({**LABS, "GET /account/features/lab": {}, "PATCH /account/features/lab": {}})
    assert of_account.type("labs:enable lab") == Shown(0, "", "Enabling lab for ada@example.com... done\n")
    assert Session({"GET /account/features/no": missing}).type("labs:enable no").code == 2


KEYS = [
    {
        "id": "k1",
        "email": "ada@example.com",
        "comment": "ada@laptop",
        "public_key": "ssh-rsa AAAAB3NzaC1yc2EAAAADAQAB ada@laptop",
    }
]


def test_keys() -> None:
    session = Session({"GET /account/keys": KEYS, "DELETE /account/keys/k1": {}})
    assert session.type("keys") == Shown(0, "=== ada@example.com keys\n\nssh-rsa AAAAB3NzaC...EAAAADAQAB ada@laptop\n")
    assert session.type("keys -l").out.endswith(KEYS[0]["public_key"] + "\n")
    assert session.type("keys:remove ada@laptop") == Shown(0, "", "Removing ada@laptop SSH key... done\n")
    assert session.type("keys:remove nope") == Shown(
        1,
        "",
        "Removing nope SSH key... !\n" + failure("SSH Key nope not found.\nFound keys: ada@laptop.", "key_not_found"),
    )
    assert session.type("keys:clear") == Shown(0, "", "Removing all SSH keys... done\n")
    assert session.requests[-1] == "DELETE /account/keys/k1"
    assert Session({"GET /account/keys": []}).type("keys") == Shown(0, "", " ›   Warning: You have no SSH keys.\n")


def test_a_key_is_added_from_a_file_and_a_private_one_is_not(tmp_path: Path) -> None:
    public, private = tmp_path / "id.pub", tmp_path / "id"
    public.write_text("ssh-ed25519 AAAA ada@laptop\n")
    private.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    session = Session({"POST /account/keys": {}})
    assert session.type(f"keys:add {public}") == Shown(0, "", f"Uploading {public} SSH key... done\n")
    assert "Error ID: private_key" in session.type(f"keys:add {private}").err
    assert "Error ID: key_unreadable" in session.type(f"keys:add {tmp_path}/nope").err
    assert session.requests == ['POST /account/keys {"public_key": "ssh-ed25519 AAAA ada@laptop\\n"}']


def test_the_only_key_of_a_user_is_offered(tmp_path: Path) -> None:
    session = Session({"POST /account/keys": {}}, home=tmp_path)
    assert "Error ID: key_missing" in session.type("keys:add").err
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/id.pub").write_text("ssh-ed25519 AAAA")
    assert session.type("keys:add", typed="n\n").code == 1
    assert session.requests == []
    assert session.type("keys:add", typed="y\n").code == 0
    assert session.type("keys:add --yes").code == 0
    (tmp_path / ".ssh/other.pub").write_text("ssh-ed25519 BBBB")
    assert "Error ID: several_keys" in session.type("keys:add --yes").err
    assert len(session.requests) == 2


def test_maintenance() -> None:
    session = Session({"GET /apps/demo": app(maintenance=True), "PATCH /apps/demo": app()})
    assert session.type("maintenance -a demo") == Shown(0, "on\n")
    assert Session({"GET /apps/demo": app()}).type("maintenance -a demo") == Shown(0, "off\n")
    assert session.type("maintenance:on -a demo") == Shown(0, "", "Enabling maintenance mode for demo... done\n")
    assert session.type("maintenance:off -a demo") == Shown(0, "", "Disabling maintenance mode for demo... done\n")
    assert session.requests[-1] == 'PATCH /apps/demo {"maintenance": false}'


def test_regions() -> None:
    regions = [
        {"name": "virginia", "description": "Virginia, US", "private_capable": True},
        {"name": "us", "description": "United States", "private_capable": False},
        {"name": "eu", "description": "Europe", "private_capable": False},
    ]
    session = Session({"GET /regions": regions})
    assert session.type("regions") == Shown(
        0,
        "  ID         Location        Runtime\n"
        " ───────────────────────────────────────────\n"
        "  eu         Europe          Common Runtime\n"
        "  us         United States   Common Runtime\n"
        "  virginia   Virginia, US    Private Spaces\n\n",
    )
    assert [each["name"] for each in json.loads(session.type("regions --common --json").out)] == ["eu", "us"]
    assert [each["name"] for each in json.loads(session.type("regions --private --json").out)] == ["virginia"]
