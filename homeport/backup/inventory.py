"""What of $HOMEPORT_HOME is in a backup. A folder that nobody has decided about is."""

from __future__ import annotations

from enum import Enum


class Kept(Enum):
    """How an entry of $HOMEPORT_HOME gets into a backup."""

    AS_IT_IS = "as it is"
    """With all that is in it."""
    CHOSEN = "chosen"
    """What the database names of it, or what can't be made again."""
    MADE_AGAIN = "made again"
    """Not at all: the next start makes it, or it means nothing on another machine."""


ENTRIES = {
    "secrets": Kept.AS_IT_IS,
    "tls": Kept.AS_IT_IS,
    "ports.json": Kept.AS_IT_IS,
    "state.db": Kept.CHOSEN,
    "repositories": Kept.CHOSEN,
    "slugs": Kept.CHOSEN,
    "builds": Kept.CHOSEN,
    "logs": Kept.CHOSEN,
    "addons": Kept.CHOSEN,
    "backups": Kept.CHOSEN,
    "state.db-wal": Kept.MADE_AGAIN,
    "state.db-shm": Kept.MADE_AGAIN,
    "state.db-journal": Kept.MADE_AGAIN,
    "dynos": Kept.MADE_AGAIN,
    "router": Kept.MADE_AGAIN,
    "run": Kept.MADE_AGAIN,
    "daemon.lock": Kept.MADE_AGAIN,
    "restore.json": Kept.MADE_AGAIN,
}

SCHEDULE = "schedule.json"
"""In the folder of backups: when they are made."""

FILES = (f"backups/{SCHEDULE}", "builds/cache/salt", "addons/sentry/external-dsn")
"""Single files that are kept from folders that are not: what an operator has said, what names layers."""


def kept(entry: str) -> Kept:
    """How this entry of $HOMEPORT_HOME is treated. Files that begin with a dot are somebody's draft."""
    return ENTRIES.get(entry, Kept.MADE_AGAIN if entry.startswith(".") else Kept.AS_IT_IS)
