"""A tracker of the operator's own instead of ours: the DSN in `$HOMEPORT_HOME/addons/sentry/external-dsn`."""

from __future__ import annotations

import re
from pathlib import Path

from homeport.errors import HomeportError

FILE = "external-dsn"

_DSN = re.compile(r"https?://[^\s@/]+@[\w.:\[\]-]+(?:/[\w.~/-]*)?/\d+/?")


def dsn(folder: Path) -> str | None:
    """What the operator has named. Raises `HomeportError` (`external_dsn_invalid`) if it is no DSN."""
    try:
        text = (folder / FILE).read_text().strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        text = "unreadable"
    if not text:
        return None
    if _DSN.fullmatch(text) is None:
        raise HomeportError(
            "external_dsn_invalid",
            f"What stands in {FILE} is no DSN.",
            why="Apps would be told to send their errors nowhere.",
            fix=f"Put one line of the form https://KEY@sentry.example.com/1 into {folder / FILE}, or delete it.",
        )
    return text
