"""The composition root and the commands that start, stop, show, back up and restore the platform.

`compose` is imported only by `up`, `backups` only by its own commands: the command line must start fast.
"""

from typing import Any

from homeport.daemon.commands import down, env, status, up

__all__ = ["down", "env", "status", "up"]

_OF_BACKUPS = {"back_up", "list_backups", "remove_backup_schedule", "restore", "set_backup_schedule", "verify"}


def __getattr__(name: str) -> Any:
    if name not in _OF_BACKUPS:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module("homeport.daemon.backups"), name)
