"""How long things may take, in seconds. The defaults are Heroku's where it has some; tests shorten them."""

from __future__ import annotations

from dataclasses import dataclass, field

from homeport.dynos.plan import Rules


@dataclass(frozen=True)
class Limits:
    """`drain`: requests that a dyno took before it lost its traffic get so long before it is told to go, at most;
    `settle` is the least, for those that are on their way to it."""

    boot: float = 60.0  # until $PORT is bound
    grace: float = 30.0  # from TERM to KILL
    boot_grace: float = 5.0  # the same when the platform goes down and a dyno is not up yet: nobody is being served
    settle: float = 0.25
    drain: float = 5.0
    release_phase: float = 3600.0  # https://devcenter.heroku.com/articles/release-phase
    resync: float = 30.0  # between two looks at everything, whether or not something has happened
    retry: float = 2.0  # after a failure of our own: the engine's, the database's
    rules: Rules = field(default_factory=Rules)
