"""The composition root and the commands that start, stop and show the platform.

`compose` is imported only by `up`: the command line must start fast.
"""

from homeport.daemon.commands import down, env, status, up

__all__ = ["down", "env", "status", "up"]
