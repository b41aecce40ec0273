"""System accounts: as whom a server runs when Homeport itself is root."""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    @property
    def as_command(self) -> tuple[str, ...]:
        """What to put before a command, for root, so that it runs as this account and can never come back."""
        ids = (f"--reuid={self.uid}", f"--regid={self.gid}")
        return ("setpriv", *ids, "--init-groups", "--no-new-privs", "--")


def unprivileged(*preferred: str) -> Account | None:
    """The first of these accounts that the system has, else `nobody`; None when Homeport isn't root: then its servers
    run as itself."""
    if os.geteuid() != 0:
        return None
    for name in (*preferred, "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    return Account("nobody", 65534, 65534)
