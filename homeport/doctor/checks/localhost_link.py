"""A page or script of the front end asks localhost.

`http://localhost:5000/api` in a script means the machine of whoever has the page open: at home that is where your app
runs, for a visitor it is their own computer. Pages and API come from one place, so write addresses without host:

    fetch("/api/items")

A front end that is served from elsewhere takes the address from its build (`import.meta.env.VITE_API_URL`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from homeport.doctor.findings import Finding, error, warning
from homeport.doctor.project import Project

_ADDRESS = re.compile(r"https?://(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?")
_ASKED = re.compile(
    r"(?:fetch|axios(?:\.\w+)?|open|get|post|put|delete|io|WebSocket|EventSource)\s*\(\s*[`'\"]\s*$"
    r"|(?:base_?url|api_?url|url|href|src|action|endpoint|root)[\"']?\s*[:=]\s*[`'\"]?\s*$",
    re.I,
)
_GIVES_WAY = re.compile(r"\|\||\?\?|process\.env|import\.meta\.env|location\.hostname|\?.*:|{{")
_SUFFIXES = frozenset({".html", ".htm", ".jinja", ".jinja2", ".js", ".mjs", ".jsx", ".ts", ".tsx", ".vue", ".svelte"})
_ASIDE = frozenset("node_modules dist build docs doc tests test __tests__ e2e cypress .vite coverage vendor".split())
_TOOLS = re.compile(r"(\.config|\.test|\.spec|\.min|setupProxy|\.d)\.\w+$|(^|/)(vite|webpack|rollup|jest|karma)\b")
_LONGEST = 300_000  # characters; beyond that it is somebody's bundle


def find(project: Project) -> Iterator[Finding]:
    for path in project.files:
        parts = PurePosixPath(path)
        if parts.suffix not in _SUFFIXES or _ASIDE & set(parts.parts[:-1]) or _TOOLS.search(path):
            continue
        text = project.text(path) or ""
        if "localhost" in text or "127.0.0.1" in text or "0.0.0.0" in text:  # noqa: S104 - looked for, not listened on
            yield from _in_file(path, text) if len(text) < _LONGEST else ()


def _in_file(path: str, text: str) -> Iterator[Finding]:
    """One finding for all of a file, at the first line."""
    places = list(_places(path, text))
    if not places:
        return
    number, line, address, certain = min(places, key=lambda place: (not place[3], place[0]))
    more = f", {len(places)} times in this file" if len(places) > 1 else ""
    better = line.strip().replace(address, "")[:100]
    yield (error if certain else warning)(
        path,
        number,
        f"{address} is asked by the visitor's browser{more}.",
        why="There it means the visitor's own machine, where your app does not run.",
        fix=f"Leave it out, so that the address is on the same host:\n\n  {better}",
    )


def _places(path: str, text: str) -> Iterator[tuple[int, str, str, bool]]:
    """Line number, line, address, and whether it is certain that it is asked, for all that counts."""
    bare = re.sub(r"<!--.*?-->|/\*.*?\*/|{#.*?#}", lambda comment: "\n" * comment[0].count("\n"), text, flags=re.S)
    page = path.endswith((".html", ".htm", ".jinja", ".jinja2"))
    for number, line in enumerate(bare.split("\n"), start=1):
        for found in _ADDRESS.finditer(line):
            before = line[: found.start()]
            if before.lstrip().startswith(("//", "*")) or _GIVES_WAY.search(before) or "://" in before:
                continue
            asked = _ASKED.search(before) is not None
            if page and not asked:
                continue  # in a page's text it is something to read
            literal = before[-1:] in ("'", '"', "`") and not re.search(r"dev|local|test", before, re.I)
            yield number, line, found[0], asked or literal
