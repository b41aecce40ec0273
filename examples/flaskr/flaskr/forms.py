"""Reading what visitors send."""

from collections.abc import Mapping


def text(fields: Mapping[str, str], name: str) -> str:
    """A field as it was typed. NUL, which nobody types, is left out: SQLite keeps it, Postgres refuses it."""
    return fields.get(name, "").replace("\0", "").strip()
