"""What one app has that another has not: the commits between what two apps run.

Heroku asks GitHub; here both repositories are at hand, and git looks into both at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from homeport import git, releases
from homeport.errors import Invalid
from homeport.state import App, Database

SHOWN = 100
"""Commits that are listed; all are counted."""


@dataclass(frozen=True)
class Comparison:
    """`commits` are what the first app has and the second has not, newest first: `ahead` of them, some left out.

    `behind` is how many the second one has for itself. Counts are None when git knows no commit of one of them.
    """

    source: App
    target: App
    source_commit: str | None
    target_commit: str | None
    ahead: int | None = None
    behind: int | None = None
    commits: Sequence[git.Entry] = ()


class Comparer:
    """Compares what apps run."""

    def __init__(self, database: Database, repositories: git.Repositories) -> None:
        self._database = database
        self._repositories = repositories

    async def compare(self, source: App, target: App) -> Comparison:
        """Raises `Invalid` (`nothing_to_compare`) when nothing was ever deployed to the source."""
        ours, theirs = await self._database.run(_commits, source, target)
        if ours is None:
            raise Invalid(
                f"No release was found for {source.name}, unable to diff.",
                id="nothing_to_compare",
                fix="Deploy to it first.",
            )
        known = Comparison(source, target, ours, theirs)
        if ours == theirs:
            return Comparison(source, target, ours, theirs, 0, 0)
        if theirs is None:
            return known
        objects = await self._repositories.open(source.id)
        both = objects.beside(await self._repositories.open(target.id))
        counts = await both.divergence(ours, theirs)
        if counts is None:
            return known
        ahead, behind = counts
        return Comparison(source, target, ours, theirs, ahead, behind, await both.history(ours, theirs, SHOWN))


def _commits(session: Session, *apps: App) -> list[str | None]:
    """What the current releases of these apps were built from."""
    slugs = [releases.current(session, session.get_one(App, app.id)).slug for app in apps]
    return [slug.commit if slug is not None else None for slug in slugs]
