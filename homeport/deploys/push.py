"""What a push means: which ref is deployed, which is only stored, which is refused."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from homeport.errors import Invalid
from homeport.git import Push, Update

DEPLOYED = ("refs/heads/main", "refs/heads/master")
"""https://devcenter.heroku.com/articles/git#deploy-your-code: only these branches are built."""

_REF = re.compile(r"refs/(heads|tags|notes)/[^\x00-\x20\x7f~^:?*\[\\]+")


@dataclass(frozen=True)
class Decision:
    """`deploy` is built and released, `stored` are only kept."""

    deploy: Update | None
    stored: tuple[Update, ...]


def decide(updates: tuple[Update, ...]) -> Decision:
    """Raises `Invalid` for a push that cannot be meant."""
    for update in updates:
        if not _REF.fullmatch(update.ref) or ".." in update.ref or len(update.ref) > 250:
            raise Invalid(
                f"{update.ref[:80]!r} cannot be pushed here.",
                id="ref_refused",
                why="Only branches and tags with ordinary names are kept.",
                fix="Push a branch: `git push heroku main`.",
            )
        if update.ref in DEPLOYED and update.new is None:
            raise Invalid(
                f"{_short(update.ref)} cannot be deleted: it is the branch that deploys.",
                id="branch_delete_refused",
                fix="Push another commit to it, or `heroku apps:destroy` to remove the app.",
            )
    deployed = [update for update in updates if update.ref in DEPLOYED]
    if len(deployed) > 1:
        raise Invalid(
            "This push has both main and master.",
            id="two_deploy_branches",
            why="Either of them deploys, and only one can be what runs.",
            fix="Push one of them: `git push heroku main`.",
        )
    stored = tuple(update for update in updates if update.ref not in DEPLOYED)
    return Decision(deployed[0] if deployed else None, stored)


DeployUpdate = Callable[[Push, Update, Callable[[str], None]], Awaitable[None]]


class PushPolicy:
    """The `decide` of `git.Receiver`."""

    def __init__(self, deploy: DeployUpdate) -> None:
        self._deploy = deploy

    async def __call__(self, push: Push, say: Callable[[str], None]) -> None:
        decision = decide(push.updates)
        await _refuse_overtaken(push)
        if decision.deploy is not None:
            await self._deploy(push, decision.deploy, say)
        elif any(update.ref.startswith("refs/heads/") and update.new for update in decision.stored):
            names = ", ".join(_short(update.ref) for update in decision.stored if update.new)
            say("")
            say(f"-----> Pushed to {names}: stored, not deployed. Only main and master deploy.")
            say(f"       To deploy this branch: git push heroku {names.split(', ')[0]}:main")
            say("")


async def _refuse_overtaken(push: Push) -> None:
    """Somebody else's push came first: this one may follow it, but must not undo it unseen."""
    for update in push.updates:
        if update.ref not in push.moved or update.old is None or update.new is None:
            continue
        if not await push.objects.leads_to(update.old, update.new):
            raise Invalid(
                f"{_short(update.ref)} has moved to {update.old[:8]} since you last looked.",
                id="branch_moved",
                why="Another push came before this one, and has commits that this one does not.",
                fix="Fetch and merge them (`git pull heroku main`), then push again.",
            )


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
