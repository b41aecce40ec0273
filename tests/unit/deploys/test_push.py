import asyncio
from pathlib import Path

import pytest

from homeport.deploys import PushPolicy, Turns
from homeport.deploys.push import decide
from homeport.errors import Invalid
from homeport.git import Objects, Push, Update

NEW, OLD = "a" * 40, "b" * 40


@pytest.mark.parametrize("branch", ["main", "master"])
def test_main_and_master_deploy(branch: str) -> None:
    decision = decide((Update(None, NEW, f"refs/heads/{branch}"),))
    assert decision.deploy is not None
    assert decision.stored == ()


def test_other_branches_and_tags_are_stored_beside_a_deploy() -> None:
    branch, tag = Update(None, NEW, "refs/heads/feature/x"), Update(None, NEW, "refs/tags/v1")
    decision = decide((Update(OLD, NEW, "refs/heads/main"), branch, tag))
    assert decision.deploy is not None
    assert [update.ref for update in decision.stored] == ["refs/heads/feature/x", "refs/tags/v1"]


@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/../../etc/passwd", "refs/heads/$(reboot)\n", "refs/heads/a b", "HEAD", "refs/hooks/pre-receive",
        "refs/heads/", "refs/heads/a:b", "refs/heads/" + "x" * 300, "", "refs/heads/a\x00b", "refs/heads/a\\b",
    ],
)  # fmt: skip
def test_hostile_ref_names_are_refused(ref: str) -> None:
    with pytest.raises(Invalid) as caught:
        decide((Update(None, NEW, ref),))
    assert caught.value.id == "ref_refused"


def test_the_branch_that_deploys_cannot_be_deleted() -> None:
    with pytest.raises(Invalid) as caught:
        decide((Update(OLD, None, "refs/heads/main"),))
    assert caught.value.id == "branch_delete_refused"


def test_main_and_master_at_once_are_refused() -> None:
    with pytest.raises(Invalid) as caught:
        decide((Update(None, NEW, "refs/heads/main"), Update(None, OLD, "refs/heads/master")))
    assert caught.value.id == "two_deploy_branches"


def test_a_stored_branch_is_said_to_be_stored() -> None:
    said: list[str] = []

    async def deploy(push: Push, update: Update, say: object) -> None:
        raise AssertionError("nothing is to be deployed")

    push = Push("app", "user", (Update(None, NEW, "refs/heads/try"),), Objects(Path()))
    asyncio.run(PushPolicy(deploy)(push, said.append))
    assert "-----> Pushed to try: stored, not deployed. Only main and master deploy." in said
    assert "       To deploy this branch: git push heroku try:main" in said


def test_two_deploys_of_an_app_take_turns_and_others_do_not_wait() -> None:
    order: list[str] = []
    said: list[str] = []

    async def scenario() -> None:
        turns, inside, finish = Turns(), asyncio.Event(), asyncio.Event()

        async def first() -> None:
            async with turns.take("shop", order.append):
                inside.set()
                await finish.wait()
                order.append("first")

        async def second() -> None:
            await inside.wait()
            async with turns.take("shop", said.append):
                order.append("second")

        async def other() -> None:
            await inside.wait()
            async with turns.take("other", said.append):
                order.append("other")
            finish.set()

        await asyncio.gather(first(), second(), other())
        assert not turns.busy("shop")

    asyncio.run(scenario())
    assert order == ["other", "first", "second"]
    assert len(said) == 1
    assert "under way" in said[0]
