"""The stages of a pipeline, in Heroku's words."""

from __future__ import annotations

from enum import Enum

from homeport.errors import Invalid


class Stage(Enum):
    """Where in its pipeline an app stands."""

    TEST = "test"  # of Heroku CI's throw-away apps
    REVIEW = "review"  # an app per branch, to look at before it is merged
    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def downstream(self) -> Stage | None:
        """Where a promotion goes if nobody says; None at the end, and for apps that are thrown away.

        The official CLI goes by the same order, without asking.
        """
        return _NEXT.get(self)


_NEXT = {Stage.DEVELOPMENT: Stage.STAGING, Stage.STAGING: Stage.PRODUCTION}


def stage_named(name: str) -> Stage:
    """Raises `Invalid`."""
    try:
        return Stage(name)
    except ValueError:
        known = ", ".join(stage.value for stage in Stage)
        raise Invalid(f"{name[:40]!r} is not a stage.", fix=f"Use one of: {known}.") from None
