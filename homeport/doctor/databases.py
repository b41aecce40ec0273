"""How code names a database, as far as several checks ask."""

from __future__ import annotations

from homeport.buildpacks import SQLITE_URL


def is_sqlite_file(text: str) -> bool:
    """Whether a string is the address of an SQLite file, or the beginning of one: `"sqlite:///" + path`."""
    return SQLITE_URL.search(text) is not None or text.endswith(("sqlite:///", "sqlite:////"))
