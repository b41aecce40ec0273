"""npm's version ranges: https://docs.npmjs.com/cli/configuring-npm/package-json#engines. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

_ANY = frozenset({"", "latest", "lts", "lts/*", "node", "stable", "current"})


class Range:
    """`20.x`, `>=18 <23`, `^22.1`, `lts/*`. What nobody can read, and nothing at all, fits every version."""

    def __init__(self, text: str) -> None:
        from semantic_version import NpmSpec  # not at the top: only Node.js builds need it

        self.text = text.strip()
        self.understood = True
        try:
            self._spec = NpmSpec("*" if self.text.casefold() in _ANY else _spaced(self.text))
        except ValueError:
            self.understood = False
            self._spec = NpmSpec("*")

    def fits(self, version: str) -> bool:
        from semantic_version import Version

        try:
            return bool(self._spec.match(Version(version.removeprefix("v"))))
        except ValueError:
            return False


def newest(versions: Iterable[str]) -> str | None:
    """Of complete versions; prereleases only if there is nothing else."""
    from semantic_version import Version

    parsed = []
    for text in versions:
        try:
            parsed.append(Version(text.removeprefix("v")))
        except ValueError:
            continue
    best = max(parsed, key=lambda version: (not version.prerelease, version), default=None)
    return None if best is None else str(best)


def _spaced(text: str) -> str:
    """npm allows `>= 18`, `v20`, `=20` and `18 - 20`; the library wants them without spaces and letters in front."""
    text = re.sub(r"(?<![\w.])v(?=\d)", "", text)
    text = re.sub(r"([<>]=?|[~^=])\s+", r"\1", text)
    return re.sub(r"(?<![<>~^])=(?=\d)", "", text).strip()
