"""`homeport pipelines`, as terminal sessions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from homeport.cli.topics.pipelines import guess
from tests.unit.cli.cli_session import Refusal, Session, Shown

SHOP = {"id": "pipe-1", "name": "shop", "owner": {"id": "user-1", "type": "user"}}
STAGED: dict[str, Any] = {
    "GET /pipelines/shop": SHOP,
    "GET /apps/shop-staging/pipeline-couplings": {
        "id": "coupling-1", "app": {"id": "app-1"}, "pipeline": {"id": "pipe-1", "name": "shop"}, "stage": "staging",
    },
    "GET /pipelines/pipe-1/pipeline-couplings": [
        {"id": "coupling-2", "app": {"id": "app-2"}, "stage": "production"},
        {"id": "coupling-1", "app": {"id": "app-1"}, "stage": "staging"},
    ],
    "POST /filters/apps": [
        {"id": "app-2", "name": "shop", "owner": {"id": "user-1", "email": "ada@example.com"}},
        {"id": "app-1", "name": "shop-staging", "owner": {"id": "user-1", "email": "ada@example.com"}},
    ],
}  # fmt: skip
PROMOTION = "POST /pipeline-promotions"
TARGETS = "GET /pipeline-promotions/promotion-1/promotion-targets"


def target(status: str, error: str | None = None, release: str | None = "release-1") -> dict[str, Any]:
    return {
        "app": {"id": "app-2"},
        "status": status,
        "error_message": error,
        "release": {"id": release} if release else None,
    }


def promoted(*answers: list[dict[str, Any]]) -> dict[str, Any]:
    from tests.unit.cli.cli_session import Part

    release = {"output_stream_url": None}
    return {
        **STAGED,
        PROMOTION: {"id": "promotion-1"},
        TARGETS: [Part(found) for found in answers],
        "GET /apps/app-2/releases/release-1": release,
    }


@pytest.mark.parametrize(
    ("app", "guessed"),
    [
        ("shop-staging", ("shop", "staging")),
        ("shop-dev", ("shop", "development")),
        ("shop-prod", ("shop", "production")),
        ("shop", ("shop", "production")),
        ("staging-shop", ("staging-shop", "production")),
    ],
)
def test_a_name_suggests_a_pipeline_and_a_stage(app: str, guessed: tuple[str, str]) -> None:
    assert guess(app) == guessed


def test_create_and_add() -> None:
    session = Session({"POST /pipelines": SHOP, "POST /pipeline-couplings": {}, **STAGED})
    assert session.type("pipelines:create -a shop-staging") == Shown(
        0, "", "Creating shop pipeline... done\nAdding shop-staging to shop pipeline as staging... done\n"
    )
    assert session.type("pipelines:add shop -a other -s development") == Shown(
        0, "", "Adding other to shop pipeline as development... done\n"
    )
    asked = [json.loads(line.split(" ", 2)[2]) for line in session.api.requests if line.startswith("POST /pipeline-")]
    assert asked == [
        {"app": "shop-staging", "pipeline": "pipe-1", "stage": "staging"},
        {"app": "other", "pipeline": "pipe-1", "stage": "development"},
    ]


def test_list_and_info() -> None:
    session = Session({"GET /pipelines": [SHOP], **STAGED})
    assert session.type("pipelines") == Shown(0, "=== My Pipelines\n\nshop\n")
    assert json.loads(session.type("pipelines --json").out) == [SHOP]
    shown = session.type("pipelines:info shop").out
    assert shown.splitlines()[:3] == ["=== shop", "", "owner: ada@example.com"]
    assert [line.split() for line in shown.splitlines()[-3:-1]] == [["shop-staging", "staging"], ["shop", "production"]]
    whole = json.loads(session.type("pipelines:info shop --json").out)
    assert [app["pipelineCoupling"]["stage"] for app in whole["apps"]] == ["staging", "production"]


def test_update_remove_rename_destroy() -> None:
    answers = {
        **STAGED,
        "PATCH /pipeline-couplings/coupling-1": {},
        "DELETE /pipeline-couplings/coupling-1": {},
        "PATCH /pipelines/pipe-1": {},
        "DELETE /pipelines/pipe-1": {},
    }
    session = Session(answers)
    assert session.type("pipelines:update -s production -a shop-staging").code == 0
    assert session.type("pipelines:update -a shop-staging").code == 2
    assert session.type("pipelines:remove -a shop-staging").err == "Removing shop-staging... done\n"
    assert session.type("pipelines:rename shop store").err == "Renaming shop pipeline to store... done\n"
    assert session.type("pipelines:destroy shop").err == "Destroying shop pipeline... done\n"


def test_promote_waits_until_nothing_is_pending() -> None:
    session = Session(promoted([target("pending", release=None)], [target("pending")], [target("succeeded")]))
    shown = session.type("pipelines:promote -a shop-staging")
    assert (shown.code, shown.out) == (0, "\nPromotion successful\nshop: succeeded\n")
    asked = next(line for line in session.api.requests if line.startswith(PROMOTION))
    assert json.loads(asked.removeprefix(PROMOTION)) == {
        "pipeline": {"id": "pipe-1"},
        "source": {"app": {"id": "app-1"}},
        "targets": [{"app": {"id": "app-2"}}],
    }


def test_a_promotion_that_fails_says_where_and_why() -> None:
    session = Session(promoted([target("failed", "It did not start.")]))
    shown = session.type("pipelines:promote -a shop-staging --to shop")
    assert shown.code == 1
    assert shown.out == "shop: failed\n      It did not start.\n"
    assert "Promotion to some apps failed" in shown.err
    failed = Session(promoted([target("failed", "It did not start.")])).type("pipelines:promote -a shop-staging --json")
    assert (failed.code, json.loads(failed.out)[0]["status"]) == (1, "failed")


@pytest.mark.parametrize(
    ("typed", "what"),
    [
        ("--to shop-staging", "Cannot promote from an app to itself"),
        ("--to nope", "Cannot find app nope"),
    ],
)
def test_promote_to_what_cannot_be(typed: str, what: str) -> None:
    shown = Session(STAGED).type(f"pipelines:promote -a shop-staging {typed}")
    assert (shown.code, what in shown.err) == (2, True)


def test_production_has_nothing_downstream() -> None:
    coupling = {**STAGED["GET /apps/shop-staging/pipeline-couplings"], "stage": "production"}
    shown = Session({**STAGED, "GET /apps/shop/pipeline-couplings": coupling}).type("pipelines:promote -a shop")
    assert "Cannot promote shop from 'production' stage" in shown.err
    alone = {**STAGED, "POST /filters/apps": [STAGED["POST /filters/apps"][1]]}
    assert "no downstream apps in production stage" in Session(alone).type("pipelines:promote -a shop-staging").err


def difference(**more: Any) -> dict[str, Any]:
    return {
        "source": {"app": {"name": "shop-staging"}, "commit": "b" * 40},
        "target": {"app": {"name": "shop"}, "commit": "a" * 40},
        "ahead_by": 0,
        "behind_by": 0,
        "commits": [],
        **more,
    }


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (difference(), "shop-staging is up to date with shop"),
        (difference(target={"app": {"name": "shop"}, "commit": None}), "shop does not have any releases"),
        (difference(ahead_by=None, behind_by=None), "their commits are not in their repositories"),
        (difference(behind_by=2), "=== shop-staging is ahead of shop by 0 commits, and behind by 2"),
    ],
)
def test_diff_in_words(found: dict[str, Any], shown: str) -> None:
    session = Session({"GET /apps/shop-staging/pipeline-differences": [found]})
    assert shown in session.type("pipelines:diff -a shop-staging").out


def test_diff_lists_commits() -> None:
    commits = [{"sha": "b" * 40, "date": "2026-01-31T12:00:00Z", "author": "Ada", "message": "Count words"}]
    answers = {"GET /apps/shop-staging/pipeline-differences": [difference(ahead_by=3, commits=commits)]}
    shown = Session(answers).type("pipelines:diff -a shop-staging")
    assert "=== shop-staging is ahead of shop by 3 commits" in shown.out
    assert "bbbbbbb   2026-01-31T12:00:00Z   Ada      Count words" in shown.out
    assert "… and 2 more" in shown.out
    assert json.loads(Session(answers).type("pipelines:diff -a shop-staging --json").out)[0]["ahead_by"] == 3


def test_transfer_says_what_the_server_says() -> None:
    answers = {**STAGED, "GET /users/bob@example.com": {"id": "user-2"}, "POST /pipeline-transfers": Refusal(422, "x")}
    assert Session(answers).type("pipelines:transfer bob@example.com -p shop").code == 2
