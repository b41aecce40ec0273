"""Every change of an app is a numbered release: slug + config, with who and when."""

from homeport.releases.changes import create, fail, roll_back, set_addon_vars, set_config, start, succeed
from homeport.releases.history import current, eligible_for_rollback, find, history, variables

__all__ = [
    "create",
    "current",
    "eligible_for_rollback",
    "fail",
    "find",
    "history",
    "roll_back",
    "set_addon_vars",
    "set_config",
    "start",
    "succeed",
    "variables",
]
