"""Every change of an app is a numbered release: slug + config, with who and when."""

from homeport.releases.changes import (
    create,
    fail,
    release_slug,
    roll_back,
    set_addon_vars,
    set_config,
    start,
    succeed,
    supersede,
)
from homeport.releases.making import Attach, Attached
from homeport.releases.versions import current, eligible_for_rollback, find, history, variables
from homeport.releases.waiting import (
    MOST_ATTEMPTS,
    Turn,
    apps_that_wait,
    begin,
    has_command,
    is_remembered,
    next_turn,
    renew,
)

__all__ = [
    "MOST_ATTEMPTS",
    "Attach",
    "Attached",
    "Turn",
    "apps_that_wait",
    "begin",
    "create",
    "current",
    "eligible_for_rollback",
    "fail",
    "find",
    "has_command",
    "history",
    "is_remembered",
    "next_turn",
    "release_slug",
    "renew",
    "roll_back",
    "set_addon_vars",
    "set_config",
    "start",
    "succeed",
    "supersede",
    "variables",
]
