"""What a release command's output tells of the database's migrations."""

from __future__ import annotations

import re
from collections.abc import Callable

_UNKNOWN = re.compile(r"Can't locate revision identified by '(?P<revision>[\w.-]{1,64})'")
"""Alembic, of a database that a newer release has migrated. Django does not mind migrations that it does not know."""


class Listener:
    """Passes on what a release command says, and remembers the migration that it missed."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.unknown: str | None = None

    def __call__(self, line: str) -> None:
        if found := _UNKNOWN.search(line):
            self.unknown = found["revision"]
        self._say(line)

    def way_on(self, app_name: str) -> str:
        """What to do about it, in lines; "" if nothing was missed. Nothing was changed then: Alembic looks first."""
        if self.unknown is None:
            return ""
        return (
            f"The database is at migration {self.unknown}, which this code does not have: a newer release made it.\n"
            "Either leave the database as it is, and push the older code together with the file of that migration.\n"
            "Or let the newer code undo it, while that runs, and try again. What it has stored in the new tables and\n"
            "columns is lost:\n"
            f'  heroku run --app {app_name} "flask db downgrade"      (without Flask: alembic downgrade -1)'
        )
